#include "bin/runsc-boot/loader/load.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <vector>

#include "bin/runsc-boot/loader/stack.h"
#include "bin/runsc-boot/vfs/io_buffer.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

namespace runsc::boot {

namespace {

// Newer than the C library's headers.
constexpr uint64_t kAtRseqFeatureSize = 27, kAtRseqAlign = 28;

// Descriptor numbers in the host process for what is being mapped; the
// application's own file mappings may take them over later.
constexpr int kExecutableFd = 200;
constexpr int kInterpreterFd = 201;

constexpr uint64_t kProgramBase = 0x555555554000;
constexpr uint64_t kInterpreterBase = 0x7e8000000000;
constexpr uint64_t kStackBase = 0x7ff000000000;
constexpr uint64_t kMinStack = 256 << 10;
constexpr uint64_t kMaxStack = 64 << 20;
constexpr uint64_t kStubMinSignalStack = 2048;
constexpr int kAddressAttempts = 8;

uint64_t Random(uint64_t limit) {
  uint64_t value = 0;
  if (getrandom(&value, sizeof(value), 0) != sizeof(value)) return 0;
  return value % limit;
}

platform::NativeCall MmapCall(uint64_t address, uint64_t size, int protection, int flags, int fd,
                              uint64_t offset) {
  return {SYS_mmap,
          {address, size, static_cast<uint64_t>(protection), static_cast<uint64_t>(flags),
           static_cast<uint64_t>(static_cast<int64_t>(fd)), offset}};
}

// Collects the calls that map one image, and what must be written afterwards.
class ImageMapper {
 public:
  ImageMapper(Context& context, platform::Thread& thread, MemoryManager& memory)
      : context_(context), thread_(thread), memory_(memory) {}

  // Maps `loaded` with `bias` added to its addresses. EEXIST: the place is
  // taken; another bias may do.
  Status Map(const LoadedFile& loaded, uint64_t bias, int fd_number);

 private:
  Status AddSegment(const LoadedFile& loaded, const ElfSegment& segment);
  Status AddFilePages(const LoadedFile& loaded, const ElfSegment& segment, uint64_t file_end);
  // Flags for a mapping that begins at `start`: over pages of this image, or
  // on free ones only.
  int FixedFlag(uint64_t start) const {
    return start < mapped_end_ ? MAP_FIXED : MAP_FIXED_NOREPLACE;
  }
  Status Run();
  Status FillIn(const LoadedFile& loaded);

