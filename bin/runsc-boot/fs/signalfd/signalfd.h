// signalfd(2): pending signals as something to read and to wait for.
#ifndef RUNSC_BOOT_FS_SIGNALFD_SIGNALFD_H_
#define RUNSC_BOOT_FS_SIGNALFD_SIGNALFD_H_

#include <atomic>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/kernel/thread_group.h"
#include "bin/runsc-boot/vfs/file.h"

namespace runsc::boot {

// Reads take signals of the task that reads, and wait for them. Readiness is that
// of the task that asks; where nobody does, that of the process that made the
// file.
class SignalFile final : public File {
 public:
  SignalFile(Path path, int flags, ThreadGroupRef owner, SignalSet mask);
  static FileRef Make(Task& task, SignalSet mask, int flags);

  void set_mask(SignalSet mask);

  Result<size_t> Read(Context& context, IoBuffer& destination) override;
  Result<size_t> Write(Context&, IoBuffer&) override { return Error(EINVAL); }
  PollEvents Poll() override;
  PollEvents PollBy(Context& context) override;
  WaitQueue* wait_queue() override { return &queue_; }
  std::string Describe() const override { return "anon_inode:[signalfd]"; }
  std::string FdInfo() const override;

 private:
  // A process whose signals are passed on to whoever waits here.
  struct Reader {
    const ThreadGroup* key;
    std::weak_ptr<ThreadGroup> group;
    std::unique_ptr<WaitEntry> entry;
  };

  void Follow(ThreadGroup& group) ABSL_LOCKS_EXCLUDED(mutex_);

  const ThreadGroupRef owner_;
  std::atomic<SignalSet> mask_;
  WaitQueue queue_;
  absl::Mutex mutex_;
  std::vector<Reader> readers_ ABSL_GUARDED_BY(mutex_);  // after queue_, which they notify
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_SIGNALFD_SIGNALFD_H_
