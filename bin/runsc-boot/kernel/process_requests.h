// What the system calls that make processes, start programs and wait ask for.
#ifndef RUNSC_BOOT_KERNEL_PROCESS_REQUESTS_H_
#define RUNSC_BOOT_KERNEL_PROCESS_REQUESTS_H_

#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

// Missing in the C library's <sched.h>.
constexpr uint64_t kCloneClearSighand = 0x100000000;

// clone(2), clone3(2), fork(2), vfork(2). The addresses are the application's.
struct CloneRequest {
  uint64_t flags = 0;   // CLONE_*, without the exit signal
  int exit_signal = 0;  // sent to the parent; 0 for threads
  uint64_t stack = 0;   // the child's stack pointer; 0: the same as the parent's
  uint64_t parent_tid = 0, child_tid = 0, tls = 0, pidfd = 0;
  // The child's numbers, from its innermost pid namespace outwards; maybe none.
  std::vector<pid_t> chosen_pids;
};

// execve(2), execveat(2), with everything copied in already.
struct ExecRequest {
  WalkOptions walk;      // start, and whether the last link is followed
  std::string path;      // "" with walk.allow_empty: walk.start itself
  std::string filename;  // what AT_EXECFN and scripts see: path, or /dev/fd/N[/path]
  std::vector<std::string> args, env;
};

// wait4(2), waitid(2).
struct WaitRequest {
  idtype_t type = P_ALL;  // P_ALL, P_PID, P_PGID
  pid_t id = 0;           // the kernel's number
  int options = WEXITED;  // WNOHANG, WEXITED, WSTOPPED, WCONTINUED, WNOWAIT, __W*
};
struct ChildEvent {
  pid_t pid = 0;  // as the caller's pid namespace has it
  uid_t uid = 0;
  int code = 0;         // CLD_EXITED, CLD_KILLED, CLD_STOPPED, CLD_CONTINUED
  int status = 0;       // as siginfo's si_status
  int wait_status = 0;  // as wait4's status
  rusage usage{};
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_PROCESS_REQUESTS_H_
