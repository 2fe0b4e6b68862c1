// Classic BPF as seccomp(2) has it: which programs Linux accepts, and what they
// return. Programs come from hostile applications.
#ifndef RUNSC_BOOT_SECCOMP_BPF_H_
#define RUNSC_BOOT_SECCOMP_BPF_H_

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <optional>
#include <span>

#include "common/result.h"

namespace runsc::boot::seccomp {

using Program = std::span<const sock_filter>;

// EINVAL: empty, longer than 4,096 instructions, an instruction that seccomp
// does not have, a jump or load out of bounds, a scratch word that is read
// before it is written on some path, a division by zero, or no return at the
// end.
Status CheckProgram(Program program);

// The value that a checked program returns for `data`. Jumps go forward only,
// so it takes at most one step per instruction.
uint32_t Run(Program program, const seccomp_data& data);

// The value if it is the same for all arguments and instruction pointers of
// this call; nothing when the program looks at them on the way.
std::optional<uint32_t> RunOnNumber(Program program, uint32_t number, uint32_t arch);

}  // namespace runsc::boot::seccomp

#endif  // RUNSC_BOOT_SECCOMP_BPF_H_
