#include "bin/runsc-create/spec/sections.h"

namespace runsc::spec {
namespace {

Status ParseHook(const Node& node, oci::Hook& out) {
  TRY(node.ExpectObject());
  TRY_ASSIGN(std::string path, node.RequiredString("path"));
  if (path[0] != '/') return node.WrongMember("path", "must be an absolute path");
  out.set_path(std::move(path));
  TRY_ASSIGN(std::vector<std::string> args, node.Strings("args"));
  for (std::string& arg : args) out.add_args(std::move(arg));
  TRY_ASSIGN(std::vector<std::string> env, node.Strings("env"));
  for (std::string& variable : env) out.add_env(std::move(variable));
  out.set_has_env(node.Has("env"));
  if (std::optional<Node> timeout = node.Get("timeout")) {
    TRY_ASSIGN(int64_t seconds, timeout->AsInteger(1, INT32_MAX));
    out.set_timeout_seconds(static_cast<uint32_t>(seconds));
  }
  return Ok();
}

Status ParseList(const Node& node, std::string_view name,
                 google::protobuf::RepeatedPtrField<oci::Hook>& out) {
  TRY_ASSIGN(std::vector<Node> hooks, node.Array(name));
  for (const Node& hook : hooks) TRY(ParseHook(hook, *out.Add()));
  return Ok();
}

}  // namespace

Status ParseHooks(const Node& node, oci::Hooks& out) {
  TRY(ParseList(node, "prestart", *out.mutable_prestart()));
  TRY(ParseList(node, "createRuntime", *out.mutable_create_runtime()));
  TRY(ParseList(node, "createContainer", *out.mutable_create_container()));
  TRY(ParseList(node, "startContainer", *out.mutable_start_container()));
  TRY(ParseList(node, "poststart", *out.mutable_poststart()));
  return ParseList(node, "poststop", *out.mutable_poststop());
}

}  // namespace runsc::spec
