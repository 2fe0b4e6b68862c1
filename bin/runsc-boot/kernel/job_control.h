// Controlling terminals, foreground groups, and the signals that go with them
// (credentials(7), ioctl_tty(2)). Everything but the *Locked functions takes the
// kernel's tree mutex and may send signals, so terminals (tty/) call it without
// their own lock.
#ifndef RUNSC_BOOT_KERNEL_JOB_CONTROL_H_
#define RUNSC_BOOT_KERNEL_JOB_CONTROL_H_

#include "bin/runsc-boot/kernel/controlling_terminal.h"
#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot {

class JobControl {
 public:
  // The controlling terminal of a process; null when it has none.
  static ControllingTerminalRef TerminalOf(const ThreadGroup& group);
  static bool IsTerminalOf(const ThreadGroup& group, const ControllingTerminal& terminal);

  // Makes it the controlling terminal of the leader of a new session.
  static void AdoptLocked(ThreadGroup& leader, ControllingTerminalRef terminal);
  // What open(2) without O_NOCTTY does: only for the leader of a session that
  // has no terminal, and with a terminal that has no session.
  static void AdoptByOpening(Task& task, ControllingTerminalRef terminal);
  // TIOCSCTTY. EPERM. `readable`: the descriptor's access mode.
  static Status Adopt(Task& task, ControllingTerminalRef terminal, bool steal, bool readable);
  // TIOCNOTTY. ENOTTY: not the caller's terminal. A session's leader gives it
  // up for the whole session.
  static Status GiveUp(Task& task, const ControllingTerminal& terminal);

  // Before the caller reads (SIGTTIN) or changes (SIGTTOU) its terminal from
  // the background: EIO, or kRestartSys with the signal sent to its group.
  static Status CheckAccess(Task& task, const ControllingTerminal& terminal, int signo);

  // TIOCGPGRP, TIOCSPGRP, TIOCGSID. `master`: by the other end, which needs
  // not be the caller's terminal. ENOTTY, ESRCH, EPERM, EINVAL.
  static Result<pid_t> ForegroundGroup(Task& task, const ControllingTerminal& terminal,
                                       bool master);
  static Status SetForegroundGroup(Task& task, ControllingTerminal& terminal, pid_t id);
  static Result<pid_t> SessionOf(Task& task, const ControllingTerminal& terminal, bool master);

  static void SignalForeground(Kernel& kernel, const ControllingTerminal& terminal, int signo);
  // Whether a process of the foreground group has a handler for `signo`.
  static bool ForegroundHandles(Kernel& kernel, const ControllingTerminal& terminal, int signo);
  // The terminal is gone: SIGHUP and SIGCONT to its session's leader, and it is
  // nobody's controlling terminal any more.
  static void HangUp(Kernel& kernel, ControllingTerminal& terminal);
  // setsid(2): the process has no terminal.
  static void ForgetLocked(ThreadGroup& group);
  // fork(2): the child has its parent's terminal.
  static void InheritLocked(ThreadGroup& child, const ThreadGroup& parent);
  // The end of a session's leader: SIGHUP to the foreground group.
  static void LeaderEndsLocked(ThreadGroup& leader, Kernel::DeferredSignals& signals);

  // tty_nr and tpgid of /proc/PID/stat: 0 and -1 without a terminal.
  struct Shown {
    int device = 0;
    pid_t foreground = -1;
  };
  static Shown ShownOf(const ThreadGroup& group);

 private:
  static bool IsLeader(const ThreadGroup& group);
  // Nobody in the terminal's session has it any more.
  static void ClearSession(Kernel& kernel, const ControllingTerminal& terminal);
  static void Queue(const ProcessGroup& group, int signo, Kernel::DeferredSignals& signals);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_JOB_CONTROL_H_
