#include "bin/runsc-boot/platform/stub_thread.h"

#include <elf.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/platform/notify_platform.h"
#include "bin/runsc-boot/platform/stub/stub_image.h"
#include "bin/runsc-boot/platform/stub_filter.h"
#include "bin/runsc-boot/platform/stub_message.h"
#include "common/log.h"

namespace runsc::boot::platform {
namespace {

// The host scans its list of parked notifications for each new one: beyond so
// many, a blocked thread sleeps in its stub.
constexpr int kMaxParkedNotifications = 16;

constexpr uint64_t kTrapFlag = 0x100;

// Of the instruction in the stub that makes calls for the application.
uint64_t HostCallAddress() {
  static const uint64_t address = [] {
    Elf64_Ehdr header;
    std::memcpy(&header, stub::Image().data(), sizeof header);
    return header.e_entry - stub::kHostCallSize;
  }();
  return address;
}

}  // namespace

StubThread::~StubThread() { LeaveSpace(); }

std::shared_ptr<AddressSpace> StubThread::address_space() const {
  absl::MutexLock lock(&mutex_);
  return space_;
}

std::shared_ptr<ThreadEvents> StubThread::events() const {
  absl::MutexLock lock(&mutex_);
  return events_;
}

void StubThread::DropEvents() {
  std::shared_ptr<ThreadEvents> dropped;
  absl::MutexLock lock(&mutex_);
  dropped.swap(events_);
}

void StubThread::Prepare(std::shared_ptr<StubAddressSpace> space, uint32_t slot) {
  absl::MutexLock lock(&mutex_);
  space_ = std::move(space);
  slot_index_ = slot;
  slot_ = space_->slot(slot);
  has_slot_ = true;
}

void StubThread::LeaveSpace() {
  if (space_ == nullptr) return;
  space_->RemoveThread(host_tid());
  if (has_slot_) space_->FreeSlot(slot_index_);
  has_slot_ = false;
}

uint64_t StubThread::CpuTimeNs() const {
  // The host's clocks of threads are only for their own process.
  std::ifstream file(absl::StrCat("/proc/", host_tid(), "/schedstat"));
  uint64_t run_ns = 0;
  return file >> run_ns ? run_ns : 0;
}

void StubThread::Misbehaved(const char* what) {
  LOG_DEBUG("platform: thread ", tid(), " breaks the stub's protocol: ", what);
  if (process_ != nullptr) process_->KillForMisbehaviour();
}

// --- Events.

void StubThread::BeginEvent(const Notification& notification) {
  notification_ = notification.id;
  run_state_.store(0, std::memory_order_release);
  set_phase(Phase::kEvent);
}

void StubThread::HandleNotification(const Notification& notification) {
  (void)run_state_.load(std::memory_order_acquire);
  std::shared_ptr<ThreadEvents> events = this->events();
  if (events == nullptr) return;
  if (IsFromStub(notification)) {
    if (notification.call.number == stub::kSysEnter) return HandleEnter(*events, notification);
    if (notification.call.number == stub::kSysDone) return HandleDone(*events, notification);
    if (phase() == Phase::kStarting) return HandleForkStart(*events, notification);
    if (host_call_ && phase() == Phase::kRunning && notification.call.number == call_.number &&
        notification.call.args == call_.args) {
      // The kernel has allowed it already.
      platform_.listener().Continue(notification.id);
      return;
    }
  }
  if (phase() != Phase::kRunning) return Misbehaved("a call at the wrong time");
  BeginEvent(notification);
  in_stub_ = false;
  call_ = notification.call;
  events->OnSyscall(*this, call_);
}

Status StubThread::TakeFrame(const Notification& notification) {
  TRY_ASSIGN(frame_, SignalFrame::Read(slot_, notification.call.args[0]));
  loaded_fs_base_ = notification.call.args[3];
  frame_.registers().fs_base = loaded_fs_base_;
  loaded_gs_base_ = *const_cast<volatile uint64_t*>(&slot_.control()->entered_gs_base);
  frame_.registers().gs_base = loaded_gs_base_;
  notification_ = notification.id;
  in_stub_ = true;
  return Ok();
}

void StubThread::HandleEnter(ThreadEvents& events, const Notification& notification) {
  Phase before = phase();
  uint64_t signal = notification.call.args[1];
  bool expected = before == Phase::kRunning || (before == Phase::kStarting && signal == 0) ||
                  (before == Phase::kExecuted && signal == SIGSYS);
  if (!expected) return Misbehaved("a report at the wrong time");
  if (!TakeFrame(notification)) return Misbehaved("a forged signal frame");
  if (before == Phase::kStarting) {
    slot_.control()->token = 0;
    pid_t tid = platform_.ResolveTid(host_tid(), notification.call.args[5]);
    pid_t known = this->tid();
    if (tid <= 0 || (known != 0 && known != tid)) return Misbehaved("a forged thread id");
    SetTid(tid);
    if (process_->host_pid() == host_tid()) process_->set_pid(tid);
    BeginEvent(notification);
    return events.OnStart(*this);
  }
  if (before == Phase::kExecuted) {
    space_->SetVdsoBase(notification.call.args[5]);
    BeginEvent(notification);
    return events.OnExec(*this, Ok());
  }
  BeginEvent(notification);
  HandleSignal(events, notification);
}

void StubThread::HandleForkStart(ThreadEvents& events, const Notification& notification) {
  if (notification.call.number != SYS_mmap) return Misbehaved("not its region");
  pid_t tid = platform_.ResolveTid(host_tid(), 0);
  pid_t known = this->tid();
  if (tid <= 0 || (known != 0 && known != tid)) return Misbehaved("a forged thread id");
  SetTid(tid);
  process_->set_pid(tid);
  BeginEvent(notification);
  in_stub_ = true;
  awaits_region_ = true;
  events.OnStart(*this);
}

void StubThread::HandleSignal(ThreadEvents& events, const Notification& notification) {
  uint64_t signal = notification.call.args[1];
  if (host_call_) return HandleHostCall(events);
  switch (signal) {
    case SIGSYS:
      return HandleTrap(events);
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP: {
      Result<siginfo_t> info = ReadSiginfo(slot_, notification.call.args[2]);
      if (!info) return Misbehaved("a forged siginfo");
      // The number decides who is called: not the application's to choose.
      info->si_signo = static_cast<int>(signal);
      return events.OnFault(*this, *info);
    }
    case stub::kKickSignal:
      return events.OnInterrupt(*this);
    default:
      return Misbehaved("an unknown signal");
  }
}

void StubThread::HandleTrap(ThreadEvents& events) {
  const Registers& r = registers();
  call_.number = static_cast<uint32_t>(r.rax);
  call_.args = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
  call_.instruction_pointer = r.rip;
  events.OnSyscall(*this, call_);
}

void StubThread::HandleHostCall(ThreadEvents& events) {
  host_call_ = false;
  Registers& r = registers();
  std::optional<int64_t> value;
  if (r.rip != HostCallAddress()) value = static_cast<int64_t>(r.rax);
  r.rip = r.rcx = call_.instruction_pointer;
  if (host_call_steps_) r.eflags |= kTrapFlag;
  const SyscallInfo call = call_;
  events.OnHostCall(*this, call, value);
}

void StubThread::HandleDone(ThreadEvents& events, const Notification& notification) {
  auto value = static_cast<int64_t>(notification.call.args[0]);
  bool failed = value < 0 && value >= -4095;
  Phase before = phase();
  if (before == Phase::kCloning) {
    BeginEvent(notification);
    if (fork_stack_) space_->FreeForkStack(*std::exchange(fork_stack_, std::nullopt));
    std::shared_ptr<StubThread> child = std::exchange(child_, nullptr);
    if (failed) {
      if (platform_.ForgetChild(clone_token_)) {
        child->LeaveSpace();
        child->DropEvents();
      }
      return events.OnCloned(*this, Error(static_cast<int>(-value)));
    }
    pid_t known = child->tid();
    auto tid = static_cast<pid_t>(value);
    if (tid <= 0 || (known != 0 && known != tid)) return Misbehaved("a forged child");
    if (known == 0) child->SetTid(tid);
    return events.OnCloned(*this, tid);
  }
  if (before == Phase::kExecAsking || before == Phase::kExecuting) {
    process_->EndExec();
    BeginEvent(notification);
    return events.OnExec(*this, Error(failed ? static_cast<int>(-value) : EIO));
  }
  Misbehaved("a result at the wrong time");
}

// --- Messages to the stub.

void StubThread::Publish() { run_state_.fetch_or(0, std::memory_order_release); }

void StubThread::PostOp(stub::Op op) {
  const bool awaits_region = std::exchange(awaits_region_, false);
  const uint64_t id = std::exchange(notification_, 0);
  const uint32_t wake = park_value_ + 1;
  Publish();
  if (awaits_region) {
    __atomic_store_n(&slot_.control()->op, op, __ATOMIC_RELEASE);
    Status installed = platform_.listener().InstallFd(id, space_->region_fd(), stub::kRegionFd);
    space_->CloseRegionFd();
    if (!installed) return process_->KillForMisbehaviour();
    platform_.listener().Continue(id);
    return;
  }
  if (id != 0) {
    platform_.listener().Answer(id, op);
    return;
  }
  stub::Control* control = slot_.control();
  __atomic_store_n(&control->op, op, __ATOMIC_RELAXED);
  __atomic_store_n(&control->wake, wake, __ATOMIC_RELEASE);
  syscall(SYS_futex, &control->wake, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

Result<Notification> StubThread::PostAndWait(stub::Op op) {
  platform_.pool().Arm(mailbox_);
  PostOp(op);
  return platform_.pool().WaitFor(mailbox_);
}

void StubThread::Uncount() {
  if (!counted_) return;
  counted_ = false;
  platform_.parked().fetch_sub(1, std::memory_order_relaxed);
}

void StubThread::BecomeRunning() {
  Uncount();
  in_stub_ = false;
  set_phase(Phase::kRunning);
  uint32_t before = run_state_.exchange(kRunningBit, std::memory_order_acq_rel);
  if (before & kKickBit) Kick();
}

void StubThread::Kick() {
  syscall(SYS_tgkill, process_->host_pid(), host_tid(), stub::kKickSignal);
}

void StubThread::Interrupt() {
  uint32_t before = run_state_.fetch_or(kKickBit, std::memory_order_acq_rel);
  if (before & kRunningBit) Kick();
}

void StubThread::Return(int64_t value) {
  if (in_stub_) {
    registers().rax = static_cast<uint64_t>(value);
    return Resume();
  }
  uint64_t id = std::exchange(notification_, 0);
  BecomeRunning();
  platform_.listener().Answer(id, value);
}

void StubThread::ContinueOnHost(const SyscallInfo& call) {
  if (in_stub_) {
    // By the stub's instruction, but as the application: what interrupts the
    // application interrupts the call.
    call_ = call;
    host_call_ = true;
    Registers& r = registers();
    r.rax = call.number;
    std::tie(r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9) = std::tuple_cat(call.args);
    r.rip = HostCallAddress();
    host_call_steps_ = (r.eflags & kTrapFlag) != 0;
    r.eflags &= ~kTrapFlag;
    return Resume();
  }
  uint64_t id = std::exchange(notification_, 0);
  BecomeRunning();
  platform_.listener().Continue(id);
}

void StubThread::Resume() {
  frame_.WriteBack(slot_);
  if (frame_.registers().fs_base != loaded_fs_base_) {
    slot_.control()->fs_base = frame_.registers().fs_base;
    slot_.control()->set_fs_base = 1;
  }
  if (frame_.registers().gs_base != loaded_gs_base_) {
    slot_.control()->gs_base = frame_.registers().gs_base;
    slot_.control()->set_gs_base = 1;
  }
  BecomeRunning();
  PostOp(stub::kOpResume);
}

Status StubThread::EnsureNotified() {
  if (notification_ != 0 && !awaits_region_) return Ok();
  TRY_ASSIGN(Notification notification, PostAndWait(stub::kOpRenotify));
  if (!IsFromStub(notification) || notification.call.number != stub::kSysDone) {
    Misbehaved("no answer");
    return Error(ESRCH);
  }
  notification_ = notification.id;
  return Ok();
}

Status StubThread::InstallFd(int host_fd, int fd) {
  TRY(EnsureNotified());
  return platform_.listener().InstallFd(notification_, host_fd, fd);
}

Status StubThread::EnterStub() {
  if (in_stub_) return Ok();
  Uncount();
  run_state_.fetch_and(~kKickBit, std::memory_order_acq_rel);
  platform_.pool().Arm(mailbox_);
  // The signal before the answer: then the handler runs before any further
  // instruction of the application.
  Kick();
  platform_.listener().Answer(std::exchange(notification_, 0), 0);
  TRY_ASSIGN(Notification notification, platform_.pool().WaitFor(mailbox_));
  if (!IsFromStub(notification) || notification.call.number != stub::kSysEnter ||
      notification.call.args[1] != stub::kKickSignal || !TakeFrame(notification)) {
    Misbehaved("not the awaited report");
    return Error(ESRCH);
  }
  // Hosts before 6.18 may restart the call instead of taking the answer.
  registers().rip = call_.instruction_pointer;
  return Ok();
}

void StubThread::Park() {
  if (counted_ || notification_ == 0) return;
  counted_ = true;
  int parked = platform_.parked().fetch_add(1, std::memory_order_relaxed) + 1;
  if (parked <= kMaxParkedNotifications) return;
  Uncount();
  if (!EnterStub()) return;
  stub::Control* control = slot_.control();
  park_value_ += 2;
  control->park_value = park_value_;
  __atomic_store_n(&control->wake, park_value_, __ATOMIC_RELEASE);
  PostOp(stub::kOpPark);
}

// --- In stub.

std::vector<std::byte> StubThread::ReadXstate() { return frame_.ReadXstate(slot_); }
Status StubThread::WriteXstate(std::span<const std::byte> image) {
  return frame_.WriteXstate(slot_, image);
}
void StubThread::ResetXstate() { frame_.ResetXstate(slot_); }

Status StubThread::RunNative(std::span<platform::NativeCall> calls, bool stop_on_error) {
  while (!calls.empty()) {
    size_t count = std::min<size_t>(calls.size(), stub::kMaxCalls);
    size_t done = 0;
    TRY(RunBatch(calls.first(count), stop_on_error, done));
    if (done < count) break;
    int64_t last = calls[count - 1].result;
    if (stop_on_error && last < 0 && last >= -4095) break;
    calls = calls.subspan(count);
  }
  return Ok();
}

Status StubThread::RunBatch(std::span<platform::NativeCall> calls, bool stop_on_error,
                            size_t& done) {
  stub::Control* control = slot_.control();
  for (size_t i = 0; i < calls.size(); ++i) {
    control->calls[i].number = calls[i].number;
    std::copy(calls[i].args.begin(), calls[i].args.end(), control->calls[i].args);
  }
  control->call_count = static_cast<uint32_t>(calls.size());
  control->stop_on_error = stop_on_error;
  Result<Notification> message = PostAndWait(stub::kOpNative);
  for (;;) {
    if (!message) return std::move(message).error();
    if (!IsFromStub(*message)) break;
    if (message->call.number == stub::kSysDone) {
      notification_ = message->id;
      done = std::min<size_t>(message->call.args[0], calls.size());
      for (size_t i = 0; i < done; ++i) {
        calls[i].result = *const_cast<volatile int64_t*>(&control->calls[i].result);
      }
      return Ok();
    }
    // A call that the filter reports: only what has been asked for may pass.
    bool asked = std::any_of(calls.begin(), calls.end(), [&](const platform::NativeCall& call) {
      return call.number == message->call.number && call.args == message->call.args;
    });
    if (!asked) break;
    platform_.pool().Arm(mailbox_);
    platform_.listener().Continue(message->id);
    message = platform_.pool().WaitFor(mailbox_);
  }
  Misbehaved("a call of its own");
  return Error(ESRCH);
}

Status StubThread::RunOne(uint64_t number, std::array<uint64_t, 6> args) {
  platform::NativeCall call{number, args, 0};
  TRY(RunNative({&call, 1}, true));
  if (call.result < 0 && call.result >= -4095) return Error(static_cast<int>(-call.result));
  return call.result == 0 ? Ok() : Status(Error(ESRCH));
}

uint64_t StubThread::Lend(std::span<const std::byte> bytes) {
  stub::Control* control = slot_.control();
  std::memcpy(control->lent, bytes.data(), std::min(bytes.size(), sizeof control->lent));
  return slot_.address + offsetof(stub::Control, lent);
}

Status StubThread::TrapCalls(std::span<const uint32_t> numbers, bool all_threads) {
  TRY_ASSIGN(std::vector<sock_filter> filter, BuildTrapFilter(numbers));
  struct {
    uint16_t length;
    uint64_t filter;
  } program{static_cast<uint16_t>(filter.size()), 0};
  stub::Control* control = slot_.control();
  const size_t size = filter.size() * sizeof(sock_filter);
  if (sizeof program + size > sizeof control->fast_path) return Error(E2BIG);
  const uint64_t address = slot_.address + offsetof(stub::Control, fast_path);
  program.filter = address + sizeof program;
  std::memcpy(control->fast_path, &program, sizeof program);
  std::memcpy(control->fast_path + sizeof program, filter.data(), size);
  const uint64_t flags = all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0;
  return RunOne(SYS_seccomp, {SECCOMP_SET_MODE_FILTER, flags, address, 0, 0, 0});
}

Status StubThread::TrapAllCalls(bool on) {
  if (!on)
    return RunOne(SYS_prctl, {PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0, 0});
  return RunOne(SYS_prctl, {PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, stub::kImageBase,
                            stub::kImageSize, 0, 0});
}

void StubThread::PrepareChildFrame(StubThread& child, const CloneArgs& args) {
  child.frame_ = frame_.CopyTo(slot_, child.slot_);
  Registers& registers = child.frame_.registers();
  registers.rax = 0;
  if (args.stack != 0) registers.rsp = args.stack;
  child.loaded_fs_base_ = args.flags & CLONE_SETTLS ? args.tls : loaded_fs_base_;
  registers.fs_base = child.loaded_fs_base_;
  child.loaded_gs_base_ = registers.gs_base = loaded_gs_base_;
  child.frame_.WriteBack(child.slot_);
}

Result<ThreadRef> StubThread::StartClone(const CloneArgs& args,
                                         std::shared_ptr<ThreadEvents> events) {
  if (!IsPermittedClone(args.flags)) return Error(EINVAL);
  auto child = std::make_shared<StubThread>(platform_, std::move(events));
  child->SetProcess(args.flags & CLONE_THREAD ? process_ : std::make_shared<StubProcess>());
  uint64_t child_stack = 0;
  if (args.flags & CLONE_VM) {
    TRY_ASSIGN(uint32_t slot, space_->AllocateSlot());
    child->Prepare(space_, slot);
  } else {
    TRY_ASSIGN(std::shared_ptr<StubAddressSpace> space, StubAddressSpace::Create());
    TRY_ASSIGN(uint32_t slot, space->AllocateSlot());
    space->ReadFromUntilStarted(space_);
    child->Prepare(std::move(space), slot);
    TRY_ASSIGN(fork_stack_, space_->AllocateForkStack());
    child_stack = stub::kForkStackBase + (*fork_stack_ + 1) * stub::kForkStackSize;
  }
  PrepareChildFrame(*child, args);
  clone_token_ = platform_.ExpectChild(child, process_, args.flags);
  child_ = child;
  uint64_t context = child->frame_.context_address();
  if (args.flags & CLONE_VM) {
    // Below its own frame.
    child_stack = (context - 256) & ~uint64_t{15};
    child->slot_.control()->token = clone_token_;
  }
  slot_.control()->clone = {args.flags, args.stack, args.parent_tid, args.child_tid,
                            args.tls,   context,    child_stack,     clone_token_};
  Uncount();
  set_phase(Phase::kCloning);
  child->Publish();
  PostOp(stub::kOpClone);
  return ThreadRef(std::move(child));
}

void StubThread::StartExec() {
  if (!process_->BeginExec(shared_from_this())) {
    if (std::shared_ptr<ThreadEvents> events = this->events()) {
      events->OnExec(*this, Error(EAGAIN));
    }
    return;
  }
  Uncount();
  set_phase(Phase::kExecAsking);
  PostOp(stub::kOpExec);
}

void StubThread::ExitThread() {
  Uncount();
  if (!in_stub_ && call_.number == SYS_exit) {
    uint64_t id = std::exchange(notification_, 0);
    set_phase(Phase::kDead);
    platform_.Remove(shared_from_this());
    platform_.listener().Continue(id);
    return;
  }
  if (!EnterStub()) return;
  set_phase(Phase::kExiting);
  PostOp(stub::kOpExit);
}

}  // namespace runsc::boot::platform
