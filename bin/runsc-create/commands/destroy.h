// Ends a container for good: used by `delete` and at the end of `run`.
#ifndef RUNSC_CREATE_COMMANDS_DESTROY_H_
#define RUNSC_CREATE_COMMANDS_DESTROY_H_

#include "bin/runsc-create/state/container_store.h"
#include "common/result.h"
#include "ipc/state.pb.h"

namespace runsc::create {

// Kills what still runs of the container, removes its cgroups and its state,
// then runs the poststop hooks (whose failure is a warning). Whatever fails, the rest is done
// all the same; the first error is returned.
Status DestroyContainer(ContainerStore& store, const state::Container& container);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_COMMANDS_DESTROY_H_
