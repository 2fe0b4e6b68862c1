#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "bin/runsc-create/spec/sections.h"
#include "common/capability_names.h"
#include "common/log.h"

namespace runsc::spec {
namespace {

// execve(2) refuses longer single strings (MAX_ARG_STRLEN, 32 pages).
constexpr size_t kMaxStringLength = 32 * 4096 - 1;

Status ParseUser(const Node& node, oci::User& out) {
  TRY_ASSIGN(uint32_t uid, node.Unsigned32Or("uid", 0));
  TRY_ASSIGN(uint32_t gid, node.Unsigned32Or("gid", 0));
  // -1 means "leave it" to the calls that change ids.
  if (uid == UINT32_MAX) return node.WrongMember("uid", "out of range");
  if (gid == UINT32_MAX) return node.WrongMember("gid", "out of range");
  out.set_uid(uid);
  out.set_gid(gid);
  TRY_ASSIGN(std::optional<uint64_t> umask, node.OptionalUnsigned("umask", 0777));
  if (umask) out.set_umask(static_cast<uint32_t>(*umask));
  TRY_ASSIGN(std::vector<Node> groups, node.Array("additionalGids"));
  for (const Node& group : groups) {
    TRY_ASSIGN(uint64_t id, group.AsUnsigned(UINT32_MAX - 1));
    out.add_additional_gids(static_cast<uint32_t>(id));
  }
  return Ok();
}

Result<uint64_t> ParseCapabilitySet(const Node& node, std::string_view name) {
  uint64_t set = 0;
  TRY_ASSIGN(std::vector<Node> elements, node.Array(name));
  for (const Node& element : elements) {
    TRY_ASSIGN(std::string capability, element.AsString());
    std::optional<int> number = CapabilityByName(capability);
    if (!number) return element.Wrong(absl::StrCat("unknown capability \"", capability, "\""));
    set |= uint64_t{1} << *number;
  }
  return set;
}

Status ParseCapabilities(const Node& node, oci::Capabilities& out) {
  TRY_ASSIGN(uint64_t bounding, ParseCapabilitySet(node, "bounding"));
  TRY_ASSIGN(uint64_t effective, ParseCapabilitySet(node, "effective"));
  TRY_ASSIGN(uint64_t inheritable, ParseCapabilitySet(node, "inheritable"));
  TRY_ASSIGN(uint64_t permitted, ParseCapabilitySet(node, "permitted"));
  TRY_ASSIGN(uint64_t ambient, ParseCapabilitySet(node, "ambient"));
  if ((effective & ~permitted) != 0) {
    return node.WrongMember("effective", "must be a subset of permitted");
  }
  out.set_bounding(bounding);
  out.set_effective(effective);
  out.set_inheritable(inheritable);
  out.set_permitted(permitted);
  // Linux has no ambient capability that is not permitted and inheritable.
  out.set_ambient(ambient & permitted & inheritable);
  return Ok();
}

constexpr std::array<std::pair<std::string_view, uint32_t>, 16> kRlimits = {{
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_STACK", RLIMIT_STACK},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
}};

Status ParseRlimit(const Node& node, oci::Process& out) {
  TRY(node.ExpectObject());
  TRY_ASSIGN(std::string type, node.RequiredString("type"));
  const auto* known = std::find_if(kRlimits.begin(), kRlimits.end(),
                                   [&](const auto& entry) { return entry.first == type; });
  if (known == kRlimits.end()) {
    return node.WrongMember("type", absl::StrCat("unknown limit \"", type, "\""));
  }
  for (const oci::Rlimit& other : out.rlimits()) {
    if (other.resource() == known->second) {
      return node.WrongMember("type", absl::StrCat(type, " is there twice"));
    }
  }
  TRY_ASSIGN(std::optional<uint64_t> soft, node.OptionalUnsigned("soft"));
  TRY_ASSIGN(std::optional<uint64_t> hard, node.OptionalUnsigned("hard"));
  if (!soft) return node.WrongMember("soft", "missing");
  if (!hard) return node.WrongMember("hard", "missing");
  if (*soft > *hard) return node.WrongMember("soft", "must not be above the hard limit");
  oci::Rlimit* limit = out.add_rlimits();
  limit->set_resource(known->second);
  limit->set_soft(*soft);
  limit->set_hard(*hard);
  return Ok();
}

Status ParseProgram(const Node& node, oci::Process& out) {
  TRY_ASSIGN(std::vector<Node> args, node.Array("args"));
  if (args.empty()) return node.WrongMember("args", "must not be empty");
  for (const Node& arg : args) {
    TRY_ASSIGN(std::string text, arg.AsString());
    if (text.size() > kMaxStringLength) return arg.Wrong("too long");
    out.add_args(std::move(text));
  }
  if (out.args(0).empty()) return args[0].Wrong("must not be empty");

  TRY_ASSIGN(std::vector<Node> env, node.Array("env"));
  for (const Node& variable : env) {
    TRY_ASSIGN(std::string text, variable.AsString());
    if (text.size() > kMaxStringLength) return variable.Wrong("too long");
    size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return variable.Wrong("must have the form NAME=value");
    }
    out.add_env(std::move(text));
  }

