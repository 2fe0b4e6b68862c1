// SECCOMP_RET_USER_NOTIF between applications (seccomp_unotify(2)): calls wait
// here for the answer of a supervisor that holds the listener.
#ifndef RUNSC_BOOT_KERNEL_SECCOMP_NOTIFIER_H_
#define RUNSC_BOOT_KERNEL_SECCOMP_NOTIFIER_H_

#include <linux/seccomp.h>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/seccomp/filter.h"
#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/vfs.h"
#include "bin/runsc-boot/wait/wait_queue.h"
#include "common/result.h"

namespace runsc::boot {

class Task;

// Thread-safe; its lock is a leaf.
class SeccompNotifier final : public seccomp::Notifier {
 public:
  // How a call goes on: it fails or returns a value, or is executed after all.
  struct Answer {
    int64_t value = 0;  // a negative errno for errors
    bool execute = false;
  };

  // Reports the call of `task` and waits. ENOSYS: nobody listens any more;
  // kRestartSys: a signal came (with `wait_killable`, not once the supervisor
  // has received it).
  Result<Answer> Ask(Task& task, const seccomp_data& data, bool wait_killable);

  // --- The supervisor's ioctls.
  // The oldest report that nobody has received; EAGAIN, ENOENT (nobody is left
  // who could report).
  Result<seccomp_notif> Take();
  // A report that could not be copied out waits again.
  void PutBack(uint64_t id);
  // ENOENT: no such call waits any more, EINPROGRESS: not received, or answered.
  Status Reply(uint64_t id, Answer answer);
  // ENOENT unless the call waits for an answer.
  Status CheckValid(uint64_t id);
  // The task whose call it is; errors as of Reply.
  Result<std::shared_ptr<Task>> Find(uint64_t id);
  PollEvents Poll();
  WaitQueue& wait_queue() { return wait_queue_; }
  // The listener has been closed: calls that wait fail with ENOSYS.
  void Close();
  void FilterGone() override;

 private:
  enum class State { kNew, kReceived, kAnswered };
  struct Report {
    seccomp_notif notification;
    Task* task;
    State state;
    std::optional<Answer> answer;
  };
  Report* FindLocked(uint64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Result<Report*> FindReceivedLocked(uint64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::list<Report*> reports_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool filter_gone_ ABSL_GUARDED_BY(mutex_) = false;
  WaitQueue wait_queue_;
};

// The descriptor's file; closing the last descriptor closes the notifier.
FileRef MakeSeccompListener(Vfs& vfs, Context& context, std::shared_ptr<SeccompNotifier> notifier);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_SECCOMP_NOTIFIER_H_
