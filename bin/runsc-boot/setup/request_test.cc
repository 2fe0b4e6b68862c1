#include "bin/runsc-boot/setup/request.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace runsc::boot::setup {
namespace {

using Role = runsc::control::Descriptor;

class SortDescriptorsTest : public testing::Test {
 protected:
  SortDescriptorsTest() {
    message_.mutable_spec()->mutable_process()->add_args("sh");
    message_.mutable_spec()->mutable_process()->set_cwd("/");
    Add(Role::ROLE_CONTROL);
    Add(Role::ROLE_FS);
    Add(Role::ROLE_EXIT);
  }
  int Add(Role::Role role) {
    message_.add_fds()->set_role(role);
    fds_.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    return fds_.back().get();
  }
  std::string Sort() {
    auto request = SortDescriptors(message_, std::move(fds_));
    if (!request.ok()) return request.error().message();
    request_ = *std::move(request);
    return "(valid)";
  }

  runsc::control::BootRequest message_;
  std::vector<FileDescriptor> fds_;
  Request request_;
};

TEST_F(SortDescriptorsTest, PutsEachInItsPlace) {
  int log = Add(Role::ROLE_LOG);
  int output = Add(Role::ROLE_STDOUT);
  int mount = Add(Role::ROLE_FS);
  message_.mutable_spec()->add_mounts();
  message_.add_served_mounts(0);
  ASSERT_EQ(Sort(), "(valid)");
  EXPECT_EQ(request_.log.get(), log);
  EXPECT_EQ(request_.stdio[1].get(), output);
  EXPECT_FALSE(request_.stdio[0].valid());
  ASSERT_EQ(request_.filesystems.size(), 2u);
  EXPECT_EQ(request_.filesystems[1].get(), mount);
}

TEST_F(SortDescriptorsTest, RefusesTooManyOrTooFewDescriptors) {
  fds_.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(Sort(), "boot request with another number of descriptors than it names");
}

TEST_F(SortDescriptorsTest, RefusesADescriptorTwice) {
  Add(Role::ROLE_CONTROL);
  EXPECT_EQ(Sort(), "boot request with a descriptor twice");
}

TEST_F(SortDescriptorsTest, TakesATerminalInsteadOfStreams) {
  const int terminal = Add(Role::ROLE_TERMINAL);
  ASSERT_EQ(Sort(), "(valid)");
  EXPECT_EQ(request_.terminal.get(), terminal);
}

TEST_F(SortDescriptorsTest, RefusesATerminalBesideStreams) {
  Add(Role::ROLE_TERMINAL);
  Add(Role::ROLE_STDERR);
  EXPECT_EQ(Sort(), "boot request with a terminal and other standard streams");
}

TEST_F(SortDescriptorsTest, RefusesAnUnknownRole) {
  Add(static_cast<Role::Role>(99));
  EXPECT_EQ(Sort(), "boot request with an unknown descriptor");
}

TEST_F(SortDescriptorsTest, RefusesAConnectionWithoutItsMount) {
  Add(Role::ROLE_FS);
  EXPECT_EQ(Sort(), "boot request with another number of connections than file systems");
}

TEST_F(SortDescriptorsTest, RefusesAMountThatIsNotThere) {
  message_.add_served_mounts(0);
  EXPECT_EQ(Sort(), "boot request names a mount that is not there");
}

TEST_F(SortDescriptorsTest, RefusesARequestWithoutAProgram) {
  message_.mutable_spec()->mutable_process()->clear_args();
  EXPECT_EQ(Sort(), "boot request without a program");
}

}  // namespace
}  // namespace runsc::boot::setup
