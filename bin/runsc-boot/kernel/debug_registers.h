// The debug registers of one traced thread, as PTRACE_POKEUSER sets them and as
// debuggers use them for breakpoints and watchpoints of the processor. The kernel
// has none to lend: it executes the thread by single steps while one is enabled,
// and asks here whether an instruction meets it (ptrace_debug.cc).
//
//   DR0 to DR3  addresses
//   DR6         which of them was met (bits 0 to 3); bit 14: a single step
//   DR7         two bits to enable each; from bit 16 on its kind and length
//
// What is accepted, and what is read back, is as in Linux on x86-64.
#ifndef RUNSC_BOOT_KERNEL_DEBUG_REGISTERS_H_
#define RUNSC_BOOT_KERNEL_DEBUG_REGISTERS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "bin/runsc-boot/kernel/memory_accesses.h"
#include "common/result.h"

namespace runsc::boot {

class DebugRegisters {
 public:
  static constexpr int kCount = 8;
  // Bit of DR6.
  static constexpr uint64_t kSingleStep = 0x4000;

  uint64_t Get(int number) const;
  // EINVAL: an address of the kernel, a kind that does not exist, a length that
  // does not fit. EIO: DR4, DR5. Nothing is changed then.
  Status Set(int number, uint64_t value);

  // Whether any breakpoint or watchpoint is enabled.
  bool armed() const;
  // Bits of DR6: the breakpoints at `address`, the watchpoints on `accesses`.
  uint64_t Breakpoints(uint64_t address) const;
  uint64_t Watchpoints(std::span<const MemoryAccess> accesses) const;
  // What DR6 shows after a trap for `reasons`, its bits.
  void Report(uint64_t reasons);

  // A child of fork sees what its parent has, but nothing is enabled.
  DebugRegisters ForChild() const;
  // After exec.
  void Clear();

 private:
  enum class Kind : uint8_t { kExecute, kWrite, kPort, kReadWrite };
  struct Slot {
    uint64_t address = 0;
    Kind kind = Kind::kWrite;
    uint8_t length = 1;
    bool enabled = false;
  };
  using Slots = std::array<std::optional<Slot>, 4>;

  static Status Check(const Slot& slot);
  Status SetControl(uint64_t value);

  Slots slots_;
  uint64_t status_ = 0xffff0ff0;  // the bits that are always set
  uint64_t control_ = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_DEBUG_REGISTERS_H_