  Context& context_;
  platform::Thread& thread_;
  MemoryManager& memory_;
  uint64_t bias_ = 0;
  std::optional<HostMapping> host_;
  int fd_number_ = -1;
  uint64_t mapped_end_ = 0;
  std::vector<platform::NativeCall> calls_;
  struct Protect {
    uint64_t address, size;
    int protection;
  };
  std::vector<Protect> protect_later_;
  std::vector<ElfSegment> copied_;
  std::vector<std::pair<uint64_t, uint64_t>> zeroed_;
};

Status ImageMapper::Map(const LoadedFile& loaded, uint64_t bias, int fd_number) {
  bias_ = bias;
  fd_number_ = fd_number;
  mapped_end_ = 0;
  calls_.clear();
  protect_later_.clear();
  copied_.clear();
  zeroed_.clear();
  if (bias + loaded.image.end > kUserEnd || bias + loaded.image.end < bias) return Error(ENOMEM);
  if (thread_.address_space()->MeetsStub(bias + loaded.image.start, bias + loaded.image.end)) {
    return Error(EEXIST);
  }
  Result<HostMapping> host = loaded.file->GetHostMapping(PROT_READ | PROT_EXEC, MAP_PRIVATE);
  if (host.ok()) {
    host_ = *host;
    TRY(thread_.InstallFd(host->fd, fd_number));
    struct stat status;
    if (fstat(host->fd, &status) == 0) {
      memory_.NoteFileMapping(status.st_dev, status.st_ino, loaded.file->path());
    }
  } else if (host.code() == ENODEV) {
    host_.reset();
  } else {
    return std::move(host).error();
  }
  for (const ElfSegment& segment : loaded.image.segments) TRY(AddSegment(loaded, segment));
  TRY(Run());
  return FillIn(loaded);
}

Status ImageMapper::AddSegment(const LoadedFile& loaded, const ElfSegment& segment) {
  const uint64_t start = bias_ + segment.address;
  const uint64_t file_end = start + segment.file_size;
  const uint64_t memory_end = start + segment.memory_size;
  if (segment.file_size > 0) TRY(AddFilePages(loaded, segment, file_end));
  const uint64_t anonymous_start = segment.file_size > 0 ? PageUp(file_end) : PageDown(start);
  const uint64_t anonymous_end = PageUp(memory_end);
  if (anonymous_end > anonymous_start) {
    calls_.push_back(MmapCall(anonymous_start, anonymous_end - anonymous_start, segment.protection,
                              MAP_PRIVATE | MAP_ANONYMOUS | FixedFlag(anonymous_start), -1, 0));
  }
  mapped_end_ = std::max(mapped_end_, std::max(PageUp(file_end), anonymous_end));
  // Behind the file's part of the last page, memory must read as zeros. Linux
  // does it only for writable segments; the rest of a file is harmless.
  const uint64_t zero_end = std::min(PageUp(file_end), memory_end);
  if (segment.file_size > 0 && (segment.protection & PROT_WRITE) != 0 && file_end < zero_end) {
    zeroed_.emplace_back(file_end, PageUp(file_end) - file_end);
  }
  return Ok();
}

Status ImageMapper::AddFilePages(const LoadedFile& loaded, const ElfSegment& segment,
                                 uint64_t file_end) {
  const uint64_t start = PageDown(bias_ + segment.address);
  const uint64_t size = PageUp(file_end) - start;
  if (host_.has_value()) {
    calls_.push_back(MmapCall(start, size, segment.protection, MAP_PRIVATE | FixedFlag(start),
                              fd_number_, host_->offset + PageDown(segment.file_offset)));
    return Ok();
  }
  calls_.push_back(MmapCall(start, size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | FixedFlag(start), -1, 0));
  copied_.push_back(segment);
  if (segment.protection != (PROT_READ | PROT_WRITE)) {
    protect_later_.push_back({start, size, segment.protection});
  }
  return Ok();
}

Status ImageMapper::Run() {
  TRY(thread_.RunNative(calls_, /*stop_on_error=*/true));
  for (const platform::NativeCall& call : calls_) {
    if (call.result < 0) return Error(static_cast<int>(-call.result));
    // A host older than MAP_FIXED_NOREPLACE would take the address as a hint.
    if (static_cast<uint64_t>(call.result) != call.args[0]) return Error(EEXIST);
  }
  return Ok();
}

Status ImageMapper::FillIn(const LoadedFile& loaded) {
  constexpr size_t kChunk = 256 << 10;
  std::vector<char> buffer;
  for (const ElfSegment& segment : copied_) {
    buffer.resize(kChunk);
    for (uint64_t done = 0; done < segment.file_size;) {
      KernelBuffer chunk(buffer.data(), std::min<uint64_t>(kChunk, segment.file_size - done));
      TRY_ASSIGN(const size_t count,
                 loaded.file->PRead(context_, chunk, segment.file_offset + done));
      if (count == 0) break;
      TRY(memory_.CopyOut(bias_ + segment.address + done, buffer.data(), count));
      done += count;
    }
  }
  const std::vector<char> zeros(kPageSize);
  for (const auto& [address, size] : zeroed_) {
    // As Linux: a page that cannot be written stays as it is.
    (void)memory_.CopyOut(address, zeros.data(), size).ok();
  }
  std::vector<platform::NativeCall> calls;
  for (const Protect& protect : protect_later_) {
    calls.push_back(
        {SYS_mprotect, {protect.address, protect.size, static_cast<uint64_t>(protect.protection)}});
  }
  if (calls.empty()) return Ok();
  return thread_.RunNative(calls, /*stop_on_error=*/true);
}

// Maps `loaded` at its own address, or at a random one above `base`; returns
// the bias.
Result<uint64_t> MapImage(ImageMapper& mapper, const LoadedFile& loaded, uint64_t base,
                          uint64_t random_pages, int fd_number) {
  const ElfImage& image = loaded.image;
  if (!image.position_independent) {
    TRY(mapper.Map(loaded, 0, fd_number));
    return uint64_t{0};
  }
  for (int attempt = 1;; ++attempt) {
    const uint64_t place = (base + Random(random_pages) * kPageSize) & ~(image.alignment - 1);
    // Segments keep their alignment relative to each other and to `place`.
    const uint64_t bias = place - (image.start & ~(image.alignment - 1));
    Status status = mapper.Map(loaded, bias, fd_number);
    if (status.ok()) return bias;
    if (status.code() != EEXIST || attempt == kAddressAttempts) return std::move(status).error();
  }
}

struct Stack {
  uint64_t top = 0, size = 0;
};

// Maps the stack, and learns where the heap begins.
Result<Stack> MapStack(platform::Thread& thread, bool executable, uint64_t limit,
                       uint64_t random_pages, uint64_t* heap_start) {
  const uint64_t size = StackBytes(limit);
  const int protection = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0);
  for (int attempt = 1;; ++attempt) {
    const uint64_t top = kStackBase + size + Random(random_pages) * kPageSize;
    platform::NativeCall calls[] = {
        MmapCall(top - size, size, protection,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | MAP_FIXED_NOREPLACE, -1,
                 0),
        {SYS_brk, {0}}};
    TRY(thread.RunNative(calls, /*stop_on_error=*/true));
    if (static_cast<uint64_t>(calls[0].result) == top - size) {
      *heap_start = calls[1].result;
      return Stack{top, size};
    }
    if (calls[0].result != -EEXIST || attempt == kAddressAttempts) return Error(ENOMEM);
  }
}

std::vector<std::pair<uint64_t, uint64_t>> AuxiliaryVector(const Program& program,
                                                           const platform::Thread& thread,
                                                           const ProgramIdentity& identity,
                                                           uint64_t bias,
                                                           uint64_t interpreter_bias) {
  const ElfImage& image = program.executable.image;
  const uint64_t minimum_signal_stack = getauxval(AT_MINSIGSTKSZ);
  std::vector<std::pair<uint64_t, uint64_t>> auxv;
  if (uint64_t vdso = thread.address_space()->VdsoBase(); vdso != 0) {
    auxv.emplace_back(AT_SYSINFO_EHDR, vdso);
  }
  auxv.emplace_back(AT_MINSIGSTKSZ,
                    minimum_signal_stack != 0 ? minimum_signal_stack : kStubMinSignalStack);
  auxv.emplace_back(AT_HWCAP, getauxval(AT_HWCAP));
  auxv.emplace_back(AT_PAGESZ, kPageSize);
  auxv.emplace_back(AT_CLKTCK, 100);
  auxv.emplace_back(AT_PHDR, image.program_headers == 0 ? 0 : bias + image.program_headers);
  auxv.emplace_back(AT_PHENT, sizeof(Elf64_Phdr));
  auxv.emplace_back(AT_PHNUM, image.program_header_count);
  auxv.emplace_back(AT_BASE, program.interpreter.has_value() ? interpreter_bias : 0);
  auxv.emplace_back(AT_FLAGS, 0);
  auxv.emplace_back(AT_ENTRY, bias + image.entry);
  auxv.emplace_back(AT_UID, identity.uid);
  auxv.emplace_back(AT_EUID, identity.euid);
  auxv.emplace_back(AT_GID, identity.gid);
  auxv.emplace_back(AT_EGID, identity.egid);
  auxv.emplace_back(AT_SECURE, identity.secure ? 1 : 0);
  auxv.emplace_back(AT_HWCAP2, getauxval(AT_HWCAP2));
  // rseq(2) is the host's; hosts before 6.3 say nothing about it.
  for (uint64_t type : {kAtRseqFeatureSize, kAtRseqAlign}) {
    if (const uint64_t value = getauxval(type); value != 0) auxv.emplace_back(type, value);
  }
  return auxv;
}

void DescribeSegments(const ElfImage& elf, uint64_t bias, MemoryManager::Image& image) {
  image.code_start = ~uint64_t{0};
  for (const ElfSegment& segment : elf.segments) {
    const uint64_t start = bias + segment.address, end = start + segment.file_size;
    if ((segment.protection & PROT_EXEC) != 0) {
      image.code_start = std::min(image.code_start, start);
      image.code_end = std::max(image.code_end, end);
    }
    image.data_start = std::max(image.data_start, start);
    image.data_end = std::max(image.data_end, end);
  }
}

}  // namespace

