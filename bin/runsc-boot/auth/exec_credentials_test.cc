#include "bin/runsc-boot/auth/exec_credentials.h"

#include <gtest/gtest.h>
#include <linux/securebits.h>
#include <sys/stat.h>

#include <cstring>

namespace runsc::boot {
namespace {

constexpr CapabilitySet kBound = CapabilityBit(CAP_CHOWN) | CapabilityBit(CAP_NET_BIND_SERVICE);

Credentials User(uid_t uid) {
  Credentials credentials;
  credentials.ruid = credentials.euid = credentials.suid = credentials.fsuid = uid;
  credentials.rgid = credentials.egid = credentials.sgid = credentials.fsgid = uid;
  credentials.bounding = kBound;
  return credentials;
}

ExecCredentials After(const Credentials& old, const ExecutableFacts& file) {
  return CredentialsAfterExec(old, file).value();
}

TEST(ExecCredentials, RootGetsTheBoundingSet) {
  const ExecCredentials after = After(User(0), {.mode = 0755});
  EXPECT_EQ(after.credentials.permitted, kBound);
  EXPECT_EQ(after.credentials.effective, kBound);
  EXPECT_FALSE(after.secure);
}

TEST(ExecCredentials, NoRootMakesRootOrdinary) {
  Credentials root = User(0);
  root.securebits = 1u << SECURE_NOROOT;
  root.permitted = root.effective = kBound;
  EXPECT_EQ(After(root, {.mode = 0755}).credentials.permitted, 0u);
}

TEST(ExecCredentials, AUserLosesAllButTheAmbientSet) {
  Credentials user = User(1000);
  user.permitted = user.effective = user.inheritable = kBound;
  user.ambient = CapabilityBit(CAP_CHOWN);
  const ExecCredentials after = After(user, {.mode = 0755});
  EXPECT_EQ(after.credentials.permitted, CapabilityBit(CAP_CHOWN));
  EXPECT_EQ(after.credentials.effective, CapabilityBit(CAP_CHOWN));
  EXPECT_FALSE(after.secure);
}

TEST(ExecCredentials, SetUserIdChangesTheEffectiveUser) {
  Credentials user = User(1000);
  user.ambient = user.permitted = user.inheritable = CapabilityBit(CAP_CHOWN);
  const ExecutableFacts file{.mode = S_ISUID | 0755, .uid = 0};
  const ExecCredentials after = After(user, file);
  EXPECT_EQ(after.credentials.ruid, 1000u);
  EXPECT_EQ(after.credentials.euid, 0u);
  EXPECT_EQ(after.credentials.suid, 0u);
  EXPECT_EQ(after.credentials.fsuid, 0u);
  EXPECT_EQ(after.credentials.effective, kBound);
  EXPECT_EQ(after.credentials.ambient, 0u);
  EXPECT_TRUE(after.secure);
  EXPECT_TRUE(after.privileged);
}

TEST(ExecCredentials, SetIdBitsAreVoidWithNoNewPrivilegesOrNosuid) {
  Credentials user = User(1000);
  ExecutableFacts file{.mode = S_ISUID | S_ISGID | 0755, .uid = 0, .gid = 0};
  file.nosuid = true;
  EXPECT_EQ(After(user, file).credentials.euid, 1000u);
  file.nosuid = false;
  user.no_new_privs = true;
  const ExecCredentials after = After(user, file);
  EXPECT_EQ(after.credentials.euid, 1000u);
  EXPECT_EQ(after.credentials.egid, 1000u);
  EXPECT_EQ(after.credentials.permitted, 0u);
}

TEST(ExecCredentials, SetGroupIdNeedsGroupExecute) {
  const ExecutableFacts file{.mode = S_ISGID | 0705, .uid = 0, .gid = 7};
  EXPECT_EQ(After(User(1000), file).credentials.egid, 1000u);
}

TEST(ExecCredentials, FileCapabilitiesAreLimitedByTheBoundingSet) {
  ExecutableFacts file{.mode = 0755};
  file.capabilities =
      FileCapabilities{CapabilityBit(CAP_CHOWN) | CapabilityBit(CAP_SYS_ADMIN), 0, true};
  // A program that expects all of them does not run with some.
  EXPECT_EQ(CredentialsAfterExec(User(1000), file).code(), EPERM);
  file.capabilities->effective = false;
  const ExecCredentials after = After(User(1000), file);
  EXPECT_EQ(after.credentials.permitted, CapabilityBit(CAP_CHOWN));
  EXPECT_EQ(after.credentials.effective, 0u);
  EXPECT_TRUE(after.secure);
}

TEST(ExecCredentials, ParsesOnlyWellFormedFileCapabilities) {
  vfs_cap_data data{};
  data.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
  data.data[0].permitted = 1u << CAP_CHOWN;
  std::string attribute(reinterpret_cast<char*>(&data), sizeof(data));
  const auto parsed = ParseFileCapabilities(attribute);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->permitted, CapabilityBit(CAP_CHOWN));
  EXPECT_TRUE(parsed->effective);
  EXPECT_FALSE(ParseFileCapabilities(attribute.substr(1)).has_value());
  EXPECT_FALSE(ParseFileCapabilities("").has_value());
  attribute[3] = 9;
  EXPECT_FALSE(ParseFileCapabilities(attribute).has_value());
}

}  // namespace
}  // namespace runsc::boot
