#include "bin/runsc-boot/kernel/held_init.h"

#include <utility>

namespace runsc::boot {

Status HeldInit::Start(ProgramOptions program) {
  const TaskRef task = task_.lock();
  if (task == nullptr) return Error(ESRCH, "init has ended");
  {
    absl::MutexLock lock(&mutex_);
    answer_.reset();
    program_ = std::move(program);
  }
  task->Wake();
  absl::MutexLock lock(&mutex_);
  auto decided = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return answer_.has_value() || ended_;
  };
  mutex_.Await(absl::Condition(&decided));
  return answer_.has_value() ? *answer_ : Status(Error(ESRCH, "init has ended"));
}

std::optional<ProgramOptions> HeldInit::TakeProgram() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(program_, std::nullopt);
}

void HeldInit::Answer(Status status) {
  absl::MutexLock lock(&mutex_);
  answer_ = std::move(status);
}

void HeldInit::End() {
  absl::MutexLock lock(&mutex_);
  ended_ = true;
}

// --- The task's side.

bool Task::AwaitProgram() {
  while (!killed()) {
    std::optional<ProgramOptions> program = held_init_->TakeProgram();
    if (!program.has_value()) {
      (void)SleepUninterruptibly();
      continue;
    }
    Status given = Kernel::GiveProgram(*this, *std::move(program));
    const bool has_program = given.ok();
    held_init_->Answer(std::move(given));
    if (has_program) return true;
  }
  return false;
}

}  // namespace runsc::boot
