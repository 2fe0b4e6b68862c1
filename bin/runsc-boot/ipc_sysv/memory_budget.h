// What semaphores and queued messages may take of boot's memory, over all ipc
// namespaces of the sandbox. Their limits (sysvipc(7), mq_overview(7)) allow
// for more than a process that serves one container should hold.
#ifndef RUNSC_BOOT_IPC_SYSV_MEMORY_BUDGET_H_
#define RUNSC_BOOT_IPC_SYSV_MEMORY_BUDGET_H_

#include <cstddef>
#include <utility>

#include "common/result.h"

namespace runsc::boot {

// A part of the budget, given back by the destructor.
class MemoryCharge {
 public:
  static constexpr size_t kBudget = size_t{96} << 20;  // bytes

  MemoryCharge() = default;
  MemoryCharge(MemoryCharge&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryCharge& operator=(MemoryCharge&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MemoryCharge();

  // ENOMEM.
  static Result<MemoryCharge> Take(size_t bytes);

 private:
  explicit MemoryCharge(size_t bytes) : bytes_(bytes) {}

  size_t bytes_ = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_IPC_SYSV_MEMORY_BUDGET_H_
