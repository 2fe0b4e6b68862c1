#include "bin/runsc-boot/sandbox/process.h"

#include <gtest/gtest.h>

#include "bin/runsc-boot/auth/user_namespace.h"

namespace runsc::boot {
namespace {

TEST(Process, IdsGoIntoAllFourPlaces) {
  oci::Process process;
  process.mutable_user()->set_uid(7);
  process.mutable_user()->set_gid(8);
  process.mutable_user()->add_additional_gids(9);
  process.set_no_new_privileges(true);
  Credentials credentials = CredentialsOf(process, UserNamespace::MakeInitial()).value();
  EXPECT_EQ(credentials.ruid, 7u);
  EXPECT_EQ(credentials.fsuid, 7u);
  EXPECT_EQ(credentials.sgid, 8u);
  EXPECT_TRUE(credentials.InGroup(8));
  EXPECT_TRUE(credentials.InGroup(9));
  EXPECT_TRUE(credentials.no_new_privs);
}

TEST(Process, IdsAreThoseOfTheContainersUserNamespace) {
  const UserNamespaceRef mapped = UserNamespace::MakeMapped("0 1000 10", "0 2000 10").value();
  oci::Process process;
  process.mutable_user()->set_uid(7);
  process.mutable_user()->set_gid(8);
  process.mutable_user()->add_additional_gids(9);
  Credentials credentials = CredentialsOf(process, mapped).value();
  EXPECT_EQ(credentials.euid, 1007u);
  EXPECT_EQ(credentials.egid, 2008u);
  EXPECT_EQ(credentials.groups, std::vector<gid_t>{2009});
  process.mutable_user()->set_uid(10);
  EXPECT_EQ(CredentialsOf(process, mapped).code(), EINVAL);
  process.mutable_user()->set_uid(7);
  process.mutable_user()->add_additional_gids(10);
  EXPECT_EQ(CredentialsOf(process, mapped).code(), EINVAL);
}

TEST(Process, CapabilitiesStayWithinTheSetsThatBoundThem) {
  oci::Process process;
  auto* capabilities = process.mutable_capabilities();
  capabilities->set_permitted(0b0110);
  capabilities->set_effective(0b1111);
  capabilities->set_inheritable(0b0010);
  capabilities->set_ambient(~uint64_t{0});
  capabilities->set_bounding(~uint64_t{0});
  Credentials credentials = CredentialsOf(process, UserNamespace::MakeInitial()).value();
  EXPECT_EQ(credentials.effective, 0b0110u);
  EXPECT_EQ(credentials.ambient, 0b0010u);
  EXPECT_EQ(credentials.bounding, kAllCapabilities);
}

TEST(Process, TheSpecificationsLimitsReplaceTheDefaults) {
  oci::Process process;
  auto* limit = process.add_rlimits();
  limit->set_resource(RLIMIT_NOFILE);
  limit->set_soft(10);
  limit->set_hard(20);
  auto limits = LimitsOf(process, 1 << 30);
  EXPECT_EQ(limits[RLIMIT_NOFILE].rlim_cur, 10u);
  EXPECT_EQ(limits[RLIMIT_NOFILE].rlim_max, 20u);
  EXPECT_EQ(limits[RLIMIT_STACK].rlim_cur, rlim_t{8 << 20});
  EXPECT_EQ(limits[RLIMIT_NPROC].rlim_max, rlim_t{4096});
}

}  // namespace
}  // namespace runsc::boot
