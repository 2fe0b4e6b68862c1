#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bin/runsc-create/spec/sections.h"

namespace runsc::spec {
namespace {

constexpr std::array<std::string_view, 9> kActions = {
    "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO",        "SCMP_ACT_KILL",
    "SCMP_ACT_TRAP",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_TRACE", "SCMP_ACT_LOG",          "SCMP_ACT_NOTIFY",
};

constexpr std::array<std::string_view, 7> kOperators = {
    "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",        "SCMP_CMP_EQ",
    "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
};

Result<std::string> ParseAction(const Node& node, std::string_view name) {
  TRY_ASSIGN(std::string action, node.RequiredString(name));
  if (std::find(kActions.begin(), kActions.end(), action) == kActions.end()) {
    return node.WrongMember(name, absl::StrCat("unknown action \"", action, "\""));
  }
  return action;
}

Status ParseArgument(const Node& node, oci::SeccompArgument& out) {
  TRY(node.ExpectObject());
  TRY_ASSIGN(uint32_t index, node.Unsigned32Or("index", 0));
  if (index > 5) return node.WrongMember("index", "must be at most 5");
  TRY_ASSIGN(std::optional<uint64_t> value, node.OptionalUnsigned("value"));
  TRY_ASSIGN(std::optional<uint64_t> value_two, node.OptionalUnsigned("valueTwo"));
  TRY_ASSIGN(std::string op, node.RequiredString("op"));
  if (std::find(kOperators.begin(), kOperators.end(), op) == kOperators.end()) {
    return node.WrongMember("op", absl::StrCat("unknown operator \"", op, "\""));
  }
  out.set_index(index);
  out.set_value(value.value_or(0));
  out.set_value_two(value_two.value_or(0));
  out.set_op(std::move(op));
  return Ok();
}

Status ParseRule(const Node& node, oci::SeccompRule& out) {
  TRY(node.ExpectObject());
  TRY(CopyStrings(node, "names", *out.mutable_names()));
  if (out.names().empty()) return node.WrongMember("names", "must not be empty");
  TRY_ASSIGN(std::string action, ParseAction(node, "action"));
  out.set_action(std::move(action));
  TRY_ASSIGN(std::optional<uint64_t> value, node.OptionalUnsigned("errnoRet", 4095));
  if (value) out.set_errno_value(static_cast<uint32_t>(*value));
  TRY_ASSIGN(std::vector<Node> args, node.Array("args"));
  for (const Node& arg : args) TRY(ParseArgument(arg, *out.add_args()));
  return Ok();
}

}  // namespace

Status ParseSeccomp(const Node& node, oci::Seccomp& out) {
  TRY_ASSIGN(std::string action, ParseAction(node, "defaultAction"));
  out.set_default_action(std::move(action));
  TRY_ASSIGN(std::optional<uint64_t> value, node.OptionalUnsigned("defaultErrnoRet", 4095));
  if (value) out.set_default_errno(static_cast<uint32_t>(*value));
  TRY(CopyStrings(node, "architectures", *out.mutable_architectures()));
  for (const std::string& architecture : out.architectures()) {
    if (!absl::StartsWith(architecture, "SCMP_ARCH_")) {
      return node.WrongMember("architectures",
                              absl::StrCat("unknown architecture \"", architecture, "\""));
    }
  }
  TRY_ASSIGN(std::string listener, node.StringOrEmpty("listenerPath"));
  if (!listener.empty()) {
    return node.WrongMember("listenerPath", "listeners outside the sandbox are not supported");
  }
  TRY(CopyStrings(node, "flags", *out.mutable_flags()));
  TRY_ASSIGN(std::vector<Node> rules, node.Array("syscalls"));
  for (const Node& rule : rules) TRY(ParseRule(rule, *out.add_rules()));
  return Ok();
}

}  // namespace runsc::spec
