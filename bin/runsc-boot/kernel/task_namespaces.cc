// The namespaces of tasks: clone(2) and unshare(2) of CLONE_NEW*, setns(2).
#include <sched.h>
#include <sys/syscall.h>

#include <algorithm>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/loader/vdso.h"
#include "bin/runsc-boot/namespaces/ipc_namespace.h"
#include "bin/runsc-boot/namespaces/net_namespace.h"
#include "bin/runsc-boot/seccomp/filter.h"

namespace runsc::boot {

namespace {

// In a part of the tree only: there, a namespace of one's own would lead out.
bool IsChrooted(const FsContext& fs) {
  const std::shared_ptr<MountNamespace> mounts = fs.mounts();
  const MountRef top = mounts->root();
  return !(fs.root() == mounts->Descend({top, top->root()}));
}

}  // namespace

NamespaceSetRef Task::namespaces() const {
  absl::MutexLock lock(&state_mutex_);
  return namespaces_;
}

void Task::set_namespaces(NamespaceSetRef set) {
  absl::MutexLock lock(&state_mutex_);
  namespaces_.swap(set);
}

const PidNamespace* Task::pid_namespace() const { return group_->pid_namespace().get(); }

pid_t Task::shown_tid() const {
  return pid_namespace() == nullptr ? tid() : shown_tid_.load(std::memory_order_relaxed);
}

pid_t Task::shown_tgid() const { return group_->shown_pid(); }

TaskRef Task::FindTask(pid_t pid) {
  const pid_t number = ToKernelPid(pid);
  return number == 0 ? nullptr : kernel_.FindTask(number);
}

ThreadGroupRef Task::FindGroup(pid_t pid) {
  const pid_t number = ToKernelPid(pid);
  return number == 0 ? nullptr : kernel_.FindGroup(number);
}

Result<Task::NewNamespaces> Task::MakeNamespaces(uint64_t flags) {
  NewNamespaces made;
  CredentialsRef credentials = this->credentials();
  if ((flags & CLONE_NEWUSER) != 0) {
    if (IsChrooted(*fs_)) return Error(EPERM);
    TRY_ASSIGN(UserNamespaceRef inside, UserNamespace::Make(*credentials));
    credentials =
        std::make_shared<const Credentials>(CredentialsInside(*credentials, std::move(inside)));
    made.credentials = credentials;
  }
  made.owner = credentials->user_namespace;
  if ((flags & ~uint64_t{CLONE_NEWUSER}) == 0) return made;
  if (!credentials->Has(CAP_SYS_ADMIN)) return Error(EPERM);
  made.mounts = (flags & CLONE_NEWNS) != 0;
  const NamespaceSetRef old = namespaces();
  auto set = std::make_shared<NamespaceSet>(*old);
  if ((flags & CLONE_NEWUTS) != 0) {
    set->uts = std::make_shared<UtsNamespace>(made.owner, *old->uts);
  }
  if ((flags & CLONE_NEWIPC) != 0) {
    set->ipc = std::make_shared<IpcNamespace>(made.owner, *old->ipc);
  }
  if ((flags & CLONE_NEWPID) != 0) {
    // Once only, until there is a child.
    const PidNamespaceRef& next = old->pid_for_children;
    if (next->is_initial() ? pid_namespace() != nullptr : pid_namespace() != next.get()) {
      return Error(EINVAL);
    }
    TRY_ASSIGN(set->pid_for_children, PidNamespace::Make(made.owner, next));
  }
  if ((flags & CLONE_NEWCGROUP) != 0) set->cgroup = std::make_shared<CgroupNamespace>(made.owner);
  if ((flags & CLONE_NEWNET) != 0) set->net = std::make_shared<NetNamespace>(made.owner);
  if ((flags & CLONE_NEWTIME) != 0) {
    set->time_for_children = std::make_shared<TimeNamespace>(made.owner, *old->time_for_children);
  }
  made.set = std::move(set);
  return made;
}

bool Task::SharesMemory() {
  for (const ThreadGroupRef& group : kernel_.Groups()) {
    if (group == group_) continue;
    const std::vector<TaskRef> tasks = group->tasks();
    if (std::any_of(tasks.begin(), tasks.end(),
                    [this](const TaskRef& task) { return task->memory_ref() == memory_; })) {
      return true;
    }
  }
  return false;
}

Status Task::FollowClocks(const TimeNamespace& time) {
  if (!time.HasOffsets()) return Ok();
  // Those that return a time, or wait for an absolute one.
  constexpr uint32_t kFutexWaitv = 449, kFutexWait = 455;
  TRY(TrapNativeCalls(
      seccomp::NativeCallsOf({SYS_clock_gettime, SYS_futex, kFutexWaitv, kFutexWait}), false));
  TRY(thread_->EnterStub());
  return MakeVdsoClockACall(*thread_);
}

Status Task::UnshareNamespaces(uint64_t flags) {
  TRY_ASSIGN(NewNamespaces made, MakeNamespaces(flags));
  if (made.mounts) {
    std::shared_ptr<FsContext> fs = fs_->Clone();
    fs->UnshareMounts(made.owner);
    set_fs(std::move(fs));
  } else if ((flags & CLONE_NEWUSER) != 0) {
    // So that a root directory is not shared with who has other rights.
    set_fs(fs_->Clone());
  }
  if ((flags & CLONE_NEWIPC) != 0) LeaveIpc();
  if (made.set != nullptr) set_namespaces(std::move(made.set));
  if (made.credentials != nullptr) {
    set_credentials(*made.credentials);
    set_keep_capabilities(false);
  }
  return Ok();
}

// What setns(2) changes, so that several namespaces are entered all or none.
struct Task::Entry {
  CredentialsRef own;     // of the caller, against which all is checked
  UserNamespaceRef user;  // where its credentials will be; null: no change
  std::shared_ptr<NamespaceSet> set;
  std::shared_ptr<MountNamespace> mounts;

