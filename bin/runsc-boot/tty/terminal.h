// A pseudo terminal (pty(7)): a line discipline between two ends. Programs open
// the slave end, /dev/pts/N; whoever opened ptmx has the master end.
//
// Lock order: a terminal's lock is a lock of a VFS object: nothing of the kernel's
// is held when it is taken. Signals are sent after it has been given up, since
// the end of a process may close files.
#ifndef RUNSC_BOOT_TTY_TERMINAL_H_
#define RUNSC_BOOT_TTY_TERMINAL_H_

#include <sys/ioctl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/kernel/controlling_terminal.h"
#include "bin/runsc-boot/tty/line_discipline.h"
#include "bin/runsc-boot/vfs/context.h"
#include "bin/runsc-boot/vfs/io_buffer.h"
#include "bin/runsc-boot/wait/wait_queue.h"
#include "common/result.h"

namespace runsc::boot {
class Kernel;
}

namespace runsc::boot::tty {

// The device numbers of slaves (the major is enough here: minors are indices).
constexpr unsigned kSlaveMajor = 136;
constexpr unsigned kPtmxMajor = 5, kPtmxMinor = 2;

class Terminal final : public ControllingTerminal {
 public:
  // What the file system that shows the terminal does at its end. Called without
  // the terminal's lock; `gone` may take leaf locks only.
  struct Owner {
    std::function<void()> master_closed;  // the slave cannot be opened any more
    std::function<void()> gone;           // the index is free again
  };
  Terminal(Kernel& kernel, int index, Owner owner);
  ~Terminal() override;

  Kernel& kernel() const { return kernel_; }
  int index() const { return index_; }
  // Asks who knows the size better (a terminal of the host); before the terminal
  // is used by others.
  void set_size_source(std::function<winsize()> source) { size_source_ = std::move(source); }

  // --- The slave end. An open file is of a generation: a hang-up ends it.
  // EIO: locked, or the master end is closed. EBUSY: TIOCEXCL.
  Result<uint64_t> OpenSlave(Context& context) ABSL_LOCKS_EXCLUDED(mutex_);
  void CloseSlave() ABSL_LOCKS_EXCLUDED(mutex_);
  enum class Patience { kWait, kNonblocking, kOver };
  // EAGAIN: not enough yet. kOver: what there is, perhaps nothing.
  Result<size_t> ReadSlave(IoBuffer& destination, uint64_t generation, Patience patience)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::optional<int64_t> ReadDeadline(int64_t begun) ABSL_LOCKS_EXCLUDED(mutex_);
  Result<size_t> WriteSlave(IoBuffer& source, uint64_t generation) ABSL_LOCKS_EXCLUDED(mutex_);
  PollEvents PollSlave(uint64_t generation) ABSL_LOCKS_EXCLUDED(mutex_);
  WaitQueue& slave_queue() { return slave_queue_; }
  bool HungUp(uint64_t generation) ABSL_LOCKS_EXCLUDED(mutex_);

  // --- The master end.
  void CloseMaster() ABSL_LOCKS_EXCLUDED(mutex_);
  bool MasterClosed() ABSL_LOCKS_EXCLUDED(mutex_);
  Result<size_t> ReadMaster(IoBuffer& destination) ABSL_LOCKS_EXCLUDED(mutex_);
  Result<size_t> WriteMaster(IoBuffer& source) ABSL_LOCKS_EXCLUDED(mutex_);
  PollEvents PollMaster() ABSL_LOCKS_EXCLUDED(mutex_);
  WaitQueue& master_queue() { return master_queue_; }
  size_t MasterReadable() ABSL_LOCKS_EXCLUDED(mutex_);

  // --- What ioctl_tty(2) asks for, by either end.
  Termios attributes() ABSL_LOCKS_EXCLUDED(mutex_);
  void SetAttributes(const Termios& termios, bool flush_input) ABSL_LOCKS_EXCLUDED(mutex_);
  winsize WindowSize() ABSL_LOCKS_EXCLUDED(mutex_);
  // SIGWINCH to the foreground group when it has changed.
  void SetWindowSize(const winsize& size) ABSL_LOCKS_EXCLUDED(mutex_);
  void RefreshWindowSize();
  size_t SlaveReadable() ABSL_LOCKS_EXCLUDED(mutex_);
  // TCFLSH by an end: of what that end has not read (`input`) or the other.
  void FlushSlave(bool input, bool output) ABSL_LOCKS_EXCLUDED(mutex_);
  void FlushMaster(bool input, bool output) ABSL_LOCKS_EXCLUDED(mutex_);
  void StopOutput(bool stop) ABSL_LOCKS_EXCLUDED(mutex_);
  // TCIOFF and TCION: the character VSTOP or VSTART to the other end.
  void SendFlowControl(bool stop) ABSL_LOCKS_EXCLUDED(mutex_);
  void Type(char byte) ABSL_LOCKS_EXCLUDED(mutex_);  // TIOCSTI
  // Ends all open files of the slave and its being a controlling terminal.
  void HangUp() override ABSL_LOCKS_EXCLUDED(mutex_);

  bool locked() ABSL_LOCKS_EXCLUDED(mutex_);
  void set_locked(bool locked) ABSL_LOCKS_EXCLUDED(mutex_);
  bool exclusive() ABSL_LOCKS_EXCLUDED(mutex_);
  void set_exclusive(bool exclusive) ABSL_LOCKS_EXCLUDED(mutex_);
  bool packet_mode() ABSL_LOCKS_EXCLUDED(mutex_);
  void set_packet_mode(bool on) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  size_t RoomForInput() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Lets the discipline have what was typed; the result is to be sent by Send.
  [[nodiscard]] std::vector<int> TakeInput() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Send(const std::vector<int>& signals) ABSL_LOCKS_EXCLUDED(mutex_);
  // Wakes the readers and writers of each end that can go on.
  void NotifySlave() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NotifyMaster() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MasterHasInput() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool SlaveClosedLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return slave_seen_ && slave_files_ == 0;
  }

  Kernel& kernel_;
  const int index_;
  const Owner owner_;
  std::function<winsize()> size_source_;  // constant once the terminal is used

  absl::Mutex mutex_;
  LineDiscipline discipline_ ABSL_GUARDED_BY(mutex_);
  std::string typed_ ABSL_GUARDED_BY(mutex_);  // not yet taken by the discipline
  int64_t last_typed_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  winsize size_ ABSL_GUARDED_BY(mutex_){};
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  int slave_files_ ABSL_GUARDED_BY(mutex_) = 0;
  bool slave_seen_ ABSL_GUARDED_BY(mutex_) = false;
  bool master_open_ ABSL_GUARDED_BY(mutex_) = true;
  bool locked_ ABSL_GUARDED_BY(mutex_) = true;
  bool exclusive_ ABSL_GUARDED_BY(mutex_) = false;

  WaitQueue slave_queue_, master_queue_;
};
using TerminalRef = std::shared_ptr<Terminal>;

}  // namespace runsc::boot::tty

#endif  // RUNSC_BOOT_TTY_TERMINAL_H_
