// An init that exists, with pid 1, before it has a program: a container that was
// created and not started can have other processes, and its first number is
// taken. It holds init's descriptors, is everybody's reaper, and can be killed;
// no code of the application runs in it.
//
//   TRY_ASSIGN(std::shared_ptr<HeldInit> held, kernel.HoldInit(options));
//   ...StartProcess...
//   TRY(held->Start(options));
#ifndef RUNSC_BOOT_KERNEL_HELD_INIT_H_
#define RUNSC_BOOT_KERNEL_HELD_INIT_H_

#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/task.h"
#include "common/result.h"

namespace runsc::boot {

// Thread-safe.
class HeldInit {
 public:
  explicit HeldInit(std::weak_ptr<Task> task) : task_(std::move(task)) {}

  // Lets it execute `program`; one call at a time, and none after a success. The
  // errors of Kernel::StartInit, after which it waits as before; ESRCH: it has
  // been killed.
  Status Start(ProgramOptions program) ABSL_LOCKS_EXCLUDED(mutex_);

  // --- For the task's own worker.
  std::optional<ProgramOptions> TakeProgram() ABSL_LOCKS_EXCLUDED(mutex_);
  // What has become of the program that was taken.
  void Answer(Status status) ABSL_LOCKS_EXCLUDED(mutex_);
  // By whoever ends the task.
  void End() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const std::weak_ptr<Task> task_;
  absl::Mutex mutex_;  // a leaf
  std::optional<ProgramOptions> program_ ABSL_GUARDED_BY(mutex_);
  std::optional<Status> answer_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_HELD_INIT_H_
