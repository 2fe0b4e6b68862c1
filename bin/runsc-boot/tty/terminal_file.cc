#include "bin/runsc-boot/tty/terminal_file.h"

#include <fcntl.h>

#include <csignal>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/kernel/job_control.h"
#include "bin/runsc-boot/tty/ioctl.h"

namespace runsc::boot::tty {

Task* TaskOf(Context& context) { return dynamic_cast<Task*>(&context); }

Result<FileRef> SlaveFile::Open(Context& context, const Path& path, int flags,
                                TerminalRef terminal) {
  TRY_ASSIGN(uint64_t generation, terminal->OpenSlave(context));
  auto file = std::make_shared<SlaveFile>(path, flags, terminal, generation);
  Task* task = TaskOf(context);
  if (task != nullptr && (flags & O_NOCTTY) == 0 && file->readable()) {
    JobControl::AdoptByOpening(*task, std::move(terminal));
  }
  return FileRef(std::move(file));
}

SlaveFile::~SlaveFile() { terminal_->CloseSlave(); }

Status SlaveFile::CheckAccess(Context& context, int signo) const {
  Task* task = TaskOf(context);
  return task == nullptr ? Ok() : JobControl::CheckAccess(*task, *terminal_, signo);
}

Result<size_t> SlaveFile::Read(Context& context, IoBuffer& destination) {
  TRY(CheckAccess(context, SIGTTIN));
  const bool waits = (flags() & O_NONBLOCK) == 0;
  Result<size_t> count =
      terminal_->ReadSlave(destination, generation_,
                           waits ? Terminal::Patience::kWait : Terminal::Patience::kNonblocking);
  const bool has_waited = waiting_.exchange(waits && count.code() == EAGAIN);
  // A read that the end of the master interrupts fails; later ones are at an end.
  if (has_waited && count.ok() && *count == 0 && terminal_->MasterClosed()) return Error(EIO);
  return count;
}

Result<size_t> SlaveFile::Write(Context& context, IoBuffer& source) {
  if ((terminal_->attributes().c_lflag & TOSTOP) != 0) TRY(CheckAccess(context, SIGTTOU));
  return terminal_->WriteSlave(source, generation_);
}

Result<int64_t> SlaveFile::Ioctl(Context& context, uint64_t command, uint64_t argument) {
  if (terminal_->HungUp(generation_)) return Error(command == TIOCSPGRP ? ENOTTY : EIO);
  if (command == TIOCGPTPEER) return Error(EIO);  // of the master end only
  return TerminalIoctl({context, TaskOf(context), terminal_, /*master=*/false, readable()}, command,
                       argument);
}

Result<int64_t> MasterFile::Ioctl(Context& context, uint64_t command, uint64_t argument) {
  Result<int64_t> own = MasterIoctl(context, command, argument);
  if (own.code() != ENOTTY) return own;
  return TerminalIoctl({context, TaskOf(context), terminal_, /*master=*/true, readable()}, command,
                       argument);
}

// What only the master end of a pseudo terminal knows.
Result<int64_t> MasterFile::MasterIoctl(Context& context, uint64_t command, uint64_t argument) {
  auto get = [&](int value) -> Result<int64_t> {
    TRY(context.CopyOut(argument, &value, sizeof(value)));
    return 0;
  };
  int value = 0;
  switch (command) {
    case TIOCGPTN:
      return get(terminal_->index());
    case TIOCGPTLCK:
      return get(terminal_->locked() ? 1 : 0);
    case TIOCSPTLCK:
      TRY(context.CopyIn(argument, &value, sizeof(value)));
      terminal_->set_locked(value != 0);
      return 0;
    case TIOCGPKT:
      return get(terminal_->packet_mode() ? 1 : 0);
    case TIOCPKT:
      TRY(context.CopyIn(argument, &value, sizeof(value)));
      terminal_->set_packet_mode(value != 0);
      return 0;
    case TIOCSIG: {
      const int signo = static_cast<int>(argument);
      if (signo != SIGINT && signo != SIGQUIT && signo != SIGTSTP) return Error(EINVAL);
      JobControl::SignalForeground(terminal_->kernel(), *terminal_, signo);
      return 0;
    }
    case TIOCGPTPEER:
      return OpenPeer(context, static_cast<int>(argument));
    default:
      return Error(ENOTTY);
  }
}

Result<int64_t> MasterFile::OpenPeer(Context& context, int flags) {
  Task* task = TaskOf(context);
  if (task == nullptr) return Error(ENOTTY);
  WalkOptions walk;
  walk.start = directory_;
  TRY_ASSIGN(Path path, task->vfs().Walk(task->caller(), walk, absl::StrCat(terminal_->index())));
  constexpr int kKept = O_ACCMODE | O_NONBLOCK | O_NOCTTY;
  TRY_ASSIGN(FileRef file, SlaveFile::Open(context, path, flags & kKept, terminal_));
  TRY_ASSIGN(int fd, task->fds().Install(std::move(file), (flags & O_CLOEXEC) != 0,
                                         task->group().limit(RLIMIT_NOFILE).rlim_cur));
  return fd;
}

}  // namespace runsc::boot::tty