  TRY_ASSIGN(std::string cwd, node.RequiredString("cwd"));
  if (cwd[0] != '/') return node.WrongMember("cwd", "must be an absolute path");
  if (cwd.size() >= 4096) return node.WrongMember("cwd", "too long");
  out.set_cwd(std::move(cwd));
  return Ok();
}

Status ParseLabels(const Node& node) {
  TRY_ASSIGN(std::string selinux, node.StringOrEmpty("selinuxLabel"));
  if (!selinux.empty()) return node.WrongMember("selinuxLabel", "SELinux is not supported");
  TRY_ASSIGN(std::string apparmor, node.StringOrEmpty("apparmorProfile"));
  if (!apparmor.empty()) {
    LOG_WARNING("config.json: process.apparmorProfile: AppArmor is not supported; \"", apparmor,
                "\" is ignored");
  }
  return Ok();
}

}  // namespace

Status ParseProcess(const Node& node, oci::Process& out) {
  TRY(node.ExpectObject());
  TRY(ParseProgram(node, out));
  TRY_ASSIGN(bool terminal, node.BoolOr("terminal", false));
  out.set_terminal(terminal);
  TRY_ASSIGN(std::optional<Node> size, node.Object("consoleSize"));
  if (size) {
    TRY_ASSIGN(uint32_t height, size->Unsigned32Or("height", 0));
    TRY_ASSIGN(uint32_t width, size->Unsigned32Or("width", 0));
    out.mutable_console_size()->set_height(height);
    out.mutable_console_size()->set_width(width);
  }
  TRY_ASSIGN(std::optional<Node> user, node.Object("user"));
  out.mutable_user();
  if (user) TRY(ParseUser(*user, *out.mutable_user()));
  TRY_ASSIGN(std::optional<Node> capabilities, node.Object("capabilities"));
  out.mutable_capabilities();
  if (capabilities) TRY(ParseCapabilities(*capabilities, *out.mutable_capabilities()));
  TRY_ASSIGN(std::vector<Node> limits, node.Array("rlimits"));
  for (const Node& limit : limits) TRY(ParseRlimit(limit, out));
  TRY_ASSIGN(bool no_new_privileges, node.BoolOr("noNewPrivileges", false));
  out.set_no_new_privileges(no_new_privileges);
  TRY_ASSIGN(std::optional<int64_t> oom, node.OptionalInteger("oomScoreAdj"));
  if (oom && (*oom < -1000 || *oom > 1000)) {
    return node.WrongMember("oomScoreAdj", "must be between -1000 and 1000");
  }
  if (oom) out.set_oom_score_adj(static_cast<int32_t>(*oom));
  return ParseLabels(node);
}

}  // namespace runsc::spec
