#include "bin/runsc-create/launch/seccomp_profile.h"

#include <linux/filter.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file_descriptor.h"
#include "common/log.h"

namespace runsc::create {
namespace {

using Context = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

std::optional<uint32_t> ActionOf(const std::string& name, uint32_t value) {
  if (name == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(value);
  if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SCMP_ACT_KILL_THREAD;
  if (name == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
  if (name == "SCMP_ACT_TRAP") return SCMP_ACT_TRAP;
  if (name == "SCMP_ACT_TRACE") return SCMP_ACT_TRACE(value);
  if (name == "SCMP_ACT_LOG") return SCMP_ACT_LOG;
  return std::nullopt;
}

scmp_compare OperatorOf(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, scmp_compare>, 7> kOperators = {{
      {"SCMP_CMP_NE", SCMP_CMP_NE},
      {"SCMP_CMP_LT", SCMP_CMP_LT},
      {"SCMP_CMP_LE", SCMP_CMP_LE},
      {"SCMP_CMP_EQ", SCMP_CMP_EQ},
      {"SCMP_CMP_GE", SCMP_CMP_GE},
      {"SCMP_CMP_GT", SCMP_CMP_GT},
      {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
  }};
  for (const auto& [known, value] : kOperators) {
    if (known == name) return value;
  }
  return SCMP_CMP_EQ;  // the parser has refused others
}

Error Wrong(const std::string& what) {
  return Error(EINVAL, absl::StrCat("config.json: linux.seccomp: ", what));
}

// Conditions on the same argument are alternatives, others hold together.
Status AddRule(scmp_filter_ctx context, uint32_t action, int call, const std::string& name,
               const oci::SeccompRule& rule) {
  std::vector<scmp_arg_cmp> conditions;
  std::set<uint32_t> indices;
  for (const oci::SeccompArgument& arg : rule.args()) {
    conditions.push_back({arg.index(), OperatorOf(arg.op()), arg.value(), arg.value_two()});
    indices.insert(arg.index());
  }
  auto add = [&](size_t count, const scmp_arg_cmp* first) -> Status {
    const int result =
        seccomp_rule_add_array(context, action, call, static_cast<unsigned>(count), first);
    // Negative numbers are calls of other architectures.
    if (result < 0 && call >= 0) return Wrong(absl::StrCat("rule for ", name, " cannot be built"));
    return Ok();
  };
  if (indices.size() == conditions.size()) return add(conditions.size(), conditions.data());
  for (const scmp_arg_cmp& condition : conditions) TRY(add(1, &condition));
  return Ok();
}

Result<std::string> Export(scmp_filter_ctx context) {
  FileDescriptor file(memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) return ErrnoError("memfd_create", "seccomp program");
  if (const int result = seccomp_export_bpf(context, file.get()); result < 0) {
    return MakeError(-result, "compile", "linux.seccomp");
  }
  const off_t size = lseek(file.get(), 0, SEEK_END);
  std::string program(static_cast<size_t>(std::max<off_t>(size, 0)), '\0');
  if (pread(file.get(), program.data(), program.size(), 0) != size) {
    return ErrnoError("read", "seccomp program");
  }
  return program;
}

std::string RefuseNewerThan(int last_call) {
  const sock_filter prologue[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, static_cast<uint32_t>(last_call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SCMP_ACT_ERRNO(ENOSYS)),
  };
  return std::string(reinterpret_cast<const char*>(prologue), sizeof(prologue));
}

}  // namespace

Result<std::string> CompileSeccompProfile(const oci::Seccomp& profile) {
  const uint32_t default_errno = profile.has_default_errno() ? profile.default_errno() : EPERM;
  const std::optional<uint32_t> fallback = ActionOf(profile.default_action(), default_errno);
  if (!fallback.has_value()) return Wrong("SCMP_ACT_NOTIFY is not supported as default action");
  Context context(seccomp_init(*fallback), seccomp_release);
  if (!context) return MakeError(ENOMEM, "compile", "linux.seccomp");
  // A tree, so that the cost of a call does not depend on its place.
  (void)seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  int last_call = -1;
  for (const oci::SeccompRule& rule : profile.rules()) {
    const uint32_t value = rule.has_errno_value() ? rule.errno_value() : EPERM;
    const std::optional<uint32_t> action = ActionOf(rule.action(), value);
    if (!action.has_value()) return Wrong("SCMP_ACT_NOTIFY needs listenerPath, not supported");
    for (const std::string& name : rule.names()) {
      const int call = seccomp_syscall_resolve_name(name.c_str());
      if (call == __NR_SCMP_ERROR) {
        LOG_DEBUG("config.json: linux.seccomp: unknown system call ", name, ", ignored");
        continue;
      }
      last_call = std::max(last_call, call);
      if (*action == *fallback) continue;
      TRY(AddRule(context.get(), *action, call, name, rule));
    }
  }
  TRY_ASSIGN(std::string program, Export(context.get()));
  const bool allows = *fallback == SCMP_ACT_ALLOW || *fallback == SCMP_ACT_LOG;
  if (!allows && last_call >= 0) program = RefuseNewerThan(last_call) + program;
  return program;
}

}  // namespace runsc::create
