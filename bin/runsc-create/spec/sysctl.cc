// linux.sysctl: settings of the container's own namespaces, as runc knows them.
#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bin/runsc-create/spec/sections.h"

namespace runsc::spec {
namespace {

constexpr std::array<std::string_view, 8> kIpcSettings = {
    "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem",
    "kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced",
};

bool Has(const oci::Linux& out, oci::Namespace::Type type) {
  return std::any_of(out.namespaces().begin(), out.namespaces().end(),
                     [&](const oci::Namespace& entry) { return entry.type() == type; });
}

// A name below /proc/sys. In "net.ipv4.conf.eth0/1.forwarding" the slash stands
// for a dot; in names whose first separator is a slash, all are as they are.
std::string PathOf(std::string name) {
  size_t first = name.find_first_of("./");
  if (first == std::string::npos || name[first] == '/') return name;
  for (char& c : name) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    }
  }
  return name;
}

Status CheckNamespace(const Node& node, const std::string& path, const oci::Linux& out) {
  bool ipc = absl::StartsWith(path, "fs/mqueue/") ||
             std::find(kIpcSettings.begin(), kIpcSettings.end(), path) != kIpcSettings.end();
  if (ipc) {
    if (Has(out, oci::Namespace::IPC)) return Ok();
    return node.Wrong("not allowed in the host's ipc namespace");
  }
  if (absl::StartsWith(path, "net/")) {
    if (Has(out, oci::Namespace::NETWORK)) return Ok();
    return node.Wrong("not allowed in the host's network namespace");
  }
  if (path == "kernel/domainname") {
    if (Has(out, oci::Namespace::UTS)) return Ok();
    return node.Wrong("not allowed in the host's uts namespace");
  }
  if (path == "kernel/hostname") return node.Wrong("conflicts with the field \"hostname\"");
  return node.Wrong("is not a setting of a namespace of the container");
}

}  // namespace

Status ParseSysctls(const Node& node, oci::Linux& out) {
  TRY_ASSIGN(auto sysctls, node.Map("sysctl"));
  for (const auto& [name, value] : sysctls) {
    TRY_ASSIGN(std::string text, value.AsString());
    const std::string path = PathOf(name);
    if (absl::StrContains(path, "..")) return value.Wrong("is not the name of a setting");
    TRY(CheckNamespace(value, path, out));
    if (text.size() >= 4096 || absl::StrContains(text, '\n')) return value.Wrong("too long");
    (*out.mutable_sysctl())[path] = std::move(text);
  }
  return Ok();
}

}  // namespace runsc::spec
