// What is left of `exec` once the process runs: a host process that stands for
// it until its end.
#ifndef RUNSC_CREATE_COMMANDS_EXEC_WAIT_H_
#define RUNSC_CREATE_COMMANDS_EXEC_WAIT_H_

#include <sys/types.h>

#include "bin/runsc-create/launch/console_relay.h"
#include "bin/runsc-create/launch/exec_session.h"
#include "bin/runsc-create/process/signal_source.h"
#include "common/result.h"

namespace runsc::create {

// Passes `signals` on, and what goes through the process's terminal (`relay`,
// which may be null), until the process has ended. Its wait status; SIGKILL when
// the whole sandbox is gone.
Result<int> AwaitExecEnd(ExecSession& session, SignalSource& signals, ConsoleRelay* relay);

// Leaves a process behind that does the same, with nothing but the session,
// and ends as the process does. An engine that is the caller's subreaper can wait
// for it, and signal it: it is what --pid-file names. The sandbox outlives it, so
// that the engine hears of the ends in their order. The result is its pid.
Result<pid_t> LeaveWaiter(ExecSession& session);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_COMMANDS_EXEC_WAIT_H_
