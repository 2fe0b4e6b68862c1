#include "bin/runsc-boot/ipc_sysv/memory_budget.h"

namespace runsc::boot {

Result<MemoryCharge> MemoryBudget::Take(size_t bytes) {
  const size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
  MemoryCharge charge(shared_from_this(), bytes);
  if (bytes > kBytes || before > kBytes - bytes) return Error(ENOMEM);
  return charge;
}

MemoryCharge::~MemoryCharge() {
  if (budget_ != nullptr) budget_->used_.fetch_sub(bytes_, std::memory_order_relaxed);
}

}  // namespace runsc::boot
