// What a terminal's reader gets: bytes, and in canonical mode where lines end.
#ifndef RUNSC_BOOT_TTY_INPUT_QUEUE_H_
#define RUNSC_BOOT_TTY_INPUT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace runsc::boot::tty {

class InputQueue {
 public:
  // Bytes that it holds at most, the end of a line included.
  static constexpr size_t kCapacity = 4096;

  size_t size() const { return cells_.size(); }
  bool empty() const { return cells_.empty(); }
  // The line that is being typed: what lies behind the last end of a line.
  size_t open_size() const { return cells_.size() - complete_; }
  uint8_t open_at(size_t index) const { return cells_[complete_ + index].byte; }
  bool has_line() const { return complete_ > 0; }

  void Add(uint8_t byte) { cells_.push_back({byte, false, false}); }
  void EraseLast() { cells_.pop_back(); }
  void EraseOpen() { cells_.resize(complete_); }
  // Adds the end of a line; `hidden`: an end of file, which is not read.
  void EndLine(uint8_t byte, bool hidden);
  void Clear();
  // A switch of canonical mode: on, all there is becomes a line; off, ends of
  // lines are ordinary bytes.
  void MakeLine();
  void ForgetLines();

  // Takes up to `limit` bytes, in canonical mode (`lines`) of one line.
  std::string Take(size_t limit, bool lines);
  // What FIONREAD counts: with `lines`, whole lines without their hidden ends.
  size_t Readable(bool lines) const;

 private:
  struct Cell {
    uint8_t byte;
    bool ends_line;
    bool hidden;
  };
  std::deque<Cell> cells_;
  size_t complete_ = 0;  // cells up to and with the last end of a line
};

}  // namespace runsc::boot::tty

#endif  // RUNSC_BOOT_TTY_INPUT_QUEUE_H_
