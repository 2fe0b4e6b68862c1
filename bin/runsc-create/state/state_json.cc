#include "bin/runsc-create/state/state_json.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "bin/runsc-create/json/writer.h"
#include "bin/runsc-create/process/host_process.h"

namespace runsc::create {
namespace {

void WriteAnnotations(const oci::Spec& spec, json::Writer& out) {
  if (spec.annotations().empty()) return;
  out.Name("annotations").BeginObject();
  for (const auto& [name, value] : spec.annotations()) out.Name(name).String(value);
  out.EndObject();
}

}  // namespace

std::string_view StatusOf(const state::Container& container) {
  if (!IsAlive(container.boot())) return "stopped";
  switch (container.phase()) {
    case state::Container::CREATED:
      return container.paused() ? "paused" : "created";
    case state::Container::RUNNING:
      return container.paused() ? "paused" : "running";
    default:
      return "creating";
  }
}

std::string StateJson(const state::Container& container) {
  std::string_view status = StatusOf(container);
  json::Writer out;
  out.BeginObject();
  out.Name("ociVersion").String("1.0.2");
  out.Name("id").String(container.id());
  out.Name("pid").Number(status == "stopped" ? 0 : container.boot().pid());
  out.Name("status").String(status);
  out.Name("bundle").String(container.bundle());
  out.Name("rootfs").String(container.spec().root().path());
  out.Name("created").String(CreationTime(container));
  WriteAnnotations(container.spec(), out);
  out.Name("owner").String(OwnerName(container));
  out.EndObject();
  return out.text() + "\n";
}

std::string HookStateJson(const state::Container& container, std::string_view status) {
  json::Writer out(/*indented=*/false);
  out.BeginObject();
  out.Name("ociVersion").String("1.0.2");
  out.Name("id").String(container.id());
  out.Name("status").String(status);
  if (status != "stopped") out.Name("pid").Number(container.boot().pid());
  out.Name("bundle").String(container.bundle());
  WriteAnnotations(container.spec(), out);
  out.EndObject();
  return out.text();
}

std::string CreationTime(const state::Container& container) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E9SZ", absl::FromUnixNanos(container.created_unix_ns()),
                          absl::UTCTimeZone());
}

std::string OwnerName(const state::Container& container) {
  // A static program cannot ask the host's user database; root is what matters.
  if (container.owner_uid() == 0) return "root";
  return absl::StrCat(container.owner_uid());
}

}  // namespace runsc::create
