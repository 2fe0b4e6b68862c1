// The ends of tasks: exit(2), exit_group(2), being killed.
#include "bin/runsc-boot/kernel/held_init.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/kernel/task.h"

namespace runsc::boot {

void Task::ExitGroup(int status) {
  // The others end for good with the container's init; its own end is seen first.
  if (IsTraced() && tgid() == 1) Tracee::BeforeExit(*this, status, /*stops=*/true);
  group_->BeginExit(status);
  FinishKilled();
}

void Task::Exit(int status) {
  if (IsTraced()) Tracee::BeforeExit(*this, status, /*stops=*/!killed());
  bool last = false;
  {
    absl::MutexLock lock(&group_->signal_mutex_);
    last = group_->tasks_.size() <= 1;
  }
  // Without exit_group(2), a process ends with the status of its last thread
  // (the leader's before Linux 6.0).
  if (last) {
    group_->BeginExit(status);
    return FinishKilled();
  }
  const platform::ThreadRef thread = thread_;
  // The kernel's side first: who joins this thread must not find it any more.
  FinishKilled();
  thread->ExitThread();
}

void Task::Kill(Death death) {
  bool owned = false;
  {
    absl::MutexLock lock(&state_mutex_);
    work_.fetch_or(kKilled);
    // A parent waiting in vfork(2) cannot be brought in, and runs no code either.
    const bool comes_in = death == Death::kComesIn && where_ != Where::kVfork;
    if (comes_in && where_ == Where::kApplication && !dead_) thread_->Interrupt();
    if (!comes_in && !dead_ && where_ != Where::kKernel) owned = dead_ = true;
  }
  if (owned) return Terminate();
  if (IsTraced()) Tracee::EndLastStop(*this);
  Wake();
}

void Task::FinishKilled() {
  if (IsTraced()) {
    int status = 0;
    bool stops = false;
    {
      absl::MutexLock lock(&group_->signal_mutex_);
      // By exec of a sibling: as Linux, with 0.
      status = group_->exit_status_;
      stops = !group_->exiting_ || group_->keeps_host_;
    }
    Tracee::BeforeExit(*this, status, stops);
  }
  {
    absl::MutexLock lock(&state_mutex_);
    if (dead_) return;
    dead_ = true;
    work_.fetch_or(kKilled);
  }
  Terminate();
}

void Task::Terminate() {
  if (held_init_ != nullptr) held_init_->End();
  Tracee::ReleaseVforkParent(*this);
  std::shared_ptr<FdTable> fds;
  std::shared_ptr<FsContext> fs;
  {
    absl::MutexLock lock(&state_mutex_);
    fds.swap(fds_);
    fs.swap(fs_);
  }
  // Tables that /proc looks at this moment are closed when it has looked.
  if (fds != nullptr && fds.use_count() == 1) {
    for (const FileRef& file : fds->RemoveAll()) (void)file->Flush(*this).ok();
  }
  fds.reset();
  fs.reset();
  std::shared_ptr<MemoryManager> memory;
  platform::ThreadRef thread;
  std::shared_ptr<const seccomp::Filter> filter;
  {
    absl::MutexLock lock(&state_mutex_);
    memory.swap(memory_);
    thread.swap(thread_);
    filter_.store(nullptr);
    filter.swap(filter_ref_);
  }
  group_->ended_io_.Add(io_);
  if (memory != nullptr) group_->dumpable_at_end_.store(memory->dumpable());
  LeaveIpc();
  // Who waits for this process may write its program (ETXTBSY).
  LoseMemory(std::move(memory));
  group_->LeaveHost(*this);
  kernel_.Unregister(*this);
}

}  // namespace runsc::boot
