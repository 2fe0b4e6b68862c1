// The container's processes by the host's numbers, which only the host knows:
// boot sees those of its own pid namespace.
#ifndef RUNSC_CREATE_LAUNCH_HOST_PIDS_H_
#define RUNSC_CREATE_LAUNCH_HOST_PIDS_H_

#include <sys/types.h>

#include <map>

#include "common/result.h"
#include "ipc/state.pb.h"

namespace runsc::create {

// For every descendant of boot: its pid in boot's namespace, and the host's.
std::map<pid_t, pid_t> HostPids(const state::Container& container);

// ESRCH: there is no such process (any more).
Result<pid_t> HostPidOf(const state::Container& container, pid_t boot_pid);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_LAUNCH_HOST_PIDS_H_
