#include "bin/runsc-create/commands/start_container.h"

#include <cstring>

#include "absl/strings/ascii.h"
#include "bin/runsc-create/hooks/hooks.h"
#include "bin/runsc-create/state/state_json.h"
#include "common/log.h"

namespace runsc::create {

Error InGosSpelling(Error error) {
  const std::string reason = strerror(error.code());
  std::string message = error.ToString();
  size_t at = message.rfind(reason);
  if (at != std::string::npos) message[at] = absl::ascii_tolower(message[at]);
  return Error(error.code(), std::move(message));
}

Status StartContainer(const ContainerStore& store, BootClient& boot, state::Container& container) {
  const oci::Hooks& hooks = container.spec().hooks();
  TRY(RunHooks("startContainer", hooks.start_container(), HookStateJson(container, "created")));
  if (Status started = boot.StartInit(); !started.ok()) {
    return InGosSpelling(std::move(started).error());
  }
  container.set_phase(state::Container::RUNNING);
  TRY(store.Save(container));
  Status poststart = RunHooks("poststart", hooks.poststart(), HookStateJson(container, "running"));
  if (!poststart.ok()) LOG_WARNING(poststart.error().ToString());
  return Ok();
}

int ExitCodeOfStartError(const Error& error) {
  switch (error.code()) {
    case ENOENT:
      return 127;
    case EACCES:
    case ENOEXEC:
    case ENOTDIR:
    case EISDIR:
    case EPERM:
    case ELOOP:
    case ELIBBAD:
    case EINVAL:
    case E2BIG:
      return 126;
    default:
      return 1;
  }
}

}  // namespace runsc::create
