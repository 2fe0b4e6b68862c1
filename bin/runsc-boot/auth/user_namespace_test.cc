#include "bin/runsc-boot/auth/user_namespace.h"

#include <gtest/gtest.h>

namespace runsc::boot {
namespace {

Credentials Root() { return RootOf(UserNamespace::MakeInitial()); }

Credentials Inside(const Credentials& creator) {
  return CredentialsInside(creator, UserNamespace::Make(creator).value());
}

TEST(IdMapTest, RefusesWhatLinuxRefuses) {
  for (const char* text : {"", "0 0", "0 0 0", "0 0 1 1", "0 0 1\n0 5 1", "0 5 1\n1 5 1", "x 0 1",
                           "4294967295 0 1", "4294967290 0 10", "0 0 1\n\n", "-1 0 1"}) {
    EXPECT_EQ(IdMap::Parse(text).code(), EINVAL) << text;
  }
  EXPECT_TRUE(IdMap::Parse("  0 1000   1  \n 1 2000 10").ok());
}

TEST(UserNamespaceTest, MapsIdsBothWaysAndOnlyOnce) {
  Credentials root = Root(), inside = Inside(root);
  EXPECT_EQ(inside.ShownUid(0), kOverflowId);
  EXPECT_EQ(inside.KernelUid(0), kNoId);
  UserNamespace& space = *inside.user_namespace;
  ASSERT_TRUE(space.SetMap(UserNamespace::Ids::kUsers, root, "0 1000 10").ok());
  EXPECT_EQ(space.SetMap(UserNamespace::Ids::kUsers, root, "0 1000 10").code(), EPERM);
  EXPECT_EQ(inside.KernelUid(3), 1003u);
  EXPECT_EQ(inside.ShownUid(1003), 3u);
  EXPECT_EQ(inside.ShownUid(1010), kOverflowId);
  EXPECT_EQ(space.MapText(UserNamespace::Ids::kUsers, root), "         0       1000         10\n");
}

TEST(UserNamespaceTest, AContainersRootIsAnotherUserOutside) {
  const UserNamespaceRef space =
      UserNamespace::MakeMapped("0 100000 1000\n1000 5 1\n", "0 200000 1000\n").value();
  const Credentials root = RootOf(space);
  EXPECT_EQ(root.euid, 100000u);
  EXPECT_EQ(root.fsgid, 200000u);
  EXPECT_EQ(root.ShownUid(5), 1000u);
  EXPECT_TRUE(root.Has(CAP_SYS_ADMIN));
  EXPECT_FALSE(root.HasInitially(CAP_MKNOD));
  EXPECT_FALSE(root.HasOver(0, 0, CAP_DAC_OVERRIDE));
  // As its own programs read it.
  EXPECT_EQ(space->MapText(UserNamespace::Ids::kUsers, root),
            "         0     100000       1000\n      1000          5          1\n");
}

TEST(UserNamespaceTest, AContainersMapMustBeOne) {
  EXPECT_EQ(UserNamespace::MakeMapped("", "0 0 1\n").code(), EINVAL);
  EXPECT_EQ(UserNamespace::MakeMapped("0 0 1\n", "0 5 2\n1 9 1\n").code(), EINVAL);
}

TEST(UserNamespaceTest, CapabilitiesCountBelowAndNotAbove) {
  Credentials root = Root(), inside = Inside(root);
  EXPECT_TRUE(inside.HasIn(*inside.user_namespace, CAP_SYS_ADMIN));
  EXPECT_FALSE(inside.HasIn(*root.user_namespace, CAP_SYS_ADMIN));
  EXPECT_FALSE(inside.HasInitially(CAP_SYS_ADMIN));
  EXPECT_TRUE(root.HasIn(*inside.user_namespace, CAP_SYS_ADMIN));
  Credentials maker = root;
  maker.effective = 0;
  EXPECT_TRUE(maker.HasIn(*inside.user_namespace, CAP_SYS_ADMIN));
  maker.euid = 1;
  EXPECT_FALSE(maker.HasIn(*inside.user_namespace, CAP_SYS_ADMIN));
}

TEST(UserNamespaceTest, SiblingsHaveNothingInEachOther) {
  Credentials root = Root(), a = Inside(root), b = Inside(root);
  EXPECT_FALSE(a.HasIn(*b.user_namespace, CAP_SYS_ADMIN));
}

TEST(UserNamespaceTest, GroupsNeedDenyForTheUnprivileged) {
  Credentials user = Root();
  user.ruid = user.euid = user.suid = user.fsuid = 1000;
  user.rgid = user.egid = user.sgid = user.fsgid = 1000;
  user.effective = user.permitted = 0;
  Credentials inside = Inside(user);
  UserNamespace& space = *inside.user_namespace;
  EXPECT_EQ(space.SetMap(UserNamespace::Ids::kGroups, inside, "0 1000 1").code(), EPERM);
  EXPECT_FALSE(space.MaySetGroups());
  ASSERT_TRUE(space.SetSetGroups("deny\n").ok());
  EXPECT_EQ(space.SetSetGroups("allow").code(), EPERM);
  EXPECT_TRUE(space.SetMap(UserNamespace::Ids::kGroups, inside, "0 1000 1").ok());
  EXPECT_FALSE(space.MaySetGroups());
  EXPECT_EQ(space.SetSetGroups("deny").code(), EPERM);
  EXPECT_EQ(space.SetMap(UserNamespace::Ids::kUsers, inside, "0 1001 1").code(), EPERM);
  EXPECT_TRUE(space.SetMap(UserNamespace::Ids::kUsers, inside, "0 1000 1").ok());
}

TEST(UserNamespaceTest, DepthIsBounded) {
  Credentials credentials = Root();
  for (int level = 0; level <= UserNamespace::kMaxLevel; ++level) {
    credentials = Inside(credentials);
    ASSERT_TRUE(
        credentials.user_namespace->SetMap(UserNamespace::Ids::kUsers, credentials, "0 0 1").ok());
    ASSERT_TRUE(credentials.user_namespace->SetSetGroups("deny").ok());
    ASSERT_TRUE(
        credentials.user_namespace->SetMap(UserNamespace::Ids::kGroups, credentials, "0 0 1").ok());
  }
  EXPECT_EQ(UserNamespace::Make(credentials).code(), ENOSPC);
}

}  // namespace
}  // namespace runsc::boot
