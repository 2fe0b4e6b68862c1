// The application kernel of one sandbox: its tasks, and what they share.
#ifndef RUNSC_BOOT_KERNEL_KERNEL_H_
#define RUNSC_BOOT_KERNEL_KERNEL_H_

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/kernel/thread_group.h"
#include "bin/runsc-boot/kernel/timer.h"
#include "bin/runsc-boot/platform/platform.h"
#include "bin/runsc-boot/socket/families.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

// What the container's init starts with.
struct InitOptions {
  // The file to execute, found by PATH already; relative to cwd if not absolute.
  std::string program;
  std::vector<std::string> args, env;
  std::string cwd;
  Credentials credentials;
  std::array<rlimit, RLIM_NLIMITS> limits;
  mode_t umask = 022;
  std::shared_ptr<FdTable> fds;
  std::shared_ptr<MountNamespace> mounts;
  std::string hostname, domainname;
  int cpu_count = 1;          // shown to the container
  uint64_t memory_total = 0;  // bytes shown to the container
};

// Executes one system call of `task`; the table in syscalls/ provides it. A
// parameter, since syscalls/ depends on kernel/ and not the other way round.
using SyscallDispatch = Result<uint64_t> (*)(Task& task, const platform::SyscallInfo& call);

class Kernel {
 public:
  Kernel(std::unique_ptr<platform::Platform> platform, SyscallDispatch dispatch);
  ~Kernel();

  Vfs& vfs() { return vfs_; }
  platform::Platform& platform() { return *platform_; }
  // Families are registered before init starts.
  SocketFamilies& sockets() { return sockets_; }
  // True for the first caller with this number: an unimplemented system call
  // is logged once.
  bool FirstUnimplemented(uint64_t number) {
    return number >= unimplemented_seen_.size() ? false
                                                : !unimplemented_seen_[number].exchange(true);
  }

  // Loads and starts the container's init. ENOENT, EACCES, ENOEXEC...: the
  // program cannot be executed; `*program` in the message.
  Status StartInit(InitOptions options);
  // Blocks the calling (non-worker) thread until init has ended; its status as
  // wait(2) has it.
  int WaitForInit();

  absl::Mutex& tree_mutex() ABSL_LOCK_RETURNED(tree_mutex_) { return tree_mutex_; }
  // By thread id / process id of the container. Null when there is none.
  TaskRef FindTask(pid_t tid);
  ThreadGroupRef FindGroup(pid_t pid);
  std::vector<ThreadGroupRef> Groups();
  // Members of a process group; empty when there is none.
  std::vector<ThreadGroupRef> ProcessGroupMembers(pid_t process_group);
  // kill(2)'s check of `sender` against `target`: EPERM.
  Status CheckKill(const Task& sender, const Task& target, int signo);
  // A descriptor of pidfd_open(2) (ESRCH), and back (EBADF: not a pidfd). It
  // is readable once the process has ended.
  Result<FileRef> OpenPidFd(pid_t pid, int flags);
  static Result<ThreadGroupRef> PidFdTarget(File& file);

  // Runs callbacks at times, for timerfd and others; see timer.h.
  TimerQueue& timers() { return timers_; }
  // kill(2) from outside: to init, one process, or (all) every process.
  Status SignalFromOutside(pid_t pid, int signo, bool all);
  void KillAll();

  std::string hostname() const;
  void set_hostname(std::string name);
  std::string domainname() const;
  void set_domainname(std::string name);
  int cpu_count() const;
  uint64_t memory_total() const;
  int64_t boot_time_monotonic_ns() const;

 private:
  std::unique_ptr<platform::Platform> platform_;
  Vfs vfs_;
  SocketFamilies sockets_;
  std::array<std::atomic<bool>, 512> unimplemented_seen_{};
  const SyscallDispatch dispatch_;
  absl::Mutex tree_mutex_;
  TimerQueue timers_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_KERNEL_H_
