#include "bin/runsc-boot/tty/input_queue.h"

#include <algorithm>

namespace runsc::boot::tty {

void InputQueue::EndLine(uint8_t byte, bool hidden) {
  cells_.push_back({byte, true, hidden});
  complete_ = cells_.size();
}

void InputQueue::Clear() {
  cells_.clear();
  complete_ = 0;
}

void InputQueue::MakeLine() {
  for (Cell& cell : cells_) cell.ends_line = cell.hidden = false;
  if (!cells_.empty()) cells_.back().ends_line = true;
  complete_ = cells_.size();
}

void InputQueue::ForgetLines() {
  for (Cell& cell : cells_) cell.ends_line = cell.hidden = false;
  complete_ = 0;
}

std::string InputQueue::Take(size_t limit, bool lines) {
  std::string bytes;
  const size_t end = lines ? complete_ : cells_.size();
  size_t taken = 0;
  while (taken < end) {
    const Cell cell = cells_[taken];
    // An end of file behind the last byte that is wanted goes with it.
    if (lines && cell.hidden) {
      ++taken;
      break;
    }
    if (bytes.size() == limit) break;
    bytes.push_back(static_cast<char>(cell.byte));
    ++taken;
    if (lines && cell.ends_line) break;
  }
  cells_.erase(cells_.begin(), cells_.begin() + static_cast<std::ptrdiff_t>(taken));
  complete_ -= std::min(complete_, taken);
  return bytes;
}

size_t InputQueue::Readable(bool lines) const {
  if (!lines) return cells_.size();
  return static_cast<size_t>(std::count_if(cells_.begin(),
                                           cells_.begin() + static_cast<std::ptrdiff_t>(complete_),
                                           [](const Cell& cell) { return !cell.hidden; }));
}

}  // namespace runsc::boot::tty
