// Starts the init of a created container: used by `start` and `run`.
#ifndef RUNSC_CREATE_COMMANDS_START_CONTAINER_H_
#define RUNSC_CREATE_COMMANDS_START_CONTAINER_H_

#include "bin/runsc-create/launch/boot_client.h"
#include "bin/runsc-create/state/container_store.h"
#include "common/result.h"
#include "ipc/state.pb.h"

namespace runsc::create {

// Runs the startContainer hooks, lets boot start init, stores the phase and
// runs the poststart hooks (whose failure is a warning). The error's code is
// ENOENT when the program does not exist.
Status StartContainer(const ContainerStore& store, BootClient& boot, state::Container& container);

// Docker tells a missing program from one that may not be executed by the
// runtime's message, in which it looks for Go's spelling of the errors: that
// of the C library with a small letter in front.
Error InGosSpelling(Error error);

// 127 when the program does not exist, 126 when it cannot be executed, as
// shells and other runtimes have it; 1 for other errors.
int ExitCodeOfStartError(const Error& error);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_COMMANDS_START_CONTAINER_H_
