// What semaphores and queued messages may take of boot's memory, over all ipc
// namespaces of the sandbox. Their limits (sysvipc(7), mq_overview(7)) allow
// for more than a process that serves one container should hold.
#ifndef RUNSC_BOOT_IPC_SYSV_MEMORY_BUDGET_H_
#define RUNSC_BOOT_IPC_SYSV_MEMORY_BUDGET_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "common/result.h"

namespace runsc::boot {

class MemoryCharge;

// Thread-safe.
class MemoryBudget : public std::enable_shared_from_this<MemoryBudget> {
 public:
  static constexpr size_t kBytes = size_t{96} << 20;

  // ENOMEM.
  Result<MemoryCharge> Take(size_t bytes);

 private:
  friend class MemoryCharge;

  std::atomic<size_t> used_{0};
};
using MemoryBudgetRef = std::shared_ptr<MemoryBudget>;

// A part of the budget, given back by the destructor.
class MemoryCharge {
 public:
  MemoryCharge() = default;
  MemoryCharge(MemoryCharge&& other) noexcept = default;
  MemoryCharge& operator=(MemoryCharge&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MemoryCharge();

 private:
  friend class MemoryBudget;
  MemoryCharge(MemoryBudgetRef budget, size_t bytes) : budget_(std::move(budget)), bytes_(bytes) {}

  MemoryBudgetRef budget_;  // null: nothing is taken
  size_t bytes_ = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_IPC_SYSV_MEMORY_BUDGET_H_