  const UserNamespace& home() const { return user != nullptr ? *user : *own->user_namespace; }
};

Status Task::Enter(const NamespaceRef& target, Entry& entry) {
  const Credentials& own = *entry.own;
  const bool shares_fs = fs_.use_count() > 1;
  switch (target->kind()) {
    case NamespaceKind::kUser: {
      auto user = std::static_pointer_cast<UserNamespace>(target);
      if (user == own.user_namespace) return Error(EINVAL);
      if (group_->task_count() > 1 || shares_fs) return Error(EINVAL);
      if (!own.HasIn(*user, CAP_SYS_ADMIN)) return Error(EPERM);
      entry.user = std::move(user);
      return Ok();
    }
    case NamespaceKind::kMount:
      if (!own.HasIn(*target->owner(), CAP_SYS_ADMIN) || !own.HasIn(entry.home(), CAP_SYS_CHROOT) ||
          !own.HasIn(entry.home(), CAP_SYS_ADMIN)) {
        return Error(EPERM);
      }
      if (shares_fs) return Error(EINVAL);
      entry.mounts = std::static_pointer_cast<MountNamespace>(target);
      return Ok();
    default:
      break;
  }
  if (!own.HasIn(*target->owner(), CAP_SYS_ADMIN) || !own.HasIn(entry.home(), CAP_SYS_ADMIN)) {
    return Error(EPERM);
  }
  NamespaceSet& set = *entry.set;
  switch (target->kind()) {
    case NamespaceKind::kUts:
      set.uts = std::static_pointer_cast<UtsNamespace>(target);
      return Ok();
    case NamespaceKind::kIpc:
      set.ipc = std::static_pointer_cast<IpcNamespace>(target);
      return Ok();
    case NamespaceKind::kNet:
      set.net = std::static_pointer_cast<NetNamespace>(target);
      return Ok();
    case NamespaceKind::kCgroup:
      set.cgroup = std::static_pointer_cast<CgroupNamespace>(target);
      return Ok();
    case NamespaceKind::kTime:
      if (group_->task_count() > 1 || SharesMemory()) return Error(EUSERS);
      set.time = set.time_for_children = std::static_pointer_cast<TimeNamespace>(target);
      return Ok();
    case NamespaceKind::kPid: {
      auto pids = std::static_pointer_cast<PidNamespace>(target);
      // Only down, so that a process is visible wherever its parent is.
      if (pid_namespace() != nullptr && !pid_namespace()->IsAncestorOf(*pids)) {
        return Error(EINVAL);
      }
      set.pid_for_children = std::move(pids);
      return Ok();
    }
    default:
      return Error(EINVAL);
  }
}

Status Task::Commit(Entry entry) {
  if (entry.set->time != namespaces()->time) {
    entry.set->time->Freeze();
    TRY(FollowClocks(*entry.set->time));
  }
  if (entry.mounts != nullptr) {
    std::shared_ptr<FsContext> fs = fs_->Clone();
    fs->EnterMounts(std::move(entry.mounts));
    set_fs(std::move(fs));
  }
  if (entry.set->ipc != namespaces()->ipc) LeaveIpc();
  set_namespaces(std::move(entry.set));
  if (entry.user != nullptr) {
    set_credentials(CredentialsInside(*entry.own, std::move(entry.user)));
    set_keep_capabilities(false);
  }
  return Ok();
}

Status Task::EnterNamespace(const NamespaceRef& target) {
  Entry entry{credentials(), nullptr, std::make_shared<NamespaceSet>(*namespaces()), nullptr};
  TRY(Enter(target, entry));
  return Commit(std::move(entry));
}

Status Task::EnterNamespacesOf(Task& target, uint64_t flags) {
  const std::shared_ptr<FsContext> fs = target.fs_ref();
  const NamespaceSetRef theirs = target.namespaces();
  if (fs == nullptr) return Error(ESRCH);
  Entry entry{credentials(), nullptr, std::make_shared<NamespaceSet>(*namespaces()), nullptr};
  // A process in the first pid namespace has none of its own to show.
  NamespaceRef pids = target.group().pid_namespace();
  if (pids == nullptr) pids = kernel_.namespaces()->pid_for_children;
  // The user namespace first: the others are looked at from there.
  const std::pair<int, NamespaceRef> candidates[] = {
      {CLONE_NEWUSER, target.credentials()->user_namespace},
      {CLONE_NEWNS, fs->mounts()},
      {CLONE_NEWUTS, theirs->uts},
      {CLONE_NEWIPC, theirs->ipc},
      {CLONE_NEWPID, std::move(pids)},
      {CLONE_NEWCGROUP, theirs->cgroup},
      {CLONE_NEWNET, theirs->net},
      {CLONE_NEWTIME, theirs->time},
  };
  for (const auto& [flag, space] : candidates) {
    if ((flags & static_cast<uint64_t>(flag)) != 0) TRY(Enter(space, entry));
  }
  return Commit(std::move(entry));
}

}  // namespace runsc::boot
