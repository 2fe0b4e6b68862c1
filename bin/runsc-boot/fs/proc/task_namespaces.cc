// uid_map, gid_map, projid_map, setgroups and timens_offsets.
#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/fs/proc/task_files.h"

namespace runsc::boot::proc {

namespace {

using Ids = UserNamespace::Ids;

// Of a task that has ended, too.
UserNamespaceRef UserNamespaceOf(const TaskView& view) {
  return view.task.credentials()->user_namespace;
}

Result<std::string> MapText(const TaskView& view, Ids ids) {
  return UserNamespaceOf(view)->MapText(ids, *view.context.credentials());
}

Status StoreMap(const TaskView& view, Ids ids, std::string_view text) {
  return UserNamespaceOf(view)->SetMap(ids, *view.context.credentials(), text);
}

}  // namespace

Result<std::string> GenerateUidMap(const TaskView& view) { return MapText(view, Ids::kUsers); }

Status StoreUidMap(const TaskView& view, std::string_view text) {
  return StoreMap(view, Ids::kUsers, text);
}

Result<std::string> GenerateGidMap(const TaskView& view) { return MapText(view, Ids::kGroups); }

Status StoreGidMap(const TaskView& view, std::string_view text) {
  return StoreMap(view, Ids::kGroups, text);
}

// No file system here has project ids.
Result<std::string> GenerateProjectMap(const TaskView& view) {
  const UserNamespaceRef space = UserNamespaceOf(view);
  if (!space->is_initial()) return std::string();
  return space->MapText(Ids::kUsers, *view.context.credentials());
}

Status StoreProjectMap(const TaskView&, std::string_view) { return Error(EPERM); }

Result<std::string> GenerateSetGroups(const TaskView& view) {
  return UserNamespaceOf(view)->SetGroupsText();
}

Status StoreSetGroups(const TaskView& view, std::string_view text) {
  const UserNamespaceRef space = UserNamespaceOf(view);
  // Linux refuses this at open(2) already, with the same error.
  if (!view.context.credentials()->HasIn(*space, CAP_SYS_ADMIN)) return Error(EACCES);
  return space->SetSetGroups(text);
}

Result<std::string> GenerateTimeOffsets(const TaskView& view) {
  return view.task.namespaces()->time_for_children->OffsetsText();
}

Status StoreTimeOffsets(const TaskView& view, std::string_view text) {
  const std::shared_ptr<TimeNamespace> time = view.task.namespaces()->time_for_children;
  if (!view.context.credentials()->HasIn(*time->owner(), CAP_SYS_TIME)) return Error(EPERM);
  return time->SetOffsets(text);
}

}  // namespace runsc::boot::proc
