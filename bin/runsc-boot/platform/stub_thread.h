// An application thread: the state machine between its notifications, its
// stub's handler, and the kernel.
//
// Between events the thread belongs to nobody; from the arrival of an event
// until the call that ends it, the handler's thread owns every field that is
// not atomic.
#ifndef RUNSC_BOOT_PLATFORM_STUB_THREAD_H_
#define RUNSC_BOOT_PLATFORM_STUB_THREAD_H_

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "bin/runsc-boot/platform/address_space.h"
#include "bin/runsc-boot/platform/host_process.h"
#include "bin/runsc-boot/platform/platform.h"
#include "bin/runsc-boot/platform/signal_frame.h"
#include "bin/runsc-boot/platform/worker_pool.h"

namespace runsc::boot::platform {

class NotifyPlatform;

class StubThread : public Thread, public std::enable_shared_from_this<StubThread> {
 public:
  // What the next message from the thread may be.
  enum class Phase {
    kUnborn,      // its clone has been started
    kStarting,    // its first message: kSysEnter, or the request for its region
    kRunning,     // application code: any call, or kSysEnter from a signal
    kEvent,       // an event is being handled: nothing but awaited mail
    kCloning,     // kSysDone
    kExecAsking,  // execveat by the stub, which boot lets pass, or kSysDone
    kExecuting,   // kSysDone (it failed), or the new image maps its region
    kExecuted,    // the new image's kSysEnter
    kExiting,     // exit by the stub, which boot lets pass
    kDead,
  };

  StubThread(NotifyPlatform& platform, std::shared_ptr<ThreadEvents> events)
      : platform_(platform), events_(std::move(events)) {}
  ~StubThread() override;
  StubThread(const StubThread&) = delete;
  StubThread& operator=(const StubThread&) = delete;

  // --- Thread.
  pid_t tid() const override { return tid_.load(std::memory_order_acquire); }
  pid_t host_tid() const override { return host_tid_.load(std::memory_order_acquire); }
  std::shared_ptr<AddressSpace> address_space() const override;
  std::shared_ptr<HostProcess> process() const override { return process_; }
  bool in_stub() const override { return in_stub_; }
  uint64_t CpuTimeNs() const override;
  void Return(int64_t value) override;
  void ContinueOnHost(const SyscallInfo& call) override;
  Status InstallFd(int host_fd, int fd) override;
  Status EnterStub() override;
  Registers& registers() override { return frame_.registers(); }
  FaultCodes fault_codes() const override { return frame_.fault_codes(); }
  std::vector<std::byte> ReadXstate() override;
  Status WriteXstate(std::span<const std::byte> image) override;
  void ResetXstate() override;
  Status RunNative(std::span<NativeCall> calls, bool stop_on_error) override;
  uint64_t Lend(std::span<const std::byte> bytes) override;
  Status TrapCalls(std::span<const uint32_t> numbers, bool all_threads) override;
  Status TrapAllCalls(bool on) override;
  void Resume() override;
  Result<ThreadRef> StartClone(const CloneArgs& args,
                               std::shared_ptr<ThreadEvents> events) override;
  void StartExec() override;
  void ExitThread() override;
  void Interrupt() override;

  // --- For the platform.
  Phase phase() const { return phase_.load(std::memory_order_acquire); }
  void set_phase(Phase phase) { phase_.store(phase, std::memory_order_release); }
  Mailbox& mailbox() { return mailbox_; }
  // The kernel's side; nullptr after DropEvents.
  std::shared_ptr<ThreadEvents> events() const;
  // At the thread's end, since the kernel's side usually refers to the thread.
  void DropEvents();
  const std::shared_ptr<StubProcess>& stub_process() const { return process_; }
  const std::shared_ptr<StubAddressSpace>& space() const { return space_; }

  // Gives the thread its place before it exists on the host.
  void Prepare(std::shared_ptr<StubAddressSpace> space, uint32_t slot);
  void SetProcess(std::shared_ptr<StubProcess> process) { process_ = std::move(process); }
  void SetHostTid(pid_t host_tid) { host_tid_.store(host_tid, std::memory_order_release); }
  void SetTid(pid_t tid) { tid_.store(tid, std::memory_order_release); }
  // Leaves its slot and its address space, at its end or by exec. Only when no
  // handler may still use them.
  void LeaveSpace();

  // Runs the handler for a notification that Route gave back.
  void HandleNotification(const Notification& notification);

  // WillBlock: counts the thread among those parked in notifications, and
  // moves it into the stub when they are many.
  void Park();

 private:
  static constexpr uint32_t kRunningBit = 1;
  static constexpr uint32_t kKickBit = 2;

  void HandleEnter(ThreadEvents& events, const Notification& notification);
  void HandleForkStart(ThreadEvents& events, const Notification& notification);
  void HandleSignal(ThreadEvents& events, const Notification& notification);
  void HandleDone(ThreadEvents& events, const Notification& notification);
  void HandleTrap(ThreadEvents& events);
  // The event that ends a call which ContinueOnHost began in the stub.
  void HandleHostCall(ThreadEvents& events);
  // One native call that must succeed.
  Status RunOne(uint64_t number, std::array<uint64_t, 6> args);
  // Reads the frame of a kSysEnter; in stub afterwards. EFAULT: forged.
  Status TakeFrame(const Notification& notification);
  void BeginEvent(const Notification& notification);
  // Sends the process away that does not keep to the protocol.
  void Misbehaved(const char* what);

  // The child's frame, in its slot, as it will start.
  void PrepareChildFrame(StubThread& child, const CloneArgs& args);
  // Gives the waiting stub its next Op.
  void PostOp(stub::Op op);
  // What has been done to this is seen by whoever handles its next event; the
  // order is the host's, and told once more to the language.
  void Publish();
  // PostOp, then the stub's next message. ESRCH: gone.
  Result<Notification> PostAndWait(stub::Op op);
  // From now on the thread may run; sends the kick first that came meanwhile.
  void BecomeRunning();
  void Uncount();
  Status EnsureNotified();
  Status RunBatch(std::span<NativeCall> calls, bool stop_on_error, size_t& done);
  void Kick();

  NotifyPlatform& platform_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<ThreadEvents> events_ ABSL_GUARDED_BY(mutex_);
  std::atomic<Phase> phase_ = Phase::kUnborn;
  std::atomic<uint32_t> run_state_ = 0;
  std::atomic<pid_t> tid_ = 0;
  std::atomic<pid_t> host_tid_ = 0;
  Mailbox mailbox_;

  std::shared_ptr<StubProcess> process_;
  // Written by the owner with the mutex held; others read it with the mutex.
  std::shared_ptr<StubAddressSpace> space_;
  uint32_t slot_index_ = 0;
  bool has_slot_ = false;
  Slot slot_;

  bool in_stub_ = false;
  // The notification that waits for an answer; 0 when the thread sleeps in
  // kOpPark (or runs).
  uint64_t notification_ = 0;
  uint32_t park_value_ = 0;
  // It waits for its region, and will find its next Op in its Control.
  bool awaits_region_ = false;
  // Counted among the platform's parked notifications.
  bool counted_ = false;
  SyscallInfo call_;
  // The host executes call_, called from the stub's image.
  bool host_call_ = false;
  bool host_call_steps_ = false;  // with the trap flag set afterwards
  SignalFrame frame_;
  uint64_t loaded_fs_base_ = 0, loaded_gs_base_ = 0;

  // The clone under way.
  std::shared_ptr<StubThread> child_;
  std::optional<uint32_t> fork_stack_;
  uint32_t clone_token_ = 0;
};

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_STUB_THREAD_H_
