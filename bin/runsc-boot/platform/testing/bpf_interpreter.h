// Evaluates a seccomp program as the host would, for tests of filters.
#ifndef RUNSC_BOOT_PLATFORM_TESTING_BPF_INTERPRETER_H_
#define RUNSC_BOOT_PLATFORM_TESTING_BPF_INTERPRETER_H_

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

namespace runsc::boot::platform::testing {

// The action, or nothing when the program is one that the host would refuse
// (an unknown instruction, a jump or load out of bounds, no return).
inline std::optional<uint32_t> Evaluate(const std::vector<sock_filter>& program,
                                        const seccomp_data& data) {
  uint32_t a = 0, x = 0;
  for (size_t pc = 0; pc < program.size(); ++pc) {
    const sock_filter& i = program[pc];
    auto jump = [&](bool condition) { pc += condition ? i.jt : i.jf; };
    switch (i.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (i.k % 4 != 0 || i.k + 4 > sizeof data) return std::nullopt;
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + i.k, 4);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= i.k;
        break;
      case BPF_ALU | BPF_ADD | BPF_K:
        a += i.k;
        break;
      case BPF_ALU | BPF_ADD | BPF_X:
        a += x;
        break;
      case BPF_MISC | BPF_TAX:
        x = a;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        jump(a == i.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        jump(a >= i.k);
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        jump((a & i.k) != 0);
        break;
      case BPF_RET | BPF_K:
        return i.k;
      default:
        return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace runsc::boot::platform::testing

#endif  // RUNSC_BOOT_PLATFORM_TESTING_BPF_INTERPRETER_H_
