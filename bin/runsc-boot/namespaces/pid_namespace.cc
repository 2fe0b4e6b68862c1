#include "bin/runsc-boot/namespaces/pid_namespace.h"

#include "bin/runsc-boot/auth/user_namespace.h"

namespace runsc::boot {

namespace {

// As /proc/sys/kernel/pid_max of a small machine; numbers start again behind
// those that a boot would have used.
constexpr pid_t kMaxPid = 32768;
constexpr pid_t kFirstReused = 300;

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

void PidNamespace::Remove(pid_t kernel_pid, pid_t pid) {
  absl::MutexLock lock(&mutex_);
  to_kernel_.erase(pid);
  // The host may have given the number to another task meanwhile.
  auto found = from_kernel_.find(kernel_pid);
  if (found != from_kernel_.end() && found->second == pid) from_kernel_.erase(found);
}

PidNumbers::PidNumbers(PidNamespaceRef innermost, pid_t kernel_pid)
    : innermost_(std::move(innermost)), kernel_pid_(kernel_pid) {
  for (PidNamespace* space = innermost_.get(); !space->is_initial();
       space = space->parent().get()) {
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
