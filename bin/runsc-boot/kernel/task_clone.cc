// clone(2): new threads and processes.
#include <sched.h>
#include <sys/syscall.h>

#include "bin/runsc-boot/ipc_sysv/semaphores.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/pidfd.h"
#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/seccomp/filter.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kNumbers = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID;
constexpr uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME;
constexpr uint64_t kHostThread =
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
constexpr uint64_t kPassedOn =
    CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;

Status CheckFlags(const CloneRequest& request, bool is_init) {
  const uint64_t flags = request.flags;
  auto has = [flags](uint64_t bits) { return (flags & bits) != 0; };
  if (has(CLONE_THREAD) && !has(CLONE_SIGHAND)) return Error(EINVAL);
  if (has(CLONE_SIGHAND) && !has(CLONE_VM)) return Error(EINVAL);
  if (has(CLONE_SIGHAND) && has(kCloneClearSighand)) return Error(EINVAL);
  if (has(CLONE_NEWNS | CLONE_NEWUSER) && has(CLONE_FS)) return Error(EINVAL);
  if (has(CLONE_NEWUSER | CLONE_NEWPID) && has(CLONE_THREAD)) return Error(EINVAL);
  if (has(CLONE_NEWIPC) && has(CLONE_SYSVSEM)) return Error(EINVAL);
  if (has(CLONE_PARENT) && is_init) return Error(EINVAL);
  return Ok();
}

// `nested`: the child has other numbers than the host's.
uint64_t HostFlags(uint64_t flags, bool nested) {
  uint64_t host = SIGCHLD;
  if ((flags & CLONE_THREAD) != 0) {
    host = kHostThread;
  } else {
    host |= flags & (CLONE_VM | CLONE_VFORK);
  }
  // CLONE_PIDFD has the address of CLONE_PARENT_SETTID, and is the kernel's.
  return host | (flags & (nested ? kPassedOn & ~kNumbers : kPassedOn));
}

// ENOMEM as Linux: the pid namespace has lost its init.
Status CheckPidNamespace(const Task& parent, uint64_t flags, const PidNamespace& pids) {
  if ((flags & CLONE_THREAD) != 0) {
    const PidNamespace* own = parent.pid_namespace();
    if (pids.is_initial() ? own != nullptr : own != &pids) return Error(EINVAL);
  } else if (!pids.is_initial() && pids.closed()) {
    return Error(ENOMEM);
  }
  return Ok();
}

}  // namespace

