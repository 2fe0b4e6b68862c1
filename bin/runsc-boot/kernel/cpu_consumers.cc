#include "bin/runsc-boot/kernel/cpu_consumers.h"

#include <vector>

#include "bin/runsc-boot/kernel/thread_group.h"

namespace runsc::boot {

CpuConsumers::Accounts CpuConsumers::Look(const std::vector<TaskRef>& tasks) const {
  Accounts accounts;
  for (const TaskRef& task : tasks) {
    const platform::ThreadRef thread = task->thread_ref();
    if (thread == nullptr) continue;
    Account& account = accounts[task->tid()];
    if (auto found = accounts_.find(task->tid()); found != accounts_.end()) account = found->second;
    const auto now = static_cast<int64_t>(thread->CpuTimeNs());
    account.credit_ns += now - account.seen_ns;
    account.seen_ns = now;
  }
  return accounts;
}

void CpuConsumers::Begin() {
  const std::vector<TaskRef> tasks = group_.tasks();
  absl::MutexLock lock(&mutex_);
  accounts_.clear();
  picked_ = 0;
  if (tasks.size() < 2) return;
  accounts_ = Look(tasks);
  for (auto& [tid, account] : accounts_) account.credit_ns = 0;
}

TaskRef CpuConsumers::Pick() {
  const std::vector<TaskRef> tasks = group_.tasks();
  if (tasks.size() < 2) return nullptr;
  absl::MutexLock lock(&mutex_);
  const Accounts before = accounts_;
  accounts_ = Look(tasks);
  int64_t consumed = 0;
  Account* most = nullptr;
  for (auto& [tid, account] : accounts_) {
    const auto old = before.find(tid);
    const int64_t ran = account.seen_ns - (old == before.end() ? 0 : old->second.seen_ns);
    consumed += ran;
    // Who slept all the time is not to be woken for old credit.
    if (ran == 0 || (most != nullptr && account.credit_ns <= most->credit_ns)) continue;
    most = &account;
    picked_ = tid;
  }
  // The host counts at its ticks: within one, nobody has run yet, and who did
  // before is the best guess.
  if (most != nullptr) most->credit_ns -= consumed;
  for (const TaskRef& task : tasks) {
    if (task->tid() == picked_) return task;
  }
  return nullptr;
}

}  // namespace runsc::boot
