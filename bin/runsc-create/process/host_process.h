// Host processes that other commands started: told apart from later ones with
// the same number by their start time, and signalled by pidfd only.
#ifndef RUNSC_CREATE_PROCESS_HOST_PROCESS_H_
#define RUNSC_CREATE_PROCESS_HOST_PROCESS_H_

#include <sys/types.h>

#include "absl/time/time.h"
#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/state.pb.h"

namespace runsc::create {

// Identifies the running process `pid`. ESRCH when there is none.
Result<state::HostProcess> Identify(pid_t pid);

// A pidfd of `process`. ESRCH when it has ended (a zombie counts as ended).
Result<FileDescriptor> OpenProcess(const state::HostProcess& process);

bool IsAlive(const state::HostProcess& process);

// Waits until the process of `pidfd` has ended. ETIMEDOUT.
Status AwaitEnd(int pidfd, absl::Duration timeout);

// Kills `process` if it is there, and waits for its end. ETIMEDOUT.
Status KillAndAwait(const state::HostProcess& process);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_PROCESS_HOST_PROCESS_H_
