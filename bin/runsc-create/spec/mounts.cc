#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "bin/runsc-create/spec/sections.h"

namespace runsc::spec {
namespace {

// What the sandbox can mount itself, and bind mounts.
constexpr std::array<std::string_view, 9> kTypes = {
    "bind", "proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2", "devtmpfs",
};

Status ParseMapping(const Node& node, std::string_view name, oci::IdMapping& out) {
  TRY_ASSIGN(std::vector<Node> entries, node.Array(name));
  if (entries.empty()) return Ok();
  return entries[0].Wrong("mapped mounts are not supported");
}

Status ParseMount(const Node& node, const std::string& bundle, oci::Mount& out) {
  TRY(node.ExpectObject());
  TRY_ASSIGN(std::string destination, node.RequiredString("destination"));
  if (destination[0] != '/') return node.WrongMember("destination", "must be an absolute path");
  if (destination.find_first_not_of("/.") == std::string::npos) {
    return node.WrongMember("destination",
                            absl::StrCat("\"", destination, "\" is the root itself"));
  }
  TRY_ASSIGN(std::string type, node.StringOrEmpty("type"));
  TRY_ASSIGN(std::string source, node.StringOrEmpty("source"));
  TRY(CopyStrings(node, "options", *out.mutable_options()));
  TRY(ParseMapping(node, "uidMappings", *out.mutable_uid_mapping()));
  TRY(ParseMapping(node, "gidMappings", *out.mutable_gid_mapping()));
  out.clear_uid_mapping();
  out.clear_gid_mapping();

  for (const std::string& option : out.options()) {
    // The type of a bind mount is a dummy, "none" for many writers.
    if (option == "bind" || option == "rbind") type = "bind";
  }
  if (type.empty()) return node.WrongMember("type", "missing");
  if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
    return node.WrongMember("type", absl::StrCat("unsupported file system \"", type, "\""));
  }
  if (type == "bind") {
    if (source.empty()) return node.WrongMember("source", "missing");
    source = Absolute(bundle, source);
  }
  out.set_destination(std::move(destination));
  out.set_type(std::move(type));
  out.set_source(std::move(source));
  return Ok();
}

}  // namespace

Status ParseMounts(const Node& config, const std::string& bundle, oci::Spec& out) {
  TRY_ASSIGN(std::vector<Node> mounts, config.Array("mounts"));
  for (const Node& mount : mounts) TRY(ParseMount(mount, bundle, *out.add_mounts()));
  return Ok();
}

}  // namespace runsc::spec
