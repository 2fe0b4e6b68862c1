#include "bin/runsc-boot/kernel/async_io.h"

#include <sys/epoll.h>

#include <utility>
#include <vector>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/thread_group.h"

namespace runsc::boot {

namespace {

constexpr PollEvents kIn = EPOLLIN | EPOLLRDNORM;
constexpr PollEvents kOut = EPOLLOUT | EPOLLWRNORM;

// Sending may end other tasks on the spot: SIGKILL, and fatal signals that one
// of several threads waits for.
bool MayEndAtOnce(const Task& target, int signo) {
  if (signo == SIGKILL) return true;
  const DefaultAction action = DefaultActionOf(signo);
  if (action != DefaultAction::kTerminate && action != DefaultAction::kCore) return false;
  return target.group().action(signo).handler == 0 && target.group().task_count() > 1;
}

}  // namespace

std::shared_ptr<AsyncIo> AsyncIo::Of(Kernel& kernel, File& file) {
  return std::static_pointer_cast<AsyncIo>(
      file.MakeAsync([&kernel] { return std::make_shared<AsyncIo>(kernel); }));
}

std::shared_ptr<AsyncIo> AsyncIo::Existing(const File& file) {
  return std::static_pointer_cast<AsyncIo>(file.async());
}

Status AsyncIo::SetOwner(const Task& caller, const f_owner_ex& who) {
  Owner owner;
  owner.who = who;
  const CredentialsRef credentials = caller.credentials();
  owner.uid = credentials->ruid;
  owner.euid = credentials->euid;
  if (who.pid != 0) {
    const TaskRef task = kernel_.FindTask(who.pid);
    const ThreadGroupRef group = kernel_.FindGroup(who.pid);
    // Any id that is in use will do, as on Linux.
    const bool exists =
        task != nullptr || group != nullptr || !kernel_.ProcessGroupMembers(who.pid).empty();
    if (!exists) return Error(ESRCH);
    owner.task = task;
    owner.group = group;
  }
  absl::MutexLock lock(&owner_mutex_);
  std::swap(owner_, owner);
  return Ok();
}

f_owner_ex AsyncIo::owner() const {
  Owner owner;
  {
    absl::MutexLock lock(&owner_mutex_);
    owner = owner_;
  }
  bool there = false;
  switch (owner.who.type) {
    case F_OWNER_TID: {
      const TaskRef task = owner.task.lock();
      there = task != nullptr && kernel_.FindTask(owner.who.pid) == task;
      break;
    }
    case F_OWNER_PID: {
      const ThreadGroupRef group = owner.group.lock();
      there = group != nullptr && kernel_.FindGroup(owner.who.pid) == group;
      break;
    }
    default:
      there = !kernel_.ProcessGroupMembers(owner.who.pid).empty();
      break;
  }
  if (!there) owner.who.pid = 0;
  return owner.who;
}

void AsyncIo::set_signal(int signo) {
  absl::MutexLock lock(&owner_mutex_);
  signal_ = signo;
}

int AsyncIo::signal() const {
  absl::MutexLock lock(&owner_mutex_);
  return signal_;
}

void AsyncIo::Enable(File& file, int fd) {
  WaitQueue* queue = file.wait_queue();
  if (queue == nullptr) return;
  PollEvents wanted = 0;
  if (file.readable()) wanted |= kIn | EPOLLPRI;
  if (file.writable()) wanted |= kOut;
  const InodeRef& inode = file.inode();
  const bool socket = inode != nullptr && S_ISSOCK(inode->Type());
  absl::MutexLock lock(&entry_mutex_);
  entry_.emplace(wanted, [this, wanted, socket, fd](PollEvents events) {
    if (const std::optional<Reason> reason = ReasonFor(events, wanted, socket)) Tell(*reason, fd);
  });
  queue->Register(*entry_);
}

void AsyncIo::Disable() {
  absl::MutexLock lock(&entry_mutex_);
  entry_.reset();
}

std::optional<AsyncIo::Reason> AsyncIo::ReasonFor(PollEvents events, PollEvents wanted,
                                                  bool socket) {
  constexpr Reason kHangUp = {POLL_HUP, EPOLLHUP | EPOLLERR};
  if (socket && (events & EPOLLHUP) != 0) {
    // Both directions say so; one is enough.
    return (events & kIn) != 0 ? std::optional<Reason>(kHangUp) : std::nullopt;
  }
  const PollEvents seen = events & wanted;
  if ((seen & kIn) != 0) return Reason{POLL_IN, kIn};
  if ((seen & kOut) != 0) return Reason{POLL_OUT, kOut | EPOLLWRBAND};
  if ((seen & EPOLLPRI) != 0) return Reason{POLL_PRI, EPOLLPRI | EPOLLRDBAND};
  if ((events & (kIn | kOut)) != 0) return std::nullopt;
  if ((events & EPOLLHUP) != 0) return kHangUp;
  if ((events & EPOLLERR) != 0) return Reason{POLL_ERR, EPOLLERR};
  return std::nullopt;
}

// With a signal of its own choice the owner learns which descriptor it was; a
// full queue falls back to SIGIO.
void AsyncIo::Send(const Owner& owner, LateSignals::Signal signal) {
  const CredentialsRef target = signal.target->credentials();
  const bool may = owner.euid == 0 || owner.euid == target->suid || owner.euid == target->ruid ||
                   owner.uid == target->suid || owner.uid == target->ruid;
  if (!may || SendAllowed(signal).ok()) return;
  signal.info = MakeSigInfo(SIGIO, SI_KERNEL);
  (void)SendAllowed(signal).ok();
}

Status AsyncIo::SendAllowed(const LateSignals::Signal& signal) {
  if (!MayEndAtOnce(*signal.target, signal.info.si_signo)) return signal.Send();
  kernel_.late_signals().Add(signal);
  return Ok();
}

void AsyncIo::NotifyOf(const Task& caller, File& directory, const FdTable& table, int fd,
                       uint32_t events) {
  static constexpr Reason kMessage = {POLL_MSG, kIn | EPOLLMSG};
  const std::shared_ptr<AsyncIo> async = Of(caller.kernel(), directory);
  if (async->owner().pid == 0) (void)async->SetOwner(caller, {F_OWNER_PID, caller.tgid()}).ok();
  // Nothing of the kernel may be asked under the locks that the event has.
  LateSignals& late = caller.kernel().late_signals();
  const auto notify = [&late, weak = std::weak_ptr<AsyncIo>(async)](int number) {
    late.Add([weak, number] {
      if (const std::shared_ptr<AsyncIo> there = weak.lock()) there->Tell(kMessage, number);
    });
  };
  async->directory_notify_.Add(directory.inode(), table, fd, events, notify);
}

void AsyncIo::Tell(Reason reason, int fd) {
  Owner owner;
  int signo;
  {
    absl::MutexLock lock(&owner_mutex_);
    owner = owner_;
    signo = signal_;
  }
  if (owner.who.pid == 0) return;
  SigInfo info = MakeSigInfo(SIGIO, SI_KERNEL);
  if (signo != 0) {
    info = SigInfo{};
    info.si_signo = signo;
    info.si_code = reason.code;
    info.si_band = reason.band;
    info.si_fd = fd;
  }
  if (owner.who.type == F_OWNER_TID) {
    if (TaskRef task = owner.task.lock()) Send(owner, {std::move(task), info, /*to_task=*/true});
    return;
  }
  std::vector<ThreadGroupRef> groups;
  if (owner.who.type == F_OWNER_PGRP) {
    groups = kernel_.ProcessGroupMembers(owner.who.pid);
  } else if (ThreadGroupRef group = owner.group.lock()) {
    groups.push_back(std::move(group));
  }
  for (const ThreadGroupRef& group : groups) {
    if (TaskRef leader = group->leader()) Send(owner, {std::move(leader), info, /*to_task=*/false});
  }
}

}  // namespace runsc::boot
