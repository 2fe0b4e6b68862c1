// The least kernel that runs static programs on a platform, for tests and
// benchmarks of the platform alone. Guests are trusted not to exceed it.
#ifndef RUNSC_BOOT_PLATFORM_TESTING_TEST_KERNEL_H_
#define RUNSC_BOOT_PLATFORM_TESTING_TEST_KERNEL_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/platform/platform.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot::platform::testing {

class TestKernel;

struct SignalAction {
  uint64_t handler = 0;
  uint64_t flags = 0;
  uint64_t restorer = 0;
  uint64_t mask = 0;
};

// What the threads of a process share.
struct ProcessState {
  pid_t pid = 0;
  std::map<int, SignalAction> actions;
};

class Task : public ThreadEvents, public std::enable_shared_from_this<Task> {
 public:
  Task(TestKernel& kernel, std::shared_ptr<ProcessState> process)
      : kernel_(kernel), process_(std::move(process)) {}

  void OnSyscall(Thread& thread, const SyscallInfo& call) override;
  void OnFault(Thread& thread, const siginfo_t& info) override;
  void OnHostCall(Thread& thread, const SyscallInfo& call, std::optional<int64_t> value) override;
  void OnInterrupt(Thread& thread) override;
  void OnStart(Thread& thread) override;
  void OnCloned(Thread& thread, Result<pid_t> child_tid) override;
  void OnExec(Thread& thread, Status status) override;
  void OnDeath(Thread& thread) override;

  std::atomic<int> pending_signal = 0;
  std::vector<std::string> arguments;
  // Set before another task can name this one; the kernel's mutex guards it.
  ThreadRef thread;

 private:
  friend class TestKernel;
  void Clone(Thread& thread, const CloneArgs& args);
  bool LoadProgram(Thread& thread);
  void DeliverSignal(Thread& thread, int signal);
  void Exit(Thread& thread, int status, bool group);

  TestKernel& kernel_;
  std::shared_ptr<ProcessState> process_;
  // The child whose clone is under way.
  std::shared_ptr<Task> child_;
  std::vector<std::pair<Registers, std::vector<std::byte>>> saved_;
};

// System calls of the guests' own, beside some of Linux's.
inline constexpr uint64_t kSysNothing = 1000;  // returns its first argument + 1
inline constexpr uint64_t kSysInStub = 1001;   // the same, by the stub
inline constexpr uint64_t kSysBlock = 1002;    // blocks until kSysRelease
inline constexpr uint64_t kSysRelease = 1003;  // returns how many were blocked
inline constexpr uint64_t kSysBlocked = 1004;  // how many are blocked
inline constexpr uint64_t kSysSignal = 1005;   // (tid, signal)
inline constexpr uint64_t kSysNative = 1006;   // runs (number, args 0..3) by RunNative
inline constexpr uint64_t kSysKill = 1007;     // (pid): kills the host process
inline constexpr uint64_t kSysFaults = 1008;   // faults are skipped by `a` bytes

inline constexpr uint64_t kSysWork = 1009;  // keeps its worker busy for `a` ns

class TestKernel {
 public:
  explicit TestKernel(std::string program, Platform::Options options = {});
  ~TestKernel();

  // Runs the program with `arguments`; its exit status, 128 + signal for a
  // fault, 1000 for an unexpected death, 1001 for a timeout.
  int Run(std::vector<std::string> arguments);
  // The same in pieces.
  Status Start(std::vector<std::string> arguments);
  int Wait();

  Platform& platform() { return *platform_; }
  std::string output();
  int deaths() const { return deaths_; }
  // nullptr: none of that id.
  ThreadRef FindThread(pid_t tid);

 private:
  friend class Task;
  void Finish(int status);
  void Forget(pid_t tid);
  std::shared_ptr<Task> Find(pid_t tid);
  int WaitChild(Thread& thread, pid_t pid, bool no_hang, int& status);

  const std::string program_;
  FileDescriptor program_fd_;
  Platform::Options options_;
  std::unique_ptr<Platform> platform_;
  std::atomic<int> deaths_ = 0;
  std::atomic<int> fault_skip_ = 0;

  absl::Mutex mutex_;
  absl::CondVar changed_;
  int status_ ABSL_GUARDED_BY(mutex_) = -1;
  std::string output_ ABSL_GUARDED_BY(mutex_);
  std::map<pid_t, std::shared_ptr<Task>> tasks_ ABSL_GUARDED_BY(mutex_);
  std::map<pid_t, int> zombies_ ABSL_GUARDED_BY(mutex_);
  int blocked_ ABSL_GUARDED_BY(mutex_) = 0;
  int generation_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace runsc::boot::platform::testing

#endif  // RUNSC_BOOT_PLATFORM_TESTING_TEST_KERNEL_H_
