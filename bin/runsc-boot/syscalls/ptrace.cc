// ptrace(2), process_vm_readv(2), process_vm_writev(2)

#include "bin/runsc-boot/kernel/ptrace.h"

#include <limits.h>
#include <sys/uio.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/ptrace_access.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr size_t kChunk = 64 << 10;

Result<std::vector<iovec>> CopyInVectors(Task& task, uint64_t address, uint64_t count) {
  if (count > IOV_MAX) return Error(EINVAL);
  std::vector<iovec> vectors(count);
  TRY(task.CopyIn(address, vectors.data(), vectors.size() * sizeof(iovec)));
  uint64_t total = 0;
  for (iovec& vector : vectors) {
    if (static_cast<int64_t>(vector.iov_len) < 0) return Error(EINVAL);
    constexpr uint64_t kMax = INT_MAX & ~4095;
    vector.iov_len = std::min<uint64_t>(vector.iov_len, kMax - total);
    total += vector.iov_len;
  }
  return vectors;
}

// Walks over a list of ranges.
class Cursor {
 public:
  explicit Cursor(const std::vector<iovec>& vectors) : vectors_(vectors) { Skip(); }
  bool done() const { return index_ == vectors_.size(); }
  size_t left() const { return vectors_[index_].iov_len - offset_; }
  uint64_t address() const {
    return reinterpret_cast<uint64_t>(vectors_[index_].iov_base) + offset_;
  }
  void Advance(size_t size) {
    offset_ += size;
    Skip();
  }

 private:
  void Skip() {
    while (index_ < vectors_.size() && offset_ >= vectors_[index_].iov_len) {
      offset_ = 0;
      ++index_;
    }
  }
  const std::vector<iovec>& vectors_;
  size_t index_ = 0, offset_ = 0;
};

Result<Word> Transfer(Task& task, const SyscallArgs& args, bool write) {
  if (args.Raw(5) != 0) return Error(EINVAL);
  TRY_ASSIGN(const std::vector<iovec> local, CopyInVectors(task, args.Address(1), args.Raw(2)));
  Cursor here(local);
  if (here.done()) return 0;
  TRY_ASSIGN(const std::vector<iovec> remote, CopyInVectors(task, args.Address(3), args.Raw(4)));
  Cursor there(remote);
  if (there.done()) return 0;
  const TaskRef target = task.FindTask(args.Pid(0));
  if (target == nullptr) return Error(ESRCH);
  const std::shared_ptr<MemoryManager> memory = target->memory_ref();
  if (memory == nullptr) return Error(ESRCH);
  // What is the caller's own it may see by whomever.
  if (memory.get() != &task.memory()) TRY(CheckPtraceAccess(task, *target, PtraceIds::kReal));
  if (write) TRY(task.AwaitStart(memory->address_space()));
  platform::AddressSpace& from = (write ? task.memory() : *memory).address_space();
  platform::AddressSpace& to = (write ? *memory : task.memory()).address_space();
  std::vector<std::byte> buffer(kChunk);
  Word total = 0;
  Error failure(EFAULT);
  while (!here.done() && !there.done() && !task.exiting()) {
    const size_t size = std::min({here.left(), there.left(), kChunk});
    uint64_t end = 0;
    const bool wraps = __builtin_add_overflow(there.address(), size, &end);
    if (wraps || memory->address_space().MeetsStub(there.address(), end)) break;
    const uint64_t source = write ? here.address() : there.address();
    const uint64_t destination = write ? there.address() : here.address();
    const Result<size_t> got = from.Read(source, buffer.data(), size);
    if (!got.ok() || *got == 0) break;
    const Result<size_t> put = to.Write(destination, buffer.data(), *got);
    if (!put.ok() || *put == 0) break;
    total += *put;
    if (*put < size) break;
    here.Advance(size);
    there.Advance(size);
  }
  if (total > 0) return total;
  return failure;
}

}  // namespace

Result<Word> SysPtrace(Task& task, const SyscallArgs& args) {
  const int64_t request = args.Long(0);
  if (request < 0 || request > INT_MAX) return Error(task.FindTask(args.Pid(1)) ? EIO : ESRCH);
  return Tracee::Request(task, static_cast<int>(request), args.Pid(1), args.Raw(2), args.Raw(3));
}

Result<Word> SysProcessVmReadv(Task& task, const SyscallArgs& args) {
  return Transfer(task, args, /*write=*/false);
}

Result<Word> SysProcessVmWritev(Task& task, const SyscallArgs& args) {
  return Transfer(task, args, /*write=*/true);
}

}  // namespace runsc::boot
