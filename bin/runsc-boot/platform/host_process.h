// A host process of stubs, by its pidfd.
#ifndef RUNSC_BOOT_PLATFORM_HOST_PROCESS_H_
#define RUNSC_BOOT_PLATFORM_HOST_PROCESS_H_

#include <atomic>
#include <csignal>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/platform/platform.h"
#include "common/file_descriptor.h"

namespace runsc::boot::platform {

class StubThread;

class StubProcess : public HostProcess {
 public:
  void Kill() override;
  pid_t host_pid() const override { return host_pid_.load(std::memory_order_acquire); }
  uint64_t UserTimeNs() const override;
  uint64_t TotalTimeNs() const override;

  // The host process exists from now on. One that has been killed before
  // ends at once.
  void Adopt(pid_t host_pid, FileDescriptor pidfd);

  // Ends a process that broke the stub's protocol. Unlike Kill, its threads
  // get OnDeath.
  void KillForMisbehaviour() { Signal(SIGKILL); }
  // The host's signals, for SIGKILL, SIGSTOP and SIGCONT.
  void Signal(int signo);
  bool killed() const { return killed_.load(std::memory_order_acquire); }
  // -1 before Adopt.
  int pidfd();

  pid_t pid() const { return pid_.load(std::memory_order_relaxed); }
  void set_pid(pid_t pid) { pid_.store(pid, std::memory_order_relaxed); }

  // False: the process has ended.
  bool AddThread(std::shared_ptr<StubThread> thread);
  void RemoveThread(const StubThread* thread);
  std::vector<std::shared_ptr<StubThread>> TakeThreads();
  // TakeThreads, and no thread can be added any more.
  std::vector<std::shared_ptr<StubThread>> End();

  // The thread whose exec is under way; at most one. False: there is another.
  bool BeginExec(std::shared_ptr<StubThread> thread);
  std::shared_ptr<StubThread> EndExec();
  std::shared_ptr<StubThread> exec_thread();

 private:
  std::atomic<pid_t> host_pid_ = 0;
  std::atomic<bool> killed_ = false;
  std::atomic<pid_t> pid_ = 0;
  absl::Mutex mutex_;
  FileDescriptor pidfd_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<StubThread>> threads_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<StubThread> exec_thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_HOST_PROCESS_H_
