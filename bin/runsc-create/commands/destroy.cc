#include "bin/runsc-create/commands/destroy.h"

#include <vector>

#include "absl/time/time.h"
#include "bin/runsc-create/cgroup/cgroup.h"
#include "bin/runsc-create/hooks/hooks.h"
#include "bin/runsc-create/process/host_process.h"
#include "bin/runsc-create/state/state_json.h"
#include "common/log.h"

namespace runsc::create {
namespace {

// The gofer ends by itself when boot has gone.
constexpr absl::Duration kGoferGrace = absl::Milliseconds(500);

Status EndProcesses(const state::Container& container) {
  TRY(KillAndAwait(container.boot()));
  Result<FileDescriptor> gofer = OpenProcess(container.gofer());
  if (gofer.ok() && AwaitEnd(gofer->get(), kGoferGrace).ok()) return Ok();
  return KillAndAwait(container.gofer());
}

void Keep(Status& first, Status status) {
  if (first.ok()) first = std::move(status);
}

}  // namespace

Status DestroyContainer(ContainerStore& store, const state::Container& container,
                        LaterHooks* poststop) {
  Status result = EndProcesses(container);
  RemoveCgroups({container.cgroup_directories().begin(), container.cgroup_directories().end()});
  Keep(result, store.Remove());
  const bool prepared = poststop != nullptr && poststop->prepared();
  Status hooks = prepared ? poststop->Run()
                          : RunHooks("poststop", container.spec().hooks().poststop(),
                                     HookStateJson(container, "stopped"));
  if (!hooks.ok()) LOG_WARNING(hooks.error().ToString());
  return result;
}

}  // namespace runsc::create
