// Signal-driven I/O: who gets SIGIO for a file description with O_ASYNC, or for
// a directory with F_NOTIFY (fcntl(2): F_SETOWN, F_SETOWN_EX, F_SETSIG).
#ifndef RUNSC_BOOT_KERNEL_ASYNC_IO_H_
#define RUNSC_BOOT_KERNEL_ASYNC_IO_H_

#include <fcntl.h>

#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/directory_notify.h"
#include "bin/runsc-boot/kernel/late_signals.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/vfs/file_async.h"
#include "bin/runsc-boot/wait/wait_queue.h"

namespace runsc::boot {

// The signal is sent by whoever makes the file ready, under the lock of the
// file's wait queue; so no task may use that queue with a lock of kernel.h
// held. Files whose queues do not allow it are not async_capable().
//
// A signal that could end its process at once, and thereby close files, is sent
// by the timer thread instead (late_signals.h).
class AsyncIo final : public FileAsync {
 public:
  // That of `file`, made when needed.
  static std::shared_ptr<AsyncIo> Of(Kernel& kernel, File& file);
  // Null when nobody has set anything.
  static std::shared_ptr<AsyncIo> Existing(const File& file);

  explicit AsyncIo(Kernel& kernel) : kernel_(kernel) {}

  // `owner` as F_SETOWN_EX has it, pid 0: nobody. EINVAL; ESRCH.
  Status SetOwner(const Task& caller, const f_owner_ex& owner) ABSL_LOCKS_EXCLUDED(owner_mutex_);
  // pid 0 when there is none, or it has gone.
  f_owner_ex owner() const ABSL_LOCKS_EXCLUDED(owner_mutex_);
  // 0: SIGIO without more information.
  void set_signal(int signo) ABSL_LOCKS_EXCLUDED(owner_mutex_);
  int signal() const ABSL_LOCKS_EXCLUDED(owner_mutex_);

  // O_ASYNC has been set for `file` through the descriptor `fd`, or taken away.
  void Enable(File& file, int fd) ABSL_LOCKS_EXCLUDED(entry_mutex_);
  void Disable() ABSL_LOCKS_EXCLUDED(entry_mutex_);

  // F_NOTIFY of `directory` through the descriptor `fd` of `table`: `events` of
  // DN_*. The caller becomes the owner where there is none.
  static void NotifyOf(const Task& caller, File& directory, const FdTable& table, int fd,
                       uint32_t events);
  void DescriptorClosed(const FdTable& table) override { directory_notify_.Remove(table); }

 private:
  struct Owner {
    f_owner_ex who{F_OWNER_TID, 0};
    std::weak_ptr<Task> task;          // F_OWNER_TID
    std::weak_ptr<ThreadGroup> group;  // F_OWNER_PID
    uid_t uid = 0, euid = 0;           // of who set it
  };

  // Why the owner is told.
  struct Reason {
    int code;   // si_code
    long band;  // si_band
  };
  // What the notification means for an end that wants `wanted`; nothing: it is
  // for the other end of a pipe.
  static std::optional<Reason> ReasonFor(PollEvents events, PollEvents wanted, bool socket);
  void Tell(Reason reason, int fd) ABSL_LOCKS_EXCLUDED(owner_mutex_);
  // To whom the owner's credentials allow it.
  void Send(const Owner& owner, LateSignals::Signal signal);
  // EAGAIN.
  Status SendAllowed(const LateSignals::Signal& signal);

  Kernel& kernel_;
  // Not held by callbacks: they run under the queue's lock, which is taken
  // with this one held.
  absl::Mutex entry_mutex_;
  std::optional<WaitEntry> entry_ ABSL_GUARDED_BY(entry_mutex_);
  mutable absl::Mutex owner_mutex_;  // a leaf
  Owner owner_ ABSL_GUARDED_BY(owner_mutex_);
  int signal_ ABSL_GUARDED_BY(owner_mutex_) = 0;
  DirectoryNotify directory_notify_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_ASYNC_IO_H_
