#include "bin/runsc-boot/ipc_sysv/memory_budget.h"

#include <atomic>

namespace runsc::boot {
namespace {

std::atomic<size_t> used{0};

}  // namespace

MemoryCharge::~MemoryCharge() { used.fetch_sub(bytes_, std::memory_order_relaxed); }

Result<MemoryCharge> MemoryCharge::Take(size_t bytes) {
  MemoryCharge charge(bytes);
  const size_t before = used.fetch_add(bytes, std::memory_order_relaxed);
  if (bytes > kBudget || before > kBudget - bytes) return Error(ENOMEM);
  return charge;
}

}  // namespace runsc::boot
