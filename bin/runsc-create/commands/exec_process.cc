#include "bin/runsc-create/commands/exec_process.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bin/runsc-create/spec/parse.h"
#include "common/capability_names.h"
#include "common/log.h"

namespace runsc::create {
namespace {

Result<uint32_t> ParseId(absl::string_view text, const char* what) {
  uint32_t id = 0;
  if (!absl::SimpleAtoi(text, &id) || id == UINT32_MAX) {
    return Error(EINVAL, absl::StrCat(what, ": \"", text, "\" is not a number of an id"));
  }
  return id;
}

Status SetUser(const std::string& text, oci::User& user) {
  std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  TRY_ASSIGN(uint32_t uid, ParseId(parts[0], "--user"));
  user.set_uid(uid);
  if (parts.size() == 1) return Ok();
  TRY_ASSIGN(uint32_t gid, ParseId(parts[1], "--user"));
  user.set_gid(gid);
  return Ok();
}

// As runc: not the inheritable set, so a program without file capabilities
// does not pass them on.
Status AddCapability(const std::string& name, oci::Capabilities& capabilities) {
  std::optional<int> number = CapabilityByName(name);
  if (!number) return Error(EINVAL, absl::StrCat("--cap: unknown capability \"", name, "\""));
  const uint64_t bit = uint64_t{1} << *number;
  capabilities.set_bounding(capabilities.bounding() | bit);
  capabilities.set_effective(capabilities.effective() | bit);
  capabilities.set_permitted(capabilities.permitted() | bit);
  return Ok();
}

Status CheckEnvironment(const std::string& variable) {
  size_t equals = variable.find('=');
  if (equals != std::string::npos && equals != 0) return Ok();
  return Error(EINVAL, absl::StrCat("--env: \"", variable, "\" does not have the form NAME=value"));
}

Result<oci::Process> FromFlags(const ExecOptions& exec, const oci::Process& base) {
  if (exec.args.empty() || exec.args[0].empty()) {
    return Error(EINVAL, "exec needs a command, or --process FILE");
  }
  oci::Process process = base;
  process.clear_args();
  for (const std::string& arg : exec.args) process.add_args(arg);
  process.set_terminal(exec.terminal);
  process.clear_console_size();
  if (!exec.cwd.empty()) {
    if (exec.cwd[0] != '/') return Error(EINVAL, "--cwd: must be an absolute path");
    process.set_cwd(exec.cwd);
  }
  for (const std::string& variable : exec.env) {
    TRY(CheckEnvironment(variable));
    process.add_env(variable);
  }
  if (!exec.user.empty()) TRY(SetUser(exec.user, *process.mutable_user()));
  for (const std::string& group : exec.additional_gids) {
    TRY_ASSIGN(uint32_t gid, ParseId(group, "--additional-gids"));
    process.mutable_user()->add_additional_gids(gid);
  }
  for (const std::string& name : exec.capabilities) {
    TRY(AddCapability(name, *process.mutable_capabilities()));
  }
  if (exec.no_new_privileges) process.set_no_new_privileges(true);
  return process;
}

Result<oci::Process> FromFile(const ExecOptions& exec, const oci::Process& base) {
  TRY_ASSIGN(oci::Process process, spec::LoadProcess(exec.process_file));
  if (!process.has_capabilities()) *process.mutable_capabilities() = base.capabilities();
  if (process.rlimits().empty()) *process.mutable_rlimits() = base.rlimits();
  if (!process.user().has_umask() && base.user().has_umask()) {
    process.mutable_user()->set_umask(base.user().umask());
  }
  process.clear_oom_score_adj();
  if (base.has_oom_score_adj()) process.set_oom_score_adj(base.oom_score_adj());
  return process;
}

}  // namespace

Result<oci::Process> MakeExecProcess(const ExecOptions& exec, const oci::Process& base) {
  if (!exec.process_label.empty()) {
    return Error(EINVAL, "--process-label: SELinux is not supported");
  }
  if (!exec.apparmor.empty()) {
    LOG_WARNING("--apparmor: AppArmor is not supported; \"", exec.apparmor, "\" is ignored");
  }
  if (!exec.process_file.empty()) return FromFile(exec, base);
  return FromFlags(exec, base);
}

}  // namespace runsc::create
