// pid_namespaces(7). The kernel's own numbers are those of the sandbox's first
// pid namespace, which the host gives out. Below it, each process, thread,
// process group and session has one more number per level; they are translated
// where they come in from and go out to an application.
//
// A null PidNamespace pointer means the first one, whose translation is the
// identity and takes no lock.
#ifndef RUNSC_BOOT_NAMESPACES_PID_NAMESPACE_H_
#define RUNSC_BOOT_NAMESPACES_PID_NAMESPACE_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/auth/credentials.h"
#include "bin/runsc-boot/auth/namespace.h"
#include "common/result.h"

namespace runsc::boot {

class PidNamespace;
using PidNamespaceRef = std::shared_ptr<PidNamespace>;

class PidNamespace final : public Namespace, public std::enable_shared_from_this<PidNamespace> {
 public:
  static constexpr int kMaxLevel = 32;

  // The first one.
  PidNamespace() : Namespace(NamespaceKind::kPid), level_(0) {}
  // ENOSPC: too deep; EINVAL as Linux when `owner` is not below the parent's.
  static Result<PidNamespaceRef> Make(UserNamespaceRef owner, PidNamespaceRef parent);

  const PidNamespaceRef& parent() const { return parent_; }
  int level() const { return level_; }
  bool is_initial() const { return level_ == 0; }
  bool IsAncestorOf(const PidNamespace& other) const;  // true for itself

  // The kernel's number of what `pid` names here; 0 when nothing.
  pid_t ToKernel(pid_t pid) const ABSL_LOCKS_EXCLUDED(mutex_);
  // The number that it has here; 0 when it cannot be seen from here.
  pid_t FromKernel(pid_t pid) const ABSL_LOCKS_EXCLUDED(mutex_);

  // The number that was given out last; 0 in the first one, where the host does.
  pid_t last() const ABSL_LOCKS_EXCLUDED(mutex_);

  // --- Its end: nothing can be started in it once its init has ended.
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);
  bool closed() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  friend class PidNumbers;
  friend class ReservedPids;

  // For Make.
  PidNamespace(UserNamespaceRef owner, PidNamespaceRef parent);
  // The next free number for `kernel_pid`; 1 comes first.
  pid_t Add(pid_t kernel_pid) ABSL_LOCKS_EXCLUDED(mutex_);
  // Keeps a number free of others until it is taken or given back. EEXIST.
  Status Reserve(pid_t pid) ABSL_LOCKS_EXCLUDED(mutex_);
  void Take(pid_t reserved, pid_t kernel_pid) ABSL_LOCKS_EXCLUDED(mutex_);
  void GiveBack(pid_t reserved) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(pid_t kernel_pid, pid_t pid) ABSL_LOCKS_EXCLUDED(mutex_);

  const PidNamespaceRef parent_;
  const int level_;
  mutable absl::Mutex mutex_;  // a leaf
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  pid_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<pid_t, pid_t> to_kernel_ ABSL_GUARDED_BY(mutex_);  // 0: reserved
  absl::flat_hash_map<pid_t, pid_t> from_kernel_ ABSL_GUARDED_BY(mutex_);
};

// Numbers that a task shall have which is being made (clone3(2), set_tid): from
// its innermost namespace outwards, not necessarily in all.
class ReservedPids {
 public:
  // EINVAL: more than there are namespaces, not a pid, or not 1 where there is no
  // init yet. EPERM: `caller` has no CAP_CHECKPOINT_RESTORE in the namespace's
  // owner; or it is the first one, where the host gives numbers out. EEXIST.
  static Result<std::unique_ptr<ReservedPids>> Reserve(PidNamespaceRef innermost,
                                                       std::span<const pid_t> pids,
                                                       const Credentials& caller);
  ~ReservedPids();
  ReservedPids(const ReservedPids&) = delete;
  ReservedPids& operator=(const ReservedPids&) = delete;

 private:
  friend class PidNumbers;
  explicit ReservedPids(PidNamespaceRef innermost) : innermost_(std::move(innermost)) {}

  const PidNamespaceRef innermost_;
  std::vector<pid_t> pids_;
};

// The numbers of one task in all namespaces but the first. Whoever needs them
// to last (the task, a process group or session of that number) keeps a
// reference.
class PidNumbers {
 public:
  // `reserved`: those that have been chosen, or null.
  PidNumbers(PidNamespaceRef innermost, pid_t kernel_pid,
             std::unique_ptr<ReservedPids> reserved = nullptr);
  ~PidNumbers();
  PidNumbers(const PidNumbers&) = delete;
  PidNumbers& operator=(const PidNumbers&) = delete;

  // In its own, innermost namespace.
  pid_t own() const { return numbers_.front(); }

 private:
  const PidNamespaceRef innermost_;
  const pid_t kernel_pid_;
  std::vector<pid_t> numbers_;  // from the innermost namespace outwards
};
using PidNumbersRef = std::shared_ptr<const PidNumbers>;

// With null for the first namespace.
inline pid_t ToKernelPid(const PidNamespace* space, pid_t pid) {
  return space == nullptr ? pid : space->ToKernel(pid);
}
inline pid_t FromKernelPid(const PidNamespace* space, pid_t pid) {
  return space == nullptr ? pid : space->FromKernel(pid);
}

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_NAMESPACES_PID_NAMESPACE_H_