TaskRef Task::MakeChild(const CloneRequest& request, NewNamespaces namespaces) {
  const bool thread = (request.flags & CLONE_THREAD) != 0;
  ThreadGroupRef group = thread ? group_ : ThreadGroup::Fork(*group_, request);
  if (!thread) {
    const PidNamespaceRef& pids = namespaces.set->pid_for_children;
    if (!pids->is_initial()) group->pid_namespace_ = pids;
    group->birth_parent_ = group_;
    group->parent_task_ = this;
    if ((request.flags & CLONE_PARENT) != 0) {
      absl::MutexLock lock(&kernel_.tree_mutex());
      if (group_->parent_ != nullptr) group->birth_parent_ = group_->parent_->shared_from_this();
      group->parent_task_ = group_->parent_task_;
      group->exit_signal_ = group_->exit_signal_;
    }
  }
  auto child = std::make_shared<Task>(Key(), kernel_, std::move(group));
  child->memory_ = memory_;
  child->fds_ = (request.flags & CLONE_FILES) != 0 ? fds_ : fds_->Clone();
  child->fs_ = (request.flags & CLONE_FS) != 0 ? fs_ : fs_->Clone();
  if (namespaces.mounts) child->fs_->UnshareMounts(namespaces.owner);
  if (child->group_->pid_namespace_ != nullptr) {
    if ((request.flags & CLONE_CHILD_SETTID) != 0)
      child->start_writes_.child_tid = request.child_tid;
    if (thread && (request.flags & CLONE_PARENT_SETTID) != 0) {
      child->start_writes_.parent_tid = request.parent_tid;
    }
  }
  {
    const CredentialsRef credentials =
        namespaces.credentials != nullptr ? namespaces.credentials : this->credentials();
    const std::string name = this->name();
    Scheduling scheduling = this->scheduling().ForChild();
    std::shared_ptr<sysv::SemaphoreUndo> undo;
    if ((request.flags & CLONE_SYSVSEM) != 0) {
      undo = semaphore_undo();
      undo->Join();
    }
    absl::MutexLock lock(&child->state_mutex_);
    child->credentials_ = credentials;
    child->namespaces_ =
        (request.flags & CLONE_VM) != 0 ? namespaces.set : WithNewMemory(namespaces.set);
    child->semaphore_undo_ = undo;
    child->name_ = name;
    child->scheduling_ = std::move(scheduling);
  }
  child->SetFilter(seccomp_filter());
  child->trapped_calls_.store(trapped_calls_.load());
  child->mask_ = saved_mask_.value_or(mask_);
  if ((request.flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM) {
    child->alternate_stack_ = alternate_stack_;
  }
  child->timer_slack_ns_.store(timer_slack_ns_.load());
  child->default_timer_slack_ns_ = timer_slack_ns_.load();
  child->personality_.store(personality_.load());
  child->keep_capabilities_.store(keep_capabilities_.load());
  return child;
}

Result<int> Task::InstallPidFd(const CloneRequest& request, const Task& child) {
  if ((request.flags & CLONE_PIDFD) == 0) return -1;
  FileRef file = MakePidFd(child.group_ref(), 0);
  TRY_ASSIGN(const int fd, fds_->Install(std::move(file), /*close_on_exec=*/true,
                                         group_->limit(RLIMIT_NOFILE).rlim_cur));
  if (Status copied = CopyOutObject(request.pidfd, fd); !copied.ok()) {
    (void)fds_->Remove(fd).ok();
    return std::move(copied).error();
  }
  return fd;
}

Result<uint64_t> Task::Clone(const CloneRequest& request) {
  TRY(CheckFlags(request, group_->is_init()));
  NewNamespaces namespaces;
  if ((request.flags & kNamespaces) != 0) {
    TRY_ASSIGN(namespaces, MakeNamespaces(request.flags & kNamespaces));
  }
  if (namespaces.set == nullptr) namespaces.set = this->namespaces();
  const PidNamespaceRef pids = namespaces.set->pid_for_children;
  TRY(CheckPidNamespace(*this, request.flags, *pids));
  std::unique_ptr<ReservedPids> reserved;
  if (!request.chosen_pids.empty()) {
    TRY_ASSIGN(reserved, ReservedPids::Reserve(pids, request.chosen_pids, *credentials()));
  }
  // As Linux: a signal comes first, so that a child never misses it.
  if (HasWork()) return Error(kRestartNoIntr);
  if (!kernel_.MayMakeTask(*this)) return Error(EAGAIN);
  if (!pids->is_initial()) {
    // The host knows the child by other numbers than it shall see.
    TRY(TrapNativeCalls(seccomp::NativeCallsOf({SYS_getpid, SYS_gettid}), false));
  }
  const TaskRef child = MakeChild(request, std::move(namespaces));
  child->reserved_pids_ = std::move(reserved);
  TRY_ASSIGN(clone_pidfd_, InstallPidFd(request, *child));
  clone_child_ = child;
  platform::CloneArgs args;
  const bool nested = child->group_->pid_namespace_ != nullptr;
  clone_parent_tid_ = nested && (request.flags & CLONE_PARENT_SETTID) != 0 ? request.parent_tid : 0;
  args.flags =
      HostFlags(IsTraced() ? Tracee::PrepareClone(*this, child, request) : request.flags, nested);
  args.stack = request.stack;
  args.parent_tid = request.parent_tid;
  args.child_tid = request.child_tid;
  args.tls = request.tls;
  Status failure;
  {
    absl::MutexLock lock(&state_mutex_);
    // The child's first event waits until it has its thread.
    absl::MutexLock child_lock(&child->state_mutex_);
    if (!killed()) {
      where_ = (args.flags & CLONE_VFORK) != 0 ? Where::kVfork : Where::kHostOperation;
      Result<platform::ThreadRef> started = thread_->StartClone(args, child);
      if (started.ok()) {
        child->thread_ = *std::move(started);
        // Now, not at the child's start: what the parent does in between is its
        // own.
        if ((request.flags & CLONE_VM) == 0) {
          child->memory_ = memory_->CloneFor(child->thread_->address_space());
        }
        // The end may already be under way on another worker.
        return EndHandled();
      }
      where_ = Where::kKernel;
      failure = std::move(started).error();
    } else {
      failure = Error(kRestartNoIntr);
    }
  }
  clone_child_.reset();
  if (clone_pidfd_ >= 0) (void)fds_->Remove(clone_pidfd_).ok();
  return std::move(failure).error();
}

void Task::OnCloned(platform::Thread& thread, Result<pid_t> child_tid) {
  const TaskRef self = shared_from_this();
  if (!BeginEvent()) return;
  const TaskRef child = std::move(clone_child_);
  clone_child_.reset();
  if (child_tid.ok()) {
    // Whether the child lives on is found out at its first event.
    (void)kernel_.Register(child, *child_tid);
    if (memory_->has_attachments() && child->memory_ref() != memory_) {
      for (const auto& attached : memory_->attachments()) attached->OnFork(tgid());
    }
    const pid_t shown = FromKernelPid(*child_tid);
    thread.registers().rax = static_cast<uint64_t>(shown != 0 ? shown : *child_tid);
    if (clone_parent_tid_ != 0) (void)CopyOutObject(clone_parent_tid_, shown).ok();
  } else {
    if (clone_pidfd_ >= 0) (void)fds_->Remove(clone_pidfd_).ok();
    thread.registers().rax = static_cast<uint64_t>(-static_cast<int64_t>(child_tid.code()));
  }
  if (IsTraced()) return Tracee::AfterClone(*this, thread, child);
  LeaveStub(thread);
}

void Task::OnStart(platform::Thread& thread) {
  const TaskRef self = shared_from_this();
  if (!BeginEvent()) return EndHostThread(thread);
  {
    absl::MutexLock lock(&group_->signal_mutex_);
    if (group_->process_ == nullptr) group_->process_ = thread.process();
  }
  if (!kernel_.Register(self, thread.tid())) {
    FinishKilled();
    return EndHostThread(thread);
  }
  if (const PidNamespaceRef& space = group_->pid_namespace_; space != nullptr) {
    // Its init may have ended since the parent looked.
    if (space->closed()) return ExitGroup(SIGKILL);
    for (uint64_t address : {start_writes_.parent_tid, start_writes_.child_tid}) {
      if (address != 0) (void)CopyOutObject(address, shown_tid()).ok();
    }
  }
  // Linux cannot fail here, so there is no error to return.
  if (!FollowClocks(*namespaces()->time).ok()) return ExitGroup(SIGKILL);
  CatchUpWithSeccomp();
  FollowAffinity();
  if (IsTraced()) Tracee::OnStart(*this);
  LeaveStub(thread);
}

void Task::EndHostThread(platform::Thread& thread) {
  bool group_ends = false;
  {
    absl::MutexLock lock(&group_->signal_mutex_);
    group_ends = group_->exiting_ && !group_->keeps_host_;
  }
  if (group_ends) {
    thread.process()->Kill();
  } else {
    thread.ExitThread();
  }
}

}  // namespace runsc::boot
