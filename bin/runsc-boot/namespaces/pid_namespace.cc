#include "bin/runsc-boot/namespaces/pid_namespace.h"

#include <linux/capability.h>

#include "bin/runsc-boot/auth/user_namespace.h"

namespace runsc::boot {

namespace {

// As /proc/sys/kernel/pid_max of a small machine; numbers start again behind
// those that a boot would have used.
constexpr pid_t kMaxPid = 32768;
constexpr pid_t kFirstReused = 300;
// What may be chosen: below Linux's PID_MAX_LIMIT.
constexpr pid_t kPidLimit = 1 << 22;

}  // namespace

PidNamespace::PidNamespace(UserNamespaceRef owner, PidNamespaceRef parent)
    : Namespace(NamespaceKind::kPid, std::move(owner)),
      parent_(std::move(parent)),
      level_(parent_->level_ + 1) {}

Result<PidNamespaceRef> PidNamespace::Make(UserNamespaceRef owner, PidNamespaceRef parent) {
  if (parent->owner() != nullptr && !parent->owner()->IsAncestorOf(*owner)) return Error(EINVAL);
  if (parent->level_ >= kMaxLevel) return Error(ENOSPC);
  return PidNamespaceRef(new PidNamespace(std::move(owner), std::move(parent)));
}

bool PidNamespace::IsAncestorOf(const PidNamespace& other) const {
  for (const PidNamespace* up = &other; up != nullptr; up = up->parent_.get()) {
    if (up == this) return true;
  }
  return false;
}

pid_t PidNamespace::ToKernel(pid_t pid) const {
  if (is_initial()) return pid;
  absl::MutexLock lock(&mutex_);
  auto found = to_kernel_.find(pid);
  return found == to_kernel_.end() ? 0 : found->second;
}

pid_t PidNamespace::FromKernel(pid_t pid) const {
  if (is_initial()) return pid;
  absl::MutexLock lock(&mutex_);
  auto found = from_kernel_.find(pid);
  return found == from_kernel_.end() ? 0 : found->second;
}

void PidNamespace::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

bool PidNamespace::closed() const {
  absl::MutexLock lock(&mutex_);
  return closed_;
}

pid_t PidNamespace::last() const {
  absl::MutexLock lock(&mutex_);
  return last_;
}

pid_t PidNamespace::Add(pid_t kernel_pid) {
  absl::MutexLock lock(&mutex_);
  // The host has no more processes for us than there are numbers here.
  do {
    last_ = last_ >= kMaxPid - 1 ? kFirstReused : last_ + 1;
  } while (to_kernel_.contains(last_));
  to_kernel_[last_] = kernel_pid;
  from_kernel_[kernel_pid] = last_;
  return last_;
}

Status PidNamespace::Reserve(pid_t pid) {
  absl::MutexLock lock(&mutex_);
  return to_kernel_.emplace(pid, 0).second ? Ok() : Status(Error(EEXIST));
}

void PidNamespace::Take(pid_t reserved, pid_t kernel_pid) {
  absl::MutexLock lock(&mutex_);
  to_kernel_[reserved] = kernel_pid;
  from_kernel_[kernel_pid] = reserved;
}

void PidNamespace::GiveBack(pid_t reserved) {
  absl::MutexLock lock(&mutex_);
  to_kernel_.erase(reserved);
}

void PidNamespace::Remove(pid_t kernel_pid, pid_t pid) {
  absl::MutexLock lock(&mutex_);
  to_kernel_.erase(pid);
  // The host may have given the number to another task meanwhile.
  auto found = from_kernel_.find(kernel_pid);
  if (found != from_kernel_.end() && found->second == pid) from_kernel_.erase(found);
}

Result<std::unique_ptr<ReservedPids>> ReservedPids::Reserve(PidNamespaceRef innermost,
                                                            std::span<const pid_t> pids,
                                                            const Credentials& caller) {
  if (pids.size() > static_cast<size_t>(innermost->level()) + 1) return Error(EINVAL);
  std::unique_ptr<ReservedPids> reserved(new ReservedPids(innermost));
  for (PidNamespace* space = innermost.get(); reserved->pids_.size() < pids.size();
       space = space->parent().get()) {
    const pid_t pid = pids[reserved->pids_.size()];
    if (pid < 1 || pid >= kPidLimit) return Error(EINVAL);
    if (space->is_initial()) return Error(EPERM);
    if (pid != 1 && space->ToKernel(1) == 0) return Error(EINVAL);
    if (!caller.HasIn(*space->owner(), CAP_CHECKPOINT_RESTORE) &&
        !caller.HasIn(*space->owner(), CAP_SYS_ADMIN)) {
      return Error(EPERM);
    }
    TRY(space->Reserve(pid));
    reserved->pids_.push_back(pid);
  }
  return reserved;
}

ReservedPids::~ReservedPids() {
  PidNamespace* space = innermost_.get();
  for (pid_t pid : pids_) {
    space->GiveBack(pid);
    space = space->parent().get();
  }
}

PidNumbers::PidNumbers(PidNamespaceRef innermost, pid_t kernel_pid,
                       std::unique_ptr<ReservedPids> reserved)
    : innermost_(std::move(innermost)), kernel_pid_(kernel_pid) {
  if (reserved != nullptr) numbers_.swap(reserved->pids_);
  PidNamespace* space = innermost_.get();
  for (pid_t number : numbers_) {
    space->Take(number, kernel_pid);
    space = space->parent().get();
  }
  for (; !space->is_initial(); space = space->parent().get()) {
    numbers_.push_back(space->Add(kernel_pid));
  }
}

PidNumbers::~PidNumbers() {
  PidNamespace* space = innermost_.get();
  for (pid_t number : numbers_) {
    space->Remove(kernel_pid_, number);
    space = space->parent().get();
  }
}

}  // namespace runsc::boot
