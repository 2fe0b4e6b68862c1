// Text of system-call arguments, by the shapes of the table.
#ifndef RUNSC_BOOT_STRACE_ARGUMENTS_H_
#define RUNSC_BOOT_STRACE_ARGUMENTS_H_

#include <array>
#include <optional>
#include <string>

#include "bin/runsc-boot/syscalls/table.h"
#include "bin/runsc-boot/vfs/context.h"

namespace runsc::boot {

// A call's arguments. What the application passes in is read when it is made,
// what the call writes when it has ended.
class ArgumentText {
 public:
  ArgumentText(Context& memory, const SyscallEntry& entry, const platform::SyscallInfo& call);
  // Fills in what the call has written. `result` is not an error.
  void AddResults(uint64_t result);
  // "fd 3, "path", O_RDONLY": arguments without shape are left out.
  std::string Joined() const;

 private:
  std::string Input(int index);
  std::optional<std::string> Output(int index, uint64_t result);

  Context& memory_;
  const SyscallEntry& entry_;
  const platform::SyscallInfo& call_;
  std::array<std::string, 6> texts_;
};

// "text" with escapes; `...` behind it when `more`.
std::string Quote(std::string_view bytes, bool more);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_STRACE_ARGUMENTS_H_
