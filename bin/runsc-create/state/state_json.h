// A container's state as the OCI runtime specification wants it.
#ifndef RUNSC_CREATE_STATE_STATE_JSON_H_
#define RUNSC_CREATE_STATE_STATE_JSON_H_

#include <string>
#include <string_view>

#include "ipc/state.pb.h"

namespace runsc::create {

// "creating", "created", "running" or "stopped": what was stored, and whether
// boot is still there.
std::string_view StatusOf(const state::Container& container);

// For `state`, with a line break at the end.
std::string StateJson(const state::Container& container);
// For hooks: in one line.
std::string HookStateJson(const state::Container& container, std::string_view status);
// 2026-01-02T03:04:05.000000006Z
std::string CreationTime(const state::Container& container);
// The name of the user who made the container, or the number.
std::string OwnerName(const state::Container& container);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_STATE_STATE_JSON_H_
