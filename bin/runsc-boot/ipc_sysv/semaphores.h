// The semaphore sets of an ipc namespace: semget(2), semop(2), semctl(2).
//
// A call that has to wait is queued with a SemaphoreWaiter; whoever changes the
// set carries its operations out for it, and wakes it. Nothing here blocks.
//
// One lock for all sets of a namespace; a leaf but for wake-ups.
#ifndef RUNSC_BOOT_IPC_SYSV_SEMAPHORES_H_
#define RUNSC_BOOT_IPC_SYSV_SEMAPHORES_H_

#include <sys/sem.h>

#include <array>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/ipc_sysv/id_table.h"
#include "bin/runsc-boot/ipc_sysv/memory_budget.h"
#include "bin/runsc-boot/wait/wait_queue.h"

namespace runsc::boot::sysv {

class SemaphoreUndo;
class SemaphoreWaiter;

// The values of semctl(2) that are about one semaphore.
struct SemaphoreState {
  int value = 0;
  pid_t pid = 0;         // of the last change
  int waiting_more = 0;  // for the value to grow
  int waiting_zero = 0;
};

class Semaphores : public std::enable_shared_from_this<Semaphores> {
 public:
  explicit Semaphores(MemoryBudgetRef budget) : budget_(std::move(budget)) {}

  static constexpr int kMaxValue = 32767;  // SEMVMX

  // SEMMSL, SEMMNS, SEMOPM, SEMMNI: /proc/sys/kernel/sem.
  using Limits = std::array<int, 4>;
  Limits limits() const ABSL_LOCKS_EXCLUDED(mutex_);
  void set_limits(const Limits& limits) ABSL_LOCKS_EXCLUDED(mutex_);
  int most_operations() const { return limits()[2]; }

  // EINVAL, ENOSPC, ENOENT, EEXIST, EACCES, ENOMEM.
  Result<int> Get(const Caller& caller, key_t key, int count, int flags)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Does all of the waiter's operations: true; or queues it: false. EINVAL,
  // EFBIG, EACCES, EAGAIN (IPC_NOWAIT), ERANGE, ENOMEM.
  Result<bool> Operate(const Caller& caller, int id, SemaphoreWaiter& waiter)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // --- semctl(2). Objects by id, or by index for SEM_STAT and SEM_STAT_ANY.
  // The id, and what the caller sees of it. EINVAL, EACCES.
  Result<std::pair<int, semid_ds>> Stat(const Caller& caller, int id, Naming naming) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  Result<std::vector<unsigned short>> Values(const Caller& caller, int id) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  // For SETALL: how many values there are. EINVAL, EACCES.
  Result<size_t> Count(const Caller& caller, int id) const ABSL_LOCKS_EXCLUDED(mutex_);
  Result<SemaphoreState> State(const Caller& caller, int id, int index) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  // ERANGE; EIDRM: not as many semaphores as before.
  Status SetValues(const Caller& caller, int id, const std::vector<unsigned short>& values)
      ABSL_LOCKS_EXCLUDED(mutex_);
  Status SetValue(const Caller& caller, int id, int index, int value) ABSL_LOCKS_EXCLUDED(mutex_);
  // EPERM.
  Status Set(const Caller& caller, int id, const semid_ds& wanted) ABSL_LOCKS_EXCLUDED(mutex_);
  Status Remove(const Caller& caller, int id) ABSL_LOCKS_EXCLUDED(mutex_);
  // IPC_INFO, or SEM_INFO (`usage`); the highest index in use.
  std::pair<int, seminfo> Info(bool usage) const ABSL_LOCKS_EXCLUDED(mutex_);
  // /proc/sysvipc/sem.
  std::string Text(const Credentials& reader) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  friend class SemaphoreUndo;
  friend class SemaphoreWaiter;

