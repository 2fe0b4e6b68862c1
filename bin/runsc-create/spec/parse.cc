#include "bin/runsc-create/spec/parse.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bin/runsc-create/spec/sections.h"
#include "common/file_descriptor.h"
#include "common/log.h"

namespace runsc::spec {
namespace {

constexpr std::string_view kFile = "config.json";
constexpr std::string_view kProcessFile = "process.json";
// Far above what any engine writes, and below the bound of an IPC message.
constexpr size_t kMaxConfigSize = 1 << 20;
constexpr size_t kMaxHostname = 64;
constexpr char kContainerType[] = "io.kubernetes.cri.container-type";
constexpr char kSandboxId[] = "io.kubernetes.cri.sandbox-id";

Status ParseVersion(const Node& config, oci::Spec& out) {
  TRY_ASSIGN(std::string version, config.RequiredString("ociVersion"));
  std::vector<std::string> parts = absl::StrSplit(version, absl::MaxSplits('.', 2));
  bool numeric = parts.size() == 3;
  for (int i = 0; numeric && i < 2; ++i) {
    numeric = !parts[i].empty() && parts[i].find_first_not_of("0123456789") == std::string::npos;
  }
  if (!numeric) return config.WrongMember("ociVersion", "must have the form 1.0.2");
  if (parts[0] != "1") {
    return config.WrongMember("ociVersion",
                              absl::StrCat("version ", version, " is not supported, only 1.x"));
  }
  out.set_oci_version(std::move(version));
  return Ok();
}

Status ParseAnnotations(const Node& config, oci::Spec& out) {
  TRY_ASSIGN(auto annotations, config.Map("annotations"));
  for (const auto& [name, value] : annotations) {
    TRY_ASSIGN(std::string text, value.AsString());
    if (name.empty()) return value.Wrong("the name must not be empty");
    (*out.mutable_annotations())[name] = std::move(text);
  }
  auto type = out.annotations().find(kContainerType);
  if (type == out.annotations().end()) return Ok();
  std::string field = absl::StrCat("annotations.\"", kContainerType, "\"");
  if (type->second == "sandbox") {
    out.set_container_type(oci::TYPE_SANDBOX);
    return Ok();
  }
  if (type->second != "container") {
    return config.WrongMember(field, absl::StrCat("unknown type \"", type->second, "\""));
  }
  out.set_container_type(oci::TYPE_CONTAINER);
  auto sandbox = out.annotations().find(kSandboxId);
  if (sandbox == out.annotations().end() || sandbox->second.empty()) {
    return config.WrongMember(absl::StrCat("annotations.\"", kSandboxId, "\""), "missing");
  }
  out.set_sandbox_id(sandbox->second);
  return Ok();
}

Status RefuseUnsupported(const Node& config) {
  for (std::string_view platform : {"solaris", "windows", "vm", "zos", "freebsd"}) {
    if (config.Has(platform)) return config.WrongMember(platform, "not supported");
  }
  return Ok();
}

Status ParseNames(const Node& config, oci::Spec& out) {
  TRY_ASSIGN(std::string hostname, config.StringOrEmpty("hostname"));
  if (hostname.size() > kMaxHostname) return config.WrongMember("hostname", "too long");
  TRY_ASSIGN(std::string domainname, config.StringOrEmpty("domainname"));
  if (domainname.size() > kMaxHostname) return config.WrongMember("domainname", "too long");
  out.set_hostname(std::move(hostname));
  out.set_domainname(std::move(domainname));
  return Ok();
}

Result<std::string> ReadJson(const std::string& path) {
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoError("open", path);
  struct stat status;
  if (fstat(fd.get(), &status) != 0) return ErrnoError("stat", path);
  if (!S_ISREG(status.st_mode)) return Error(EINVAL, absl::StrCat(path, ": not a regular file"));
  std::string text(kMaxConfigSize + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    ssize_t count = read(fd.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError("read", path);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  if (size > kMaxConfigSize) {
    return Error(EFBIG, absl::StrCat(path, ": longer than ", kMaxConfigSize, " bytes"));
  }
  text.resize(size);
  return text;
}

Status CheckOnDisk(const oci::Spec& spec) {
  struct stat status;
  const std::string& root = spec.root().path();
  if (stat(root.c_str(), &status) != 0) return ErrnoError("config.json: root.path: stat", root);
  if (!S_ISDIR(status.st_mode)) {
    return MakeError(ENOTDIR, "config.json: root.path:", root);
  }
  for (int i = 0; i < spec.mounts_size(); ++i) {
    const oci::Mount& mount = spec.mounts(i);
    if (mount.type() != "bind") continue;
    if (stat(mount.source().c_str(), &status) != 0) {
      return ErrnoError(absl::StrCat("config.json: mounts[", i, "].source: stat"), mount.source());
    }
  }
  for (int i = 0; i < spec.linux().namespaces_size(); ++i) {
    const std::string& path = spec.linux().namespaces(i).path();
    if (!path.empty() && stat(path.c_str(), &status) != 0) {
      return ErrnoError(absl::StrCat("config.json: linux.namespaces[", i, "].path: stat"), path);
    }
  }
  return Ok();
}

}  // namespace

std::string Absolute(const std::string& base, const std::string& path) {
  if (!path.empty() && path[0] == '/') return path;
  return absl::StrCat(base, "/", path);
}

Status CopyStrings(const Node& node, std::string_view name,
                   google::protobuf::RepeatedPtrField<std::string>& out) {
  TRY_ASSIGN(std::vector<Node> elements, node.Array(name));
  for (const Node& element : elements) {
    TRY_ASSIGN(std::string text, element.AsString());
    if (text.empty()) return element.Wrong("must not be empty");
    *out.Add() = std::move(text);
  }
  return Ok();
}

Status CopyAbsolutePaths(const Node& node, std::string_view name,
                         google::protobuf::RepeatedPtrField<std::string>& out) {
  TRY_ASSIGN(std::vector<Node> elements, node.Array(name));
  for (const Node& element : elements) {
    TRY_ASSIGN(std::string text, element.AsString());
    if (text.empty() || text[0] != '/') return element.Wrong("must be an absolute path");
    *out.Add() = std::move(text);
  }
  return Ok();
}

Result<oci::Spec> ParseSpec(std::string_view text, const std::string& bundle) {
  Result<json::Value> value = json::Parse(text);
  if (!value.ok()) return std::move(value).error().WithContext(kFile);
  Node config(*value, std::string(kFile));
  TRY(config.ExpectObject());
  oci::Spec spec;
  TRY(ParseVersion(config, spec));
  TRY(RefuseUnsupported(config));
  TRY_ASSIGN(Node process, config.RequiredObject("process"));
  TRY(ParseProcess(process, *spec.mutable_process()));
  TRY_ASSIGN(Node root, config.RequiredObject("root"));
  TRY_ASSIGN(std::string root_path, root.RequiredString("path"));
  TRY_ASSIGN(bool readonly, root.BoolOr("readonly", false));
  spec.mutable_root()->set_path(Absolute(bundle, root_path));
  spec.mutable_root()->set_readonly(readonly);
  TRY(ParseNames(config, spec));
  TRY(ParseMounts(config, bundle, spec));
  TRY_ASSIGN(std::optional<Node> hooks, config.Object("hooks"));
  if (hooks) TRY(ParseHooks(*hooks, *spec.mutable_hooks()));
  TRY(ParseAnnotations(config, spec));
  TRY_ASSIGN(std::optional<Node> linux_node, config.Object("linux"));
  spec.mutable_linux();
  if (linux_node) TRY(ParseLinux(*linux_node, *spec.mutable_linux()));
  auto& sysctls = *spec.mutable_linux()->mutable_sysctl();
  if (auto name = sysctls.find("kernel/domainname"); name != sysctls.end()) {
    if (name->second.size() > kMaxHostname) {
      return config.WrongMember("linux.sysctl", "kernel.domainname is too long");
    }
    spec.set_domainname(name->second);
    sysctls.erase(name);
  }
  return spec;
}

Result<oci::Process> LoadProcess(const std::string& path) {
  TRY_ASSIGN(std::string text, ReadJson(path));
  LOG_DEBUG("process in ", path, ":\n", text);
  Result<json::Value> value = json::Parse(text);
  if (!value.ok()) return std::move(value).error().WithContext(kProcessFile);
  Node node(*value, std::string(kProcessFile));
  oci::Process process;
  TRY(ParseProcess(node, process));
  if (!node.Has("capabilities")) process.clear_capabilities();
  return process;
}

Result<oci::Spec> LoadSpec(const std::string& bundle) {
  TRY_ASSIGN(std::string text, ReadJson(absl::StrCat(bundle, "/", std::string(kFile))));
  LOG_DEBUG("specification in ", bundle, ":\n", text);
  TRY_ASSIGN(oci::Spec spec, ParseSpec(text, bundle));
  TRY(CheckOnDisk(spec));
  return spec;
}

}  // namespace runsc::spec
