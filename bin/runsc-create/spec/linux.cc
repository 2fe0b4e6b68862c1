#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bin/runsc-create/spec/sections.h"
#include "common/log.h"

namespace runsc::spec {
namespace {

using NamespaceType = oci::Namespace::Type;

constexpr std::array<std::pair<std::string_view, NamespaceType>, 8> kNamespaces = {{
    {"pid", oci::Namespace::PID},
    {"network", oci::Namespace::NETWORK},
    {"mount", oci::Namespace::MOUNT},
    {"ipc", oci::Namespace::IPC},
    {"uts", oci::Namespace::UTS},
    {"user", oci::Namespace::USER},
    {"cgroup", oci::Namespace::CGROUP},
    {"time", oci::Namespace::TIME},
}};

constexpr std::array<std::string_view, 9> kPropagations = {
    "", "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable",
};

Status ParseNamespace(const Node& node, oci::Linux& out) {
  TRY(node.ExpectObject());
  TRY_ASSIGN(std::string type, node.RequiredString("type"));
  const auto* known = std::find_if(kNamespaces.begin(), kNamespaces.end(),
                                   [&](const auto& entry) { return entry.first == type; });
  if (known == kNamespaces.end()) {
    return node.WrongMember("type", absl::StrCat("unknown namespace \"", type, "\""));
  }
  for (const oci::Namespace& other : out.namespaces()) {
    if (other.type() == known->second) {
      return node.WrongMember("type", absl::StrCat("\"", type, "\" is there twice"));
    }
  }
  TRY_ASSIGN(std::string path, node.StringOrEmpty("path"));
  if (!path.empty() && path[0] != '/') {
    return node.WrongMember("path", "must be an absolute path");
  }
  if (known->second == oci::Namespace::TIME && !path.empty()) {
    return node.WrongMember("path",
                            "a time namespace cannot be joined, only made with "
                            "linux.timeOffsets");
  }
  oci::Namespace* entry = out.add_namespaces();
  entry->set_type(known->second);
  entry->set_path(std::move(path));
  return Ok();
}

Status ParseMappings(const Node& node, std::string_view name,
                     google::protobuf::RepeatedPtrField<oci::IdMapping>& out) {
  TRY_ASSIGN(std::vector<Node> entries, node.Array(name));
  for (const Node& entry : entries) {
    TRY(entry.ExpectObject());
    TRY_ASSIGN(uint32_t container_id, entry.Unsigned32Or("containerID", 0));
    TRY_ASSIGN(uint32_t host_id, entry.Unsigned32Or("hostID", 0));
    TRY_ASSIGN(uint32_t size, entry.Unsigned32Or("size", 0));
    if (size == 0) return entry.WrongMember("size", "must not be 0");
    oci::IdMapping* mapping = out.Add();
    mapping->set_container_id(container_id);
    mapping->set_host_id(host_id);
    mapping->set_size(size);
  }
  return Ok();
}

// Mappings and a user namespace belong together, as for runc.
Status CheckMappings(const Node& node, const oci::Linux& spec) {
  const auto& namespaces = spec.namespaces();
  const auto user = std::find_if(namespaces.begin(), namespaces.end(), [](const auto& entry) {
    return entry.type() == oci::Namespace::USER;
  });
  const std::pair<const char*, bool> mappings[] = {{"uidMappings", !spec.uid_mappings().empty()},
                                                   {"gidMappings", !spec.gid_mappings().empty()}};
  for (const auto& [name, given] : mappings) {
    if (user == namespaces.end() && given) {
      return node.WrongMember(name, "linux.namespaces has no entry of type \"user\"");
    }
    if (user != namespaces.end() && !given) {
      return node.WrongMember(name, user->path().empty()
                                        ? "missing, and linux.namespaces wants a user namespace"
                                        : "missing: a user namespace cannot be joined, only made "
                                          "with the same mappings");
    }
  }
  return Ok();
}

// linux.timeOffsets belongs to a time namespace of the container's own. There is
// none to join: the processes of a sandbox are in no time namespace of the host's.
Status ParseTimeOffsets(const Node& node, oci::Linux& out) {
  constexpr uint32_t kNanosecondsPerSecond = 1'000'000'000;
  TRY_ASSIGN(const auto offsets, node.Map("timeOffsets"));
  const auto space = std::find_if(
      out.namespaces().begin(), out.namespaces().end(),
      [](const oci::Namespace& entry) { return entry.type() == oci::Namespace::TIME; });
  if (space == out.namespaces().end() && !offsets.empty()) {
    return node.WrongMember("timeOffsets", "linux.namespaces has no entry of type \"time\"");
  }
  for (const auto& [name, offset] : offsets) {
    TRY(offset.ExpectObject());
    if (name != "monotonic" && name != "boottime") {
      return offset.Wrong("unknown clock, must be \"monotonic\" or \"boottime\"");
    }
    TRY_ASSIGN(const std::optional<int64_t> seconds, offset.OptionalInteger("secs"));
    TRY_ASSIGN(const uint32_t nanoseconds, offset.Unsigned32Or("nanosecs", 0));
    if (nanoseconds >= kNanosecondsPerSecond) {
      return offset.WrongMember("nanosecs", "must be below 1000000000");
    }
    oci::TimeOffset* entry = out.add_time_offsets();
    entry->set_clock(name == "monotonic" ? oci::TimeOffset::MONOTONIC : oci::TimeOffset::BOOTTIME);
    entry->set_seconds(seconds.value_or(0));
    entry->set_nanoseconds(nanoseconds);
  }
  return Ok();
}

Status ParsePersonality(const Node& node, oci::Linux& out) {
  TRY_ASSIGN(std::string domain, node.RequiredString("domain"));
  if (domain != "LINUX" && domain != "LINUX32") {
    return node.WrongMember("domain", "must be \"LINUX\" or \"LINUX32\"");
  }
  TRY_ASSIGN(std::vector<Node> flags, node.Array("flags"));
  if (!flags.empty()) return node.WrongMember("flags", "no flag is known");
  out.set_personality_linux32(domain == "LINUX32");
  return Ok();
}

Status ParseDevice(const Node& node, oci::Device& out) {
  TRY(node.ExpectObject());
  TRY_ASSIGN(std::string type, node.RequiredString("type"));
  if (type != "c" && type != "b" && type != "u" && type != "p") {
    return node.WrongMember("type", "must be \"c\", \"b\", \"u\" or \"p\"");
  }
  TRY_ASSIGN(std::string path, node.RequiredString("path"));
  if (path[0] != '/') return node.WrongMember("path", "must be an absolute path");
  TRY_ASSIGN(std::optional<int64_t> major, node.OptionalInteger("major"));
  TRY_ASSIGN(std::optional<int64_t> minor, node.OptionalInteger("minor"));
  // With or without the file's type (podman gives all of st_mode).
  TRY_ASSIGN(std::optional<uint64_t> mode, node.OptionalUnsigned("fileMode", S_IFMT | 07777));
  TRY_ASSIGN(std::optional<uint64_t> uid, node.OptionalUnsigned("uid", UINT32_MAX - 1));
  TRY_ASSIGN(std::optional<uint64_t> gid, node.OptionalUnsigned("gid", UINT32_MAX - 1));
  if (type != "p" && !major) return node.WrongMember("major", "missing");
  if (type != "p" && !minor) return node.WrongMember("minor", "missing");
  out.set_type(std::move(type));
  out.set_path(std::move(path));
  out.set_major(major.value_or(0));
  out.set_minor(minor.value_or(0));
  if (mode) out.set_file_mode(static_cast<uint32_t>(*mode & 07777));
  if (uid) out.set_uid(static_cast<uint32_t>(*uid));
  if (gid) out.set_gid(static_cast<uint32_t>(*gid));
  return Ok();
}

// Refuses what would let the path leave the cgroup file system.
Status CheckCgroupsPath(const Node& node, const std::string& path) {
  std::vector<std::string> components = absl::StrSplit(path, '/');
  for (const std::string& component : components) {
    if (component == "..") return node.WrongMember("cgroupsPath", "must not contain \"..\"");
    if (component.size() > 255) return node.WrongMember("cgroupsPath", "component too long");
  }
  return Ok();
}

void WarnAboutIgnored(const Node& node) {
  for (std::string_view name : {"intelRdt", "memoryPolicy"}) {
    if (node.Has(name)) {
      LOG_WARNING("config.json: linux.", std::string(name), ": not supported, ignored");
    }
  }
}

}  // namespace

Status ParseLinux(const Node& node, oci::Linux& out) {
  TRY_ASSIGN(std::vector<Node> namespaces, node.Array("namespaces"));
  for (const Node& entry : namespaces) TRY(ParseNamespace(entry, out));
  TRY(ParseMappings(node, "uidMappings", *out.mutable_uid_mappings()));
  TRY(ParseMappings(node, "gidMappings", *out.mutable_gid_mappings()));
  TRY(CheckMappings(node, out));
  TRY(ParseTimeOffsets(node, out));
  TRY(ParseSysctls(node, out));
  TRY_ASSIGN(std::optional<Node> resources, node.Object("resources"));
  if (resources) TRY(ParseResources(*resources, *out.mutable_resources()));
  TRY_ASSIGN(std::string cgroups_path, node.StringOrEmpty("cgroupsPath"));
  TRY(CheckCgroupsPath(node, cgroups_path));
  out.set_cgroups_path(std::move(cgroups_path));
  TRY_ASSIGN(std::vector<Node> devices, node.Array("devices"));
  for (const Node& device : devices) TRY(ParseDevice(device, *out.add_devices()));
  TRY_ASSIGN(std::optional<Node> personality, node.Object("personality"));
  if (personality) TRY(ParsePersonality(*personality, out));
  TRY_ASSIGN(std::optional<Node> seccomp, node.Object("seccomp"));
  if (seccomp) TRY(ParseSeccomp(*seccomp, *out.mutable_seccomp()));
  TRY_ASSIGN(std::string propagation, node.StringOrEmpty("rootfsPropagation"));
  if (std::find(kPropagations.begin(), kPropagations.end(), propagation) == kPropagations.end()) {
    return node.WrongMember("rootfsPropagation",
                            absl::StrCat("unknown propagation \"", propagation, "\""));
  }
  out.set_rootfs_propagation(std::move(propagation));
  TRY(CopyAbsolutePaths(node, "maskedPaths", *out.mutable_masked_paths()));
  TRY(CopyAbsolutePaths(node, "readonlyPaths", *out.mutable_readonly_paths()));
  TRY_ASSIGN(std::string label, node.StringOrEmpty("mountLabel"));
  if (!label.empty()) return node.WrongMember("mountLabel", "SELinux is not supported");
  WarnAboutIgnored(node);
  return Ok();
}

}  // namespace runsc::spec
