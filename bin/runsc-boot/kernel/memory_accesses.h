// What memory one x86-64 instruction reads and writes: the decoder behind the
// debug registers that the kernel emulates for debuggers (debug_registers.h).
//
// Zydis would do it, but Debian has no static library of that, and boot is one
// file without others.
//
// It knows where an instruction's operands lie and how long they are, and no more
// of what it does. General instructions, x87, MMX, SSE, AVX and AVX-512 are known;
// not gathers and scatters, whose addresses lie in vector registers. Elements
// that vmaskmov leaves out count as accessed, and of xsave and its like only the
// part that all processors have.
#ifndef RUNSC_BOOT_KERNEL_MEMORY_ACCESSES_H_
#define RUNSC_BOOT_KERNEL_MEMORY_ACCESSES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/functional/function_ref.h"
#include "bin/runsc-boot/platform/platform.h"

namespace runsc::boot {

struct MemoryAccess {
  uint64_t address = 0;
  uint32_t size = 0;
  bool reads = false, writes = false;
};

struct Instruction {
  std::span<const MemoryAccess> accesses() const& { return {all.data(), count}; }
  void accesses() const&& = delete;  // a loop over a temporary's
  void Add(const MemoryAccess& access) {
    if (count < all.size()) all[count++] = access;
  }

  std::array<MemoryAccess, 3> all;
  size_t count = 0;
  bool pushes_flags = false, pops_flags = false;
};

inline constexpr size_t kMaxInstruction = 15;

// The value of one of AVX-512's mask registers. Asked for only when it matters.
using MaskReader = absl::FunctionRef<uint64_t(int number)>;

// The instruction at `registers.rip`, whose bytes are `code` (or as many of them
// as can be read), in the state that `registers` show. A repeated string
// instruction: its next repetition. Without accesses if it is unknown or cut off.
Instruction DecodeInstruction(std::span<const uint8_t> code, const platform::Registers& registers,
                              MaskReader masks);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_MEMORY_ACCESSES_H_
