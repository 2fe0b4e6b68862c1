// Ends a container for good: used by `delete` and at the end of `run`.
#ifndef RUNSC_CREATE_COMMANDS_DESTROY_H_
#define RUNSC_CREATE_COMMANDS_DESTROY_H_

#include "bin/runsc-create/hooks/later_hooks.h"
#include "bin/runsc-create/state/container_store.h"
#include "common/result.h"
#include "ipc/state.pb.h"

namespace runsc::create {

// Kills what still runs of the container, removes its cgroups and its state,
// then runs the poststop hooks (whose failure is a warning). Whatever fails, the rest is done
// all the same; the first error is returned.
// `poststop`, if it is there and prepared, runs those hooks.
Status DestroyContainer(ContainerStore& store, const state::Container& container,
                        LaterHooks* poststop = nullptr);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_COMMANDS_DESTROY_H_