uint64_t StackBytes(uint64_t stack_limit) {
  return PageUp(std::clamp(stack_limit, kMinStack, kMaxStack) + MaxArgBytes(stack_limit));
}

uint64_t UnusedStack(uint64_t stack_bytes) {
  // As setup_arg_pages of Linux, with a page for the arguments.
  constexpr uint64_t kFirstStack = (128 << 10) + kPageSize;
  return stack_bytes - std::min(stack_bytes, kFirstStack);
}

Result<StartState> LoadProgram(const Program& program, Context& context, platform::Thread& thread,
                               MemoryManager& memory, const ProgramIdentity& identity,
                               uint64_t stack_limit) {
  ImageMapper mapper(context, thread, memory);
  const ElfImage& image = program.executable.image;
  auto pages = [&identity](int bits) { return identity.fixed_addresses ? 1 : uint64_t{1} << bits; };
  TRY_ASSIGN(const uint64_t bias,
             MapImage(mapper, program.executable, kProgramBase, pages(28), kExecutableFd));
  uint64_t interpreter_bias = 0;
  StartState start;
  start.entry = bias + image.entry;
  if (program.interpreter.has_value()) {
    TRY_ASSIGN(interpreter_bias,
               MapImage(mapper, *program.interpreter, kInterpreterBase, pages(26), kInterpreterFd));
    start.entry = interpreter_bias + program.interpreter->image.entry;
  }
  TRY_ASSIGN(const Stack stack, MapStack(thread, image.executable_stack, stack_limit, pages(22),
                                         &start.image.brk_start));

  StackContents contents{program.args, program.env, program.filename, {}, {}};
  if (getrandom(contents.random.data(), contents.random.size(), 0) !=
      static_cast<ssize_t>(contents.random.size())) {
    return Error(EIO);
  }
  contents.auxv = AuxiliaryVector(program, thread, identity, bias, interpreter_bias);
  InitialStack initial = BuildStack(contents, stack.top);
  TRY(memory.CopyOut(initial.stack_pointer, initial.bytes.data(), initial.bytes.size()));

  start.stack_pointer = initial.stack_pointer;
  start.image.executable = program.path;
  start.image.write_denial = program.write_denial;
  start.image.stack_start = initial.stack_pointer;
  start.image.arg_start = initial.arg_start;
  start.image.arg_end = initial.arg_end;
  start.image.env_start = initial.env_start;
  start.image.env_end = initial.env_end;
  start.image.entry = bias + image.entry;
  start.image.auxv = std::move(initial.auxv);
  DescribeSegments(image, bias, start.image);
  return start;
}

}  // namespace runsc::boot
