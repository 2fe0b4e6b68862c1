// timerfd_create(2): a timer that can be waited for.
#ifndef RUNSC_BOOT_FS_TIMERFD_TIMERFD_H_
#define RUNSC_BOOT_FS_TIMERFD_TIMERFD_H_

#include <ctime>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/timer.h"
#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

class TimerFile final : public File {
 public:
  // EINVAL: an unknown clock or flag. `flags` of TFD_NONBLOCK.
  static Result<std::shared_ptr<TimerFile>> Make(Vfs& vfs, Context& context, TimerQueue& timers,
                                                 int clock, int flags);
  TimerFile(Path path, int flags, TimerQueue& timers, int clock);

  // Alarm clocks count as the clocks that they go by.
  clockid_t clock() const { return clock_; }
  // timerfd_settime(2): the old setting. An absolute time is on the host's clock.
  // EINVAL.
  Result<itimerspec> Set(int flags, const itimerspec& value);
  itimerspec Get();

  Result<size_t> Read(Context& context, IoBuffer& destination) override;
  Result<size_t> Write(Context&, IoBuffer&) override { return Error(EINVAL); }
  // As Linux: there is no position, and no error either.
  Result<uint64_t> Seek(Context&, int64_t, int) override { return 0; }
  PollEvents Poll() override;
  WaitQueue* wait_queue() override { return &wait_queue_; }
  std::string Describe() const override { return "anon_inode:[timerfd]"; }
  std::string FdInfo() const override;

 private:
  int64_t ClockNow() const;
  // Counts what has expired by now and moves the deadline on.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ArmLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  itimerspec GetLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int clock_;
  mutable absl::Mutex mutex_;
  int64_t deadline_ns_ ABSL_GUARDED_BY(mutex_) = 0;  // of the clock; 0: disarmed
  int64_t interval_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  int settime_flags_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t expirations_ ABSL_GUARDED_BY(mutex_) = 0;  // since the last read
  WaitQueue wait_queue_;
  Timer timer_;  // last, so that it ends first
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_TIMERFD_TIMERFD_H_
