#include "bin/runsc-create/launch/seccomp_profile.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "bin/runsc-boot/seccomp/filter.h"

namespace runsc::create {
namespace {

uint32_t Verdict(const std::string& bytes, int call, uint64_t first = 0) {
  std::vector<sock_filter> program(bytes.size() / sizeof(sock_filter));
  std::memcpy(program.data(), bytes.data(), bytes.size());
  auto filter = boot::seccomp::Filter::Create(std::move(program), nullptr, {});
  if (!filter.ok()) return 1;
  seccomp_data data{};
  data.nr = call;
  data.arch = AUDIT_ARCH_X86_64;
  data.args[0] = first;
  return (*filter)->Evaluate(data).action;
}

oci::SeccompRule* Add(oci::Seccomp& profile, const char* action,
                      std::initializer_list<const char*> names) {
  oci::SeccompRule* rule = profile.add_rules();
  rule->set_action(action);
  for (const char* name : names) rule->add_names(name);
  return rule;
}
void AddArg(oci::SeccompRule* rule, const char* op, uint64_t value, uint64_t value_two = 0) {
  oci::SeccompArgument* arg = rule->add_args();
  arg->set_op(op);
  arg->set_value(value);
  arg->set_value_two(value_two);
}

TEST(CompileSeccompProfile, ActionsAndDefaults) {
  oci::Seccomp profile;
  profile.set_default_action("SCMP_ACT_ERRNO");
  profile.set_default_errno(ENXIO);
  Add(profile, "SCMP_ACT_ALLOW", {"read", "no_such_call", "landlock_create_ruleset"});
  Add(profile, "SCMP_ACT_ERRNO", {"getpid"})->set_errno_value(EDOM);
  Add(profile, "SCMP_ACT_TRAP", {"getuid"});
  Add(profile, "SCMP_ACT_KILL_PROCESS", {"getgid"});
  Add(profile, "SCMP_ACT_KILL", {"geteuid"});
  auto program = CompileSeccompProfile(profile);
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(Verdict(*program, SYS_read), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Verdict(*program, SYS_write), SECCOMP_RET_ERRNO | ENXIO);
  EXPECT_EQ(Verdict(*program, SYS_getpid), SECCOMP_RET_ERRNO | EDOM);
  EXPECT_EQ(Verdict(*program, SYS_getuid), SECCOMP_RET_TRAP);
  EXPECT_EQ(Verdict(*program, SYS_getgid), SECCOMP_RET_KILL_PROCESS);
  EXPECT_EQ(Verdict(*program, SYS_geteuid), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(Verdict(*program, 450), SECCOMP_RET_ERRNO | ENOSYS);
}

TEST(CompileSeccompProfile, ConditionsOnOneArgumentAreAlternatives) {
  oci::Seccomp profile;
  profile.set_default_action("SCMP_ACT_ERRNO");
  oci::SeccompRule* rule = Add(profile, "SCMP_ACT_ALLOW", {"personality"});
  AddArg(rule, "SCMP_CMP_EQ", 0);
  AddArg(rule, "SCMP_CMP_EQ", 8);
  AddArg(Add(profile, "SCMP_ACT_ALLOW", {"clone"}), "SCMP_CMP_MASKED_EQ", 0x7e020000, 0);
  auto program = CompileSeccompProfile(profile);
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(Verdict(*program, SYS_personality, 8), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Verdict(*program, SYS_personality, 4), SECCOMP_RET_ERRNO | EPERM);
  EXPECT_EQ(Verdict(*program, SYS_clone, 0x11), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Verdict(*program, SYS_clone, 0x10000011), SECCOMP_RET_ERRNO | EPERM);
}

TEST(CompileSeccompProfile, NotifyNeedsAListener) {
  oci::Seccomp profile;
  profile.set_default_action("SCMP_ACT_ALLOW");
  Add(profile, "SCMP_ACT_NOTIFY", {"mkdir"});
  EXPECT_EQ(CompileSeccompProfile(profile).code(), EINVAL);
}

}  // namespace
}  // namespace runsc::create
