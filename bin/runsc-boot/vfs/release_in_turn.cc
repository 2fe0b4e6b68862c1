#include "bin/runsc-boot/vfs/release_in_turn.h"

#include <vector>

namespace runsc::boot {

void ReleaseInTurn(std::shared_ptr<void> last) {
  // Of the outermost call on this thread; null between calls.
  thread_local std::vector<std::shared_ptr<void>>* queue = nullptr;
  if (queue != nullptr) {
    queue->push_back(std::move(last));
    return;
  }
  std::vector<std::shared_ptr<void>> own;
  queue = &own;
  last.reset();
  while (!own.empty()) {
    std::shared_ptr<void> next = std::move(own.back());
    own.pop_back();
    next.reset();
  }
  queue = nullptr;
}

}  // namespace runsc::boot
