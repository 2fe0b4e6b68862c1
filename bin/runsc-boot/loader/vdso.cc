#include "bin/runsc-boot/loader/vdso.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>
#include <span>

namespace runsc::boot {

namespace {

constexpr uint64_t kPageSize = 4096;

// mov $__NR_clock_gettime, %eax; syscall; ret
static_assert(SYS_clock_gettime == 228);
constexpr std::array<uint8_t, 8> kCall = {0xb8, 228, 0, 0, 0, 0x0f, 0x05, 0xc3};

const char* Image() { return reinterpret_cast<const char*>(getauxval(AT_SYSINFO_EHDR)); }

// The host's own image: trusted.
const Elf64_Ehdr& Header() { return *reinterpret_cast<const Elf64_Ehdr*>(Image()); }

std::span<const Elf64_Shdr> Sections() {
  return {reinterpret_cast<const Elf64_Shdr*>(Image() + Header().e_shoff), Header().e_shnum};
}

// What the process has at the function is the host's.
bool IsUntouched(platform::AddressSpace& space, uint64_t base, const VdsoFunction& function) {
  std::array<char, sizeof(Elf64_Ehdr)> header;
  std::array<char, kCall.size()> code;
  return space.Read(base, header.data(), header.size()).value_or(0) == header.size() &&
         space.Read(base + function.offset, code.data(), code.size()).value_or(0) == code.size() &&
         std::memcmp(header.data(), Image(), header.size()) == 0 &&
         std::memcmp(code.data(), Image() + function.offset, code.size()) == 0;
}

}  // namespace

size_t VdsoSize() {
  if (Image() == nullptr) return 0;
  // The section headers come last.
  const size_t size = Header().e_shoff + Header().e_shnum * sizeof(Elf64_Shdr);
  return (size + kPageSize - 1) & ~(kPageSize - 1);
}

std::optional<VdsoFunction> FindVdsoFunction(std::string_view name) {
  if (Image() == nullptr) return std::nullopt;
  for (const Elf64_Shdr& section : Sections()) {
    if (section.sh_type != SHT_DYNSYM) continue;
    const char* strings = Image() + Sections()[section.sh_link].sh_offset;
    const std::span<const Elf64_Sym> symbols(
        reinterpret_cast<const Elf64_Sym*>(Image() + section.sh_offset),
        section.sh_size / sizeof(Elf64_Sym));
    for (const Elf64_Sym& symbol : symbols) {
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || name != strings + symbol.st_name) continue;
      return VdsoFunction{symbol.st_value, symbol.st_size};
    }
  }
  return std::nullopt;
}

Status MakeVdsoClockACall(platform::Thread& thread) {
  static const std::optional<VdsoFunction> kFunction = FindVdsoFunction("__vdso_clock_gettime");
  const std::shared_ptr<platform::AddressSpace> space = thread.address_space();
  const uint64_t base = space->VdsoBase();
  if (base == 0 || !kFunction.has_value() || kFunction->size < kCall.size()) return Ok();
  if (!IsUntouched(*space, base, *kFunction)) return Ok();
  // The host lets no part of it have a protection of its own.
  auto protect = [&](uint64_t protection) -> Status {
    platform::NativeCall call{SYS_mprotect, {base, VdsoSize(), protection}};
    TRY(thread.RunNative({&call, 1}, /*stop_on_error=*/true));
    return call.result == 0 ? Ok() : Status(Error(EFAULT));
  };
  TRY(protect(PROT_READ | PROT_WRITE));
  TRY_ASSIGN(const size_t written,
             space->Write(base + kFunction->offset, kCall.data(), kCall.size()));
  if (written != kCall.size()) return Error(EFAULT);
  return protect(PROT_READ | PROT_EXEC);
}

}  // namespace runsc::boot
