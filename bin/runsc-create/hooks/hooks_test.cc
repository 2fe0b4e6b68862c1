#include "bin/runsc-create/hooks/hooks.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>

namespace runsc::create {
namespace {

using HookList = google::protobuf::RepeatedPtrField<oci::Hook>;

HookList Shell(const std::string& script) {
  HookList hooks;
  oci::Hook* hook = hooks.Add();
  hook->set_path("/bin/sh");
  for (const char* arg : {"sh", "-c"}) hook->add_args(arg);
  hook->add_args(script);
  return hooks;
}

std::string ErrorOf(const HookList& hooks) {
  Status status = RunHooks("prestart", hooks, "{}");
  return status.ok() ? "(ok)" : status.error().message();
}

TEST(RunHooks, GetTheStateOnStandardInput) {
  std::string file = testing::TempDir() + "/hook_state";
  Status status = RunHooks("prestart", Shell("cat > " + file), R"({"id":"c1"})");
  ASSERT_TRUE(status.ok()) << status.error().ToString();
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  EXPECT_EQ(text.str(), R"({"id":"c1"})");
}

TEST(RunHooks, EnvironmentIsTheHooksOwnWhenItHasOne) {
  setenv("HOOK_TEST", "outer", 1);
  HookList hooks = Shell(R"(test "$HOOK_TEST" = outer)");
  EXPECT_EQ(ErrorOf(hooks), "(ok)");
  hooks = Shell(R"(test "$HOOK_TEST" = inner && test -z "$HOME")");
  hooks[0].set_has_env(true);
  hooks[0].add_env("HOOK_TEST=inner");
  EXPECT_EQ(ErrorOf(hooks), "(ok)");
}

TEST(RunHooks, FailureIsNamedWithWhatTheHookSaid) {
  EXPECT_EQ(ErrorOf(Shell("echo no >&2; exit 3")),
            "hooks.prestart[0] /bin/sh: exited with code 3: no");
  EXPECT_EQ(ErrorOf(Shell("kill -9 $$")), "hooks.prestart[0] /bin/sh: was killed by signal 9");
  HookList missing;
  missing.Add()->set_path("/nonexistent");
  EXPECT_EQ(ErrorOf(missing),
            "hooks.prestart[0] /nonexistent: exited with code 127: No such file or directory");
}

TEST(RunHooks, TimeoutEndsTheHook) {
  HookList hooks = Shell("exec sleep 100");
  hooks[0].set_timeout_seconds(1);
  EXPECT_EQ(ErrorOf(hooks), "hooks.prestart[0] /bin/sh: took longer than 1 s");
}

TEST(RunHooks, StopsAtTheFirstFailure) {
  HookList hooks = Shell("exit 1");
  *hooks.Add() = Shell("exit 2")[0];
  EXPECT_EQ(ErrorOf(hooks), "hooks.prestart[0] /bin/sh: exited with code 1");
}

}  // namespace
}  // namespace runsc::create