  struct Semaphore {
    int value = 0;
    pid_t pid = 0;
  };
  using Adjustments = std::vector<short>;
  struct SemaphoreSet {
    Permissions permissions;
    std::vector<Semaphore> semaphores;
    time_t operated = 0, changed = 0;
    // In the order of arrival: those that change nothing, which go first, and
    // those that do.
    std::list<SemaphoreWaiter*> readers, writers;
    std::map<const SemaphoreUndo*, Adjustments> undo;
    MemoryCharge charge, undo_charge;
  };
  using SetRef = std::shared_ptr<SemaphoreSet>;

  Result<SetRef> Make(const Caller& caller, key_t key, int count, int flags)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Result<SetRef> FindFor(const Caller& caller, int id, unsigned wanted) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  Result<Adjustments*> UndoOf(SemaphoreSet& set, SemaphoreUndo& undo)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // 0; EAGAIN, ERANGE; or -1: it must wait.
  static int Perform(SemaphoreSet& set, SemaphoreWaiter& waiter);
  // After a change: whoever can go on does.
  static void Update(SemaphoreSet& set);
  static bool UpdateList(SemaphoreSet& set, std::list<SemaphoreWaiter*>& list);
  // The end of a process, or of its threads that share `undo`.
  void Undo(const SemaphoreUndo& undo, pid_t pid) ABSL_LOCKS_EXCLUDED(mutex_);

  const MemoryBudgetRef budget_;
  mutable absl::Mutex mutex_;
  Limits limits_ ABSL_GUARDED_BY(mutex_){32000, 1'024'000'000, 500, 32000};
  IdTable<SemaphoreSet> sets_ ABSL_GUARDED_BY(mutex_);
  int used_ ABSL_GUARDED_BY(mutex_) = 0;  // semaphores in all sets
};

// What SEM_UNDO has to take back when the tasks that share it have ended
// (semop(2), CLONE_SYSVSEM of clone(2)). The adjustments lie with the sets.
class SemaphoreUndo {
 public:
  // One more task shares it; the first one need not call it.
  void Join() { users_.fetch_add(1, std::memory_order_relaxed); }
  // The last one takes everything back; `pid` is its process.
  void Leave(pid_t pid) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  friend class Semaphores;
  void Note(const std::shared_ptr<Semaphores>& where) ABSL_LOCKS_EXCLUDED(mutex_);

  std::atomic<int> users_{1};
  absl::Mutex mutex_;  // a leaf, taken under that of Semaphores
  std::vector<std::weak_ptr<Semaphores>> where_ ABSL_GUARDED_BY(mutex_);
};

// One call of semop(2). Leaves the queue in its destructor.
class SemaphoreWaiter {
 public:
  // `undo` may be null when no operation has SEM_UNDO.
  SemaphoreWaiter(std::vector<sembuf> operations, std::shared_ptr<SemaphoreUndo> undo, Waker& waker)
      : operations_(std::move(operations)), undo_(std::move(undo)), waker_(waker) {}
  SemaphoreWaiter(const SemaphoreWaiter&) = delete;
  SemaphoreWaiter& operator=(const SemaphoreWaiter&) = delete;
  ~SemaphoreWaiter() { (void)Abandon(0); }

  // The end of a queued call: 0, EIDRM, ERANGE or EAGAIN; nothing while it waits.
  std::optional<int> result();
  // Gives up with `code`, unless it has a result.
  int Abandon(int code);

 private:
  friend class Semaphores;
  bool Alters() const;

  const std::vector<sembuf> operations_;
  const std::shared_ptr<SemaphoreUndo> undo_;
  Waker& waker_;
  // Set when it is queued; the rest is guarded by the lock of where_.
  std::shared_ptr<Semaphores> where_;
  std::shared_ptr<Semaphores::SemaphoreSet> set_;
  std::list<SemaphoreWaiter*>* list_ = nullptr;  // null: not queued
  Semaphores::Adjustments* adjustments_ = nullptr;
  pid_t pid_ = 0;
  size_t blocked_at_ = 0;  // the operation that cannot be done
  int code_ = 0;
};

}  // namespace runsc::boot::sysv

#endif  // RUNSC_BOOT_IPC_SYSV_SEMAPHORES_H_
