#include "bin/runsc-boot/tty/ioctl.h"

#include <sys/sysmacros.h>

#include <csignal>

#include "bin/runsc-boot/kernel/job_control.h"

namespace runsc::boot::tty {

namespace {

// Lock flags of attributes (TIOCGLCKTRMIOS) are kept nowhere: nothing is locked.
constexpr uint64_t kGetLocked = 0x5456;
constexpr uint64_t kSetLocked = 0x5457;

template <typename T>
Result<int64_t> Give(const IoctlCall& call, uint64_t argument, const T& value) {
  TRY(call.context.CopyOut(argument, &value, sizeof(value)));
  return 0;
}

template <typename T>
Result<T> Get(const IoctlCall& call, uint64_t argument) {
  T value{};
  TRY(call.context.CopyIn(argument, &value, sizeof(value)));
  return value;
}

// Before a change by a task that may be in the background.
Status CheckChange(const IoctlCall& call) {
  return call.task == nullptr ? Ok() : JobControl::CheckAccess(*call.task, *call.terminal, SIGTTOU);
}

Status CheckAdmin(const IoctlCall& call) {
  return call.context.credentials()->Has(CAP_SYS_ADMIN) ? Ok() : Status(Error(EPERM));
}

// Output is never on its way, so that the W forms wait for nothing.
Result<int64_t> SetAttributes(const IoctlCall& call, uint64_t command, uint64_t argument) {
  TRY(CheckChange(call));
  const Termios old = call.terminal->attributes();
  Termios fresh{};
  bool flush = false;
  switch (command) {
    case TCSETSF:
      flush = true;
      [[fallthrough]];
    case TCSETS:
    case TCSETSW: {
      TRY_ASSIGN(const termios part, Get<termios>(call, argument));
      fresh = WithOldTermios(old, part);
      break;
    }
    case TCSETAF:
      flush = true;
      [[fallthrough]];
    case TCSETA:
    case TCSETAW: {
      TRY_ASSIGN(const Termio part, Get<Termio>(call, argument));
      fresh = WithTermio(old, part);
      break;
    }
    default: {
      flush = command == TCSETSF2;
      TRY_ASSIGN(fresh, Get<Termios>(call, argument));
      break;
    }
  }
  call.terminal->SetAttributes(fresh, flush);
  return 0;
}

Result<int64_t> SetSoftCarrier(const IoctlCall& call, uint64_t argument) {
  TRY_ASSIGN(const int on, Get<int>(call, argument));
  Termios termios = call.terminal->attributes();
  termios.c_cflag = on != 0 ? termios.c_cflag | CLOCAL : termios.c_cflag & ~tcflag_t{CLOCAL};
  call.terminal->SetAttributes(termios, false);
  return 0;
}

Result<int64_t> AttributeIoctl(const IoctlCall& call, uint64_t command, uint64_t argument) {
  switch (command) {
    case TCGETS:
      return Give(call, argument, ToOldTermios(call.terminal->attributes()));
    case TCGETS2:
      return Give(call, argument, call.terminal->attributes());
    case TCGETA:
      return Give(call, argument, ToTermio(call.terminal->attributes()));
    case TIOCGSOFTCAR:
      return Give(call, argument, (call.terminal->attributes().c_cflag & CLOCAL) != 0 ? 1 : 0);
    case TIOCSSOFTCAR:
      return SetSoftCarrier(call, argument);
    case kGetLocked:
      return Give(call, argument, termios{});
    case kSetLocked:
      TRY(CheckAdmin(call));
      TRY(Get<termios>(call, argument));
      return 0;
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
    case TCSETA:
    case TCSETAW:
    case TCSETAF:
      return SetAttributes(call, command, argument);
    default:
      return Error(ENOTTY);
  }
}

Result<int64_t> SetForegroundGroup(const IoctlCall& call, uint64_t argument) {
  Status allowed = CheckChange(call);
  if (allowed.code() == EIO) return Error(ENOTTY);
  TRY(std::move(allowed));
  TRY_ASSIGN(pid_t id, Get<pid_t>(call, argument));
  if (id > 0) {
    // From the caller's pid namespace to the kernel's number.
    id = call.task->ToKernelPid(id);
    if (id == 0) return Error(ESRCH);
  }
  TRY(JobControl::SetForegroundGroup(*call.task, *call.terminal, id));
  return 0;
}

// Sessions and groups, which only tasks have.
Result<int64_t> JobIoctl(const IoctlCall& call, uint64_t command, uint64_t argument) {
  if (call.task == nullptr) return Error(ENOTTY);
  switch (command) {
    case TIOCSCTTY:
      TRY(JobControl::Adopt(*call.task, call.terminal, argument == 1, call.readable));
      return 0;
    case TIOCNOTTY:
      if (call.master) return Error(ENOTTY);
      TRY(JobControl::GiveUp(*call.task, *call.terminal));
      return 0;
    case TIOCGPGRP: {
      TRY_ASSIGN(const pid_t id,
                 JobControl::ForegroundGroup(*call.task, *call.terminal, call.master));
      return Give(call, argument, call.task->FromKernelPid(id));
    }
    case TIOCSPGRP:
      return SetForegroundGroup(call, argument);
    case TIOCGSID: {
      TRY_ASSIGN(const pid_t id, JobControl::SessionOf(*call.task, *call.terminal, call.master));
      return Give(call, argument, call.task->FromKernelPid(id));
    }
    default:
      return Error(ENOTTY);
  }
}

Result<int64_t> Flush(const IoctlCall& call, uint64_t argument) {
  TRY(CheckChange(call));
  if (argument > TCIOFLUSH) return Error(EINVAL);
  const bool input = argument != TCOFLUSH, output = argument != TCIFLUSH;
  if (call.master) {
    call.terminal->FlushMaster(input, output);
  } else {
    call.terminal->FlushSlave(input, output);
  }
  return 0;
}

Result<int64_t> FlowControl(const IoctlCall& call, uint64_t argument) {
  TRY(CheckChange(call));
  switch (argument) {
    case TCOOFF:
    case TCOON:
      call.terminal->StopOutput(argument == TCOOFF);
      return 0;
    case TCIOFF:
    case TCION:
      call.terminal->SendFlowControl(argument == TCIOFF);
      return 0;
    default:
      return Error(EINVAL);
  }
}

// Linux lets only the privileged fake input since 6.2.
Result<int64_t> FakeInput(const IoctlCall& call, uint64_t argument) {
  if (!CheckAdmin(call).ok()) return Error(EIO);
  TRY_ASSIGN(const char byte, Get<char>(call, argument));
  call.terminal->Type(byte);
  return 0;
}

Result<int64_t> QueueIoctl(const IoctlCall& call, uint64_t command, uint64_t argument) {
  switch (command) {
    case FIONREAD:
      return Give(call, argument,
                  static_cast<int>(call.master ? call.terminal->MasterReadable()
                                               : call.terminal->SlaveReadable()));
    case TIOCOUTQ:
      return Give(call, argument, 0);
    case TCFLSH:
      return Flush(call, argument);
    case TCXONC:
      return FlowControl(call, argument);
    case TCSBRK:
    case TCSBRKP:
    case TIOCSBRK:
    case TIOCCBRK:
      // Output is never on its way, and there is no line to break.
      TRY(CheckChange(call));
      return 0;
    case TIOCSTI:
      return FakeInput(call, argument);
    default:
      return Error(ENOTTY);
  }
}

Result<int64_t> SetDiscipline(const IoctlCall& call, uint64_t argument) {
  TRY(CheckChange(call));
  TRY_ASSIGN(const int number, Get<int>(call, argument));
  return number == 0 ? Result<int64_t>(0) : Error(EINVAL);
}

Result<int64_t> StateIoctl(const IoctlCall& call, uint64_t command, uint64_t argument) {
  switch (command) {
    case TIOCGWINSZ:
      return Give(call, argument, call.terminal->WindowSize());
    case TIOCSWINSZ: {
      TRY_ASSIGN(const winsize size, Get<winsize>(call, argument));
      call.terminal->SetWindowSize(size);
      return 0;
    }
    case TIOCEXCL:
    case TIOCNXCL:
      call.terminal->set_exclusive(command == TIOCEXCL);
      return 0;
    case TIOCGEXCL:
      return Give(call, argument, call.terminal->exclusive() ? 1 : 0);
    case TIOCGETD:
      return Give(call, argument, 0);
    case TIOCSETD:
      return SetDiscipline(call, argument);
    case TIOCGDEV:
      return Give(call, argument,
                  static_cast<unsigned>(
                      (kSlaveMajor << 8) | (static_cast<unsigned>(call.terminal->index()) & 0xff) |
                      ((static_cast<unsigned>(call.terminal->index()) & ~0xffu) << 12)));
    case TIOCVHANGUP:
      TRY(CheckAdmin(call));
      call.terminal->HangUp();
      return 0;
    case TIOCCONS:
      return Error(EPERM);
    default:
      return Error(ENOTTY);
  }
}

}  // namespace

Result<int64_t> TerminalIoctl(const IoctlCall& call, uint64_t command, uint64_t argument) {
  for (auto* family : {AttributeIoctl, JobIoctl, QueueIoctl, StateIoctl}) {
    Result<int64_t> result = family(call, command, argument);
    if (result.code() != ENOTTY) return result;
  }
  return Error(ENOTTY);
}

}  // namespace runsc::boot::tty
