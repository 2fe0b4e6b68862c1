// wait4(2) and waitid(2).
#include <sys/epoll.h>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/ptrace.h"

namespace runsc::boot {

namespace {

timeval ToTimeval(uint64_t ns) {
  return {static_cast<time_t>(ns / 1'000'000'000),
          static_cast<suseconds_t>(ns % 1'000'000'000 / 1000)};
}

rusage ToRusage(const Usage& usage) {
  rusage result{};
  result.ru_utime = ToTimeval(usage.user_ns);
  result.ru_stime = ToTimeval(usage.system_ns);
  result.ru_maxrss = static_cast<long>(usage.max_rss_kib);
  result.ru_minflt = static_cast<long>(usage.minor_faults);
  result.ru_majflt = static_cast<long>(usage.major_faults);
  return result;
}

}  // namespace

std::optional<ChildEvent> Kernel::TakeEventOf(const ThreadGroup& parent, ThreadGroup& child,
                                              int options) {
  ChildEvent event;
  // Now, since the child's numbers go with it.
  event.pid = FromKernelPid(parent.pid_namespace_.get(), child.pid());
  event.uid = child.leader_->credentials()->ruid;
  const bool consume = (options & WNOWAIT) == 0;
  if (child.life_.load() == ThreadGroup::Life::kZombie) {
    if ((options & WEXITED) == 0) return std::nullopt;
    Usage usage;
    {
      absl::MutexLock lock(&child.signal_mutex_);
      event.wait_status = child.exit_status_;
      usage = child.final_usage_;
    }
    usage.Add(child.children_usage_);
    event.usage = ToRusage(usage);
    const bool killed = WIFSIGNALED(event.wait_status);
    event.code = killed ? CLD_KILLED : CLD_EXITED;
    event.status = killed ? WTERMSIG(event.wait_status) : WEXITSTATUS(event.wait_status);
    if (consume) Reap(child);
    return event;
  }
  if ((options & WSTOPPED) != 0 && child.stop_report_ != 0) {
    event.code = CLD_STOPPED;
    event.status = child.stop_report_;
    event.wait_status = W_STOPCODE(child.stop_report_);
    if (consume) child.stop_report_ = 0;
    return event;
  }
  if ((options & WCONTINUED) != 0 && child.continue_report_) {
    event.code = CLD_CONTINUED;
    event.status = SIGCONT;
    event.wait_status = __W_CONTINUED;
    if (consume) child.continue_report_ = false;
    return event;
  }
  return std::nullopt;
}

std::optional<ChildEvent> Kernel::TakeChildEvent(Task& waiter, const WaitRequest& request,
                                                 bool* found_any) {
  ThreadGroup& parent = waiter.group();
  absl::MutexLock lock(&tree_mutex_);
  *found_any = false;
  for (const ThreadGroupRef& child : parent.children_) {
    const bool selected =
        request.type == P_ALL || (request.type == P_PID && child->pid() == request.id) ||
        (request.type == P_PGID && child->process_group_ != nullptr &&
         child->process_group_->id == (request.id == 0 ? parent.process_group_->id : request.id));
    if (!selected) continue;
    if ((request.options & __WNOTHREAD) != 0 && child->parent_task_ != &waiter) continue;
    const bool is_clone = child->exit_signal_ != SIGCHLD;
    const bool wants_clones = (request.options & __WCLONE) != 0;
    if ((request.options & __WALL) == 0 && is_clone != wants_clones) continue;
    *found_any = true;
    if (!tracees_.empty() && Tracee::IsHidden(*this, *child, parent)) continue;
    const ThreadGroupRef keep = child;
    if (auto event = TakeEventOf(parent, *keep, request.options); event.has_value()) return event;
  }
  return std::nullopt;
}

Result<std::optional<ChildEvent>> Task::WaitChild(const WaitRequest& request) {
  constexpr int kKnown =
      WNOHANG | WEXITED | WSTOPPED | WCONTINUED | WNOWAIT | __WALL | __WCLONE | __WNOTHREAD;
  if ((request.options & ~kKnown) != 0 ||
      (request.options & (WEXITED | WSTOPPED | WCONTINUED)) == 0) {
    return Error(EINVAL);
  }
  std::optional<WaitEntry> entry;
  Status slept = Ok();
  while (true) {
    bool found_any = false;
    std::optional<ChildEvent> event = kernel_.TakeChildEvent(*this, request, &found_any);
    if (!event.has_value()) event = Tracee::TakeEvent(kernel_, *this, request, &found_any);
    if (event.has_value()) return event;
    if (!found_any) return Error(ECHILD);
    if ((request.options & WNOHANG) != 0) return std::optional<ChildEvent>();
    // A child that ended is reported even if its signal has arrived as well.
    if (!slept.ok()) return std::move(slept).error();
    if (!entry.has_value()) {
      entry.emplace(EPOLLIN, static_cast<Waker&>(*this));
      group_->child_queue_.Register(*entry);
      continue;
    }
    slept = Sleep(std::nullopt);
  }
}

}  // namespace runsc::boot
