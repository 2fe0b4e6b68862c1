#include "bin/runsc-boot/kernel/tree_lock.h"

#include <utility>
#include <vector>

namespace runsc::boot {

Kernel::TreeLock::TreeLock(Kernel& kernel) : kernel_(kernel) { kernel_.tree_mutex_.Lock(); }

Kernel::TreeLock::~TreeLock() {
  std::vector<ThreadGroup::Sent> sent;
  sent.reserve(signals_.size());
  for (const DeferredSignal& signal : signals_) {
    sent.push_back(signal.group->TakeIn(signal.info, nullptr, /*outside=*/false));
  }
  kernel_.tree_mutex_.Unlock();
  for (size_t i = 0; i < sent.size(); ++i) signals_[i].group->Announce(sent[i]);
}

}  // namespace runsc::boot
