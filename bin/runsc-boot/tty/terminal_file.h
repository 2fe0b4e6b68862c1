// Open files on a terminal's two ends.
#ifndef RUNSC_BOOT_TTY_TERMINAL_FILE_H_
#define RUNSC_BOOT_TTY_TERMINAL_FILE_H_

#include <atomic>

#include "bin/runsc-boot/tty/terminal.h"
#include "bin/runsc-boot/vfs/file.h"

namespace runsc::boot {
class Task;
}

namespace runsc::boot::tty {

// The task behind a context; null for set-up code, which has no terminal and is
// never in the background.
Task* TaskOf(Context& context);

class SlaveFile final : public File, public ControllingTerminalFile {
 public:
  // open(2) of /dev/pts/N: with O_NOCTTY in `flags` it does not become the
  // controlling terminal. EIO, EBUSY.
  static Result<FileRef> Open(Context& context, const Path& path, int flags, TerminalRef terminal);
  // For Open: what OpenSlave has let in as `generation`.
  SlaveFile(const Path& path, int flags, TerminalRef terminal, uint64_t generation)
      : File(path, flags), terminal_(std::move(terminal)), generation_(generation) {}
  ~SlaveFile() override;

  const TerminalRef& terminal() const { return terminal_; }
  ControllingTerminalRef controlling_terminal() const override { return terminal_; }

  Result<size_t> Read(Context& context, IoBuffer& destination) override;
  std::optional<int64_t> ReadDeadline(int64_t begun) override {
    return terminal_->ReadDeadline(begun);
  }
  Result<size_t> ReadPartial(Context& context, IoBuffer& destination) override {
    return terminal_->ReadSlave(destination, generation_, Terminal::Patience::kOver);
  }
  Result<size_t> Write(Context& context, IoBuffer& source) override;
  Result<int64_t> Ioctl(Context& context, uint64_t command, uint64_t argument) override;
  PollEvents Poll() override { return terminal_->PollSlave(generation_); }
  WaitQueue* wait_queue() override { return &terminal_->slave_queue(); }

 private:
  // Before the terminal is changed (`signo` SIGTTOU) or read by a background task.
  Status CheckAccess(Context& context, int signo) const;

  const TerminalRef terminal_;
  const uint64_t generation_;
  std::atomic<bool> waiting_{false};  // a read has not had enough yet
};

class MasterFile final : public File {
 public:
  // `directory`: where the slave's node is, as TIOCGPTPEER finds it.
  MasterFile(const Path& path, int flags, TerminalRef terminal, Path directory)
      : File(path, flags), terminal_(std::move(terminal)), directory_(std::move(directory)) {}
  ~MasterFile() override { terminal_->CloseMaster(); }

  const TerminalRef& terminal() const { return terminal_; }

  Result<size_t> Read(Context& context, IoBuffer& destination) override {
    return terminal_->ReadMaster(destination);
  }
  Result<size_t> Write(Context& context, IoBuffer& source) override {
    return terminal_->WriteMaster(source);
  }
  Result<int64_t> Ioctl(Context& context, uint64_t command, uint64_t argument) override;
  PollEvents Poll() override { return terminal_->PollMaster(); }
  WaitQueue* wait_queue() override { return &terminal_->master_queue(); }

 private:
  Result<int64_t> OpenPeer(Context& context, int flags);
  Result<int64_t> MasterIoctl(Context& context, uint64_t command, uint64_t argument);

  const TerminalRef terminal_;
  const Path directory_;
};

}  // namespace runsc::boot::tty

#endif  // RUNSC_BOOT_TTY_TERMINAL_FILE_H_
