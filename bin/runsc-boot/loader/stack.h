// The initial stack of a program: strings, pointers, auxiliary vector.
#ifndef RUNSC_BOOT_LOADER_STACK_H_
#define RUNSC_BOOT_LOADER_STACK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/result.h"

namespace runsc::boot {

// Limits of execve(2): of one string with its NUL, and of all together for a
// stack limit of `stack_limit` bytes.
constexpr size_t kMaxArgString = 131072;
uint64_t MaxArgBytes(uint64_t stack_limit);
// E2BIG.
Status CheckArgLimits(const std::vector<std::string>& args, const std::vector<std::string>& env,
                      uint64_t stack_limit);

struct InitialStack {
  std::vector<std::byte> bytes;  // ends at the stack's top
  uint64_t stack_pointer = 0;    // where `bytes` begins
  uint64_t arg_start = 0, arg_end = 0, env_start = 0, env_end = 0;
  std::vector<uint64_t> auxv;  // as on the stack, with the final AT_NULL
};

struct StackContents {
  const std::vector<std::string>& args;
  const std::vector<std::string>& env;
  const std::string& filename;       // AT_EXECFN
  std::array<std::byte, 16> random;  // AT_RANDOM
  // Without AT_EXECFN, AT_RANDOM, AT_PLATFORM and AT_NULL, which are added.
  std::vector<std::pair<uint64_t, uint64_t>> auxv;
};

// Lays out `contents` below `top` (a page boundary).
InitialStack BuildStack(const StackContents& contents, uint64_t top);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_LOADER_STACK_H_
