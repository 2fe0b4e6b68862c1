#include <gtest/gtest.h>

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/namespaces/namespace_set.h"

namespace runsc::boot {
namespace {

class NamespacesTest : public testing::Test {
 protected:
  UserNamespaceRef user_ = UserNamespace::MakeInitial();
  NamespaceSetRef first_ = NamespaceSet::MakeInitial(user_);
};

TEST_F(NamespacesTest, EachLevelNumbersItsTasksFromOne) {
  PidNamespaceRef outer = PidNamespace::Make(user_, first_->pid_for_children).value();
  PidNamespaceRef inner = PidNamespace::Make(user_, outer).value();
  PidNumbers a(outer, 100);
  {
    PidNumbers b(inner, 101);
    EXPECT_EQ(a.own(), 1);
    EXPECT_EQ(b.own(), 1);
    EXPECT_EQ(outer->FromKernel(101), 2);
    EXPECT_EQ(outer->ToKernel(2), 101);
    EXPECT_EQ(inner->ToKernel(1), 101);
    EXPECT_EQ(inner->FromKernel(100), 0);
  }
  EXPECT_EQ(outer->FromKernel(101), 0);
  EXPECT_EQ(inner->ToKernel(1), 0);
  PidNumbers c(outer, 102);
  EXPECT_EQ(c.own(), 3);
}

TEST_F(NamespacesTest, ANumberThatTheHostReusedIsKept) {
  PidNamespaceRef space = PidNamespace::Make(user_, first_->pid_for_children).value();
  auto old = std::make_unique<PidNumbers>(space, 100);
  PidNumbers fresh(space, 100);
  old.reset();
  EXPECT_EQ(space->FromKernel(100), 2);
}

TEST_F(NamespacesTest, ChosenNumbersAreTakenOrGivenBack) {
  PidNamespaceRef outer = PidNamespace::Make(user_, first_->pid_for_children).value();
  PidNamespaceRef inner = PidNamespace::Make(user_, outer).value();
  PidNumbers init(outer, 100);
  const Credentials root = RootOf(user_);
  auto choose = [&](std::vector<pid_t> pids) { return ReservedPids::Reserve(inner, pids, root); };
  EXPECT_EQ(choose({2}).code(), EINVAL) << "there is no init";
  EXPECT_EQ(choose({0}).code(), EINVAL);
  EXPECT_EQ(choose({1, 1}).code(), EEXIST);
  EXPECT_EQ(choose({1, 7, 9}).code(), EPERM) << "the host's numbers";
  EXPECT_EQ(choose({1, 7, 9, 9}).code(), EINVAL);
  auto reserved = choose({1, 7}).value();
  EXPECT_EQ(outer->ToKernel(7), 0);
  EXPECT_EQ(choose({1}).code(), EEXIST);
  PidNumbers numbers(inner, 101, std::move(reserved));
  EXPECT_EQ(numbers.own(), 1);
  EXPECT_EQ(outer->FromKernel(101), 7);
  (void)choose({50}).value();
  EXPECT_TRUE(choose({50}).ok()) << "given back";
  EXPECT_EQ(PidNumbers(inner, 102).own(), 2);
}

TEST_F(NamespacesTest, DepthOfPidNamespacesIsBounded) {
  PidNamespaceRef space = first_->pid_for_children;
  for (int level = 0; level < PidNamespace::kMaxLevel; ++level) {
    space = PidNamespace::Make(user_, space).value();
  }
  EXPECT_EQ(PidNamespace::Make(user_, space).code(), ENOSPC);
}

TEST_F(NamespacesTest, TimeOffsetsAreCheckedAndFrozen) {
  TimeNamespace time(user_, *first_->time);
  EXPECT_EQ(time.SetOffsets("monotonic 1").code(), EINVAL);
  EXPECT_EQ(time.SetOffsets("realtime 1 0").code(), EINVAL);
  EXPECT_EQ(time.SetOffsets("monotonic 1 1000000000").code(), EINVAL);
  EXPECT_EQ(time.SetOffsets("monotonic -9000000000 0").code(), ERANGE);
  ASSERT_TRUE(time.SetOffsets("monotonic 5 7\nboottime 100 0\n").ok());
  EXPECT_EQ(time.OffsetOf(CLOCK_MONOTONIC), 5'000'000'007);
  EXPECT_EQ(time.OffsetOf(CLOCK_REALTIME), 0);
  EXPECT_EQ(time.OffsetsText(),
            "monotonic           5         7\nboottime          100         0\n");
  time.Freeze();
  EXPECT_EQ(time.SetOffsets("monotonic 5 7").code(), EACCES);
}

}  // namespace
}  // namespace runsc::boot
