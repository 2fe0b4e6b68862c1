#include "bin/runsc-boot/fs/inotify/inotify.h"

#include <gtest/gtest.h>
#include <sys/inotify.h>

#include <string>
#include <vector>

#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

class InotifyTest : public ::testing::Test {
 protected:
  InotifyTest() {
    auto made = InotifyFile::Make(vfs_, context_, IN_NONBLOCK);
    EXPECT_TRUE(made.ok());
    instance_ = *made;
    filesystem_ = std::make_shared<TmpfsFilesystem>(TmpfsOptions{});
    root_.dentry = std::make_shared<Dentry>(nullptr, "", filesystem_->root());
  }

  // "number:mask" of every queued event, masks in hexadecimal.
  std::string Events() {
    std::string text;
    std::vector<char> buffer(1 << 20);
    while (true) {
      KernelBuffer destination(buffer.data(), buffer.size());
      Result<size_t> size = instance_->Read(context_, destination);
      if (!size.ok()) return text;
      for (size_t at = 0; at < *size;) {
        inotify_event event;
        memcpy(&event, &buffer[at], sizeof event);
        char line[64];
        snprintf(line, sizeof line, "%s%d:%x", text.empty() ? "" : " ", event.wd, event.mask);
        text += line;
        at += sizeof event + event.len;
      }
    }
  }
  Inode& root() { return *root_.dentry->inode(); }

  Vfs vfs_;
  KernelContext context_;
  FilesystemRef filesystem_;
  Path root_;
  std::shared_ptr<InotifyFile> instance_;
};

TEST_F(InotifyTest, ReportsWhatIsAskedForAndNothingElse) {
  ASSERT_EQ(*instance_->AddWatch(root_, IN_CREATE), 1);
  ReportEntry(root(), "a", IN_CREATE, false);
  ReportEntry(root(), "a", IN_DELETE, false);
  EXPECT_EQ(Events(), "1:100");
}

TEST_F(InotifyTest, EqualNeighboursAreOneEvent) {
  ASSERT_TRUE(instance_->AddWatch(root_, IN_MODIFY).ok());
  ReportEntry(root(), "a", IN_MODIFY, false);
  ReportEntry(root(), "a", IN_MODIFY, false);
  ReportEntry(root(), "b", IN_MODIFY, false);
  ReportEntry(root(), "a", IN_MODIFY, false);
  EXPECT_EQ(Events(), "1:2 1:2 1:2");
}

TEST_F(InotifyTest, AFullQueueSaysSoOnce) {
  ASSERT_TRUE(instance_->AddWatch(root_, IN_CREATE).ok());
  for (size_t i = 0; i < WatchAccounts::kMaxQueuedEvents + 10; ++i) {
    ReportEntry(root(), std::to_string(i), IN_CREATE, false);
  }
  const std::string events = Events();
  EXPECT_NE(events.find("-1:4000"), std::string::npos);
  EXPECT_EQ(events.find("-1:4000"), events.size() - strlen("-1:4000"));
  ReportEntry(root(), "again", IN_CREATE, false);
  EXPECT_EQ(Events(), "1:100");
}

TEST_F(InotifyTest, OneShotEndsItself) {
  ASSERT_TRUE(instance_->AddWatch(root_, IN_CREATE | IN_ONESHOT).ok());
  ReportEntry(root(), "a", IN_CREATE, false);
  ReportEntry(root(), "b", IN_CREATE, false);
  EXPECT_EQ(Events(), "1:100 1:8000");
  EXPECT_FALSE(filesystem_->watches().active());
}

TEST_F(InotifyTest, TheEndOfTheInstanceEndsItsWatches) {
  ASSERT_TRUE(instance_->AddWatch(root_, IN_CREATE).ok());
  EXPECT_TRUE(filesystem_->watches().active());
  instance_.reset();
  EXPECT_FALSE(filesystem_->watches().active());
}

TEST_F(InotifyTest, NumbersAreNotUsedAgainAtOnce) {
  ASSERT_EQ(*instance_->AddWatch(root_, IN_CREATE), 1);
  ASSERT_TRUE(instance_->RemoveWatch(1).ok());
  EXPECT_EQ(instance_->RemoveWatch(1).code(), EINVAL);
  EXPECT_EQ(*instance_->AddWatch(root_, IN_CREATE), 2);
}

TEST_F(InotifyTest, InstancesOfAUserAreLimited) {
  std::vector<std::shared_ptr<InotifyFile>> instances;
  while (true) {
    auto made = InotifyFile::Make(vfs_, context_, 0);
    if (!made.ok()) {
      EXPECT_EQ(made.code(), EMFILE);
      break;
    }
    instances.push_back(*made);
  }
  EXPECT_EQ(instances.size() + 1, WatchAccounts::kMaxInstances);
  instances.clear();
  EXPECT_TRUE(InotifyFile::Make(vfs_, context_, 0).ok());
}

TEST_F(InotifyTest, TheEndOfAFileSystemEndsItsWatches) {
  ASSERT_TRUE(instance_->AddWatch(root_, IN_CREATE).ok());
  filesystem_->watches().End(nullptr, IN_UNMOUNT);
  EXPECT_EQ(Events(), "1:40002000 1:8000");
}

}  // namespace
}  // namespace runsc::boot
