#include "bin/runsc-boot/ipc_sysv/shared_memory.h"

#include <gtest/gtest.h>

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot::sysv {
namespace {

constexpr HostFileId kHostFile{1, 2};

class SharedMemoryTest : public testing::Test {
 protected:
  SharedMemoryTest() {
    root_.effective = kAllCapabilities;
    root_.user_namespace = space_;
  }
  Caller Root() const { return {root_, *space_, 1}; }
  int Make(uint64_t size = 4096) {
    auto make = [this](const std::string& name, uint64_t bytes, int id) {
      return files_->CreateSegment(context_, name, bytes, static_cast<uint64_t>(id));
    };
    return *memory_->Get(Root(), IPC_PRIVATE, size, 0600, this, make);
  }
  void Attach(int id) {
    auto attachment = memory_->Attach(context_, Root(), id, 0666, true);
    ASSERT_TRUE(attachment.ok());
    attachment->Done(7, kHostFile);
  }
  void Sweep(uint64_t count) {
    memory_->Sweep([count] { return AttachmentCounts{{kHostFile, count}}; });
  }

  const UserNamespaceRef space_ = UserNamespace::MakeInitial();
  Credentials root_;
  KernelContext context_{std::make_shared<const Credentials>()};
  const std::shared_ptr<TmpfsFilesystem> files_ = std::make_shared<TmpfsFilesystem>(TmpfsOptions());
  const MemoryBudgetRef budget_ = std::make_shared<MemoryBudget>();
  const std::shared_ptr<SharedMemory> memory_ = std::make_shared<SharedMemory>(budget_);
};

TEST_F(SharedMemoryTest, ARemovedSegmentStaysWhileItIsAttached) {
  const int id = Make();
  Attach(id);
  ASSERT_TRUE(memory_->Remove(Root(), id).ok());
  Sweep(1);
  EXPECT_EQ(memory_->Rows({{kHostFile, 1}})[0].attached, 1u);
  Sweep(0);
  EXPECT_TRUE(memory_->empty());
}

TEST_F(SharedMemoryTest, ASegmentOnItsWayIntoAProcessStays) {
  const int id = Make();
  auto attachment = memory_->Attach(context_, Root(), id, 0666, false);
  ASSERT_TRUE(attachment.ok());
  EXPECT_FALSE(attachment->file()->writable());
  ASSERT_TRUE(memory_->Remove(Root(), id).ok());
  Sweep(0);
  EXPECT_FALSE(memory_->empty());
}

TEST_F(SharedMemoryTest, CountsFromBeforeAnAttachmentMeanNothing) {
  const int id = Make();
  ASSERT_TRUE(memory_->Remove(Root(), id).ok());
  memory_->Sweep([&] {
    Attach(id);
    return AttachmentCounts();
  });
  EXPECT_FALSE(memory_->empty());
}

TEST_F(SharedMemoryTest, OrphansGoWhenTheSettingSaysSo) {
  Make();
  Sweep(0);
  EXPECT_FALSE(memory_->empty());
  SharedMemory::Limits limits;
  limits.remove_orphans = true;
  memory_->set_limits(limits);
  Sweep(0);
  EXPECT_FALSE(memory_->empty());
  EXPECT_TRUE(memory_->CreatorEnds(this));
  Sweep(0);
  EXPECT_TRUE(memory_->empty());
}

TEST_F(SharedMemoryTest, PagesOfAllSegmentsAreLimited) {
  SharedMemory::Limits limits;
  limits.pages = 3;
  memory_->set_limits(limits);
  const int id = Make(5000);
  auto make = [](const std::string&, uint64_t, int) -> Result<FileRef> { return Error(EIO); };
  EXPECT_EQ(memory_->Get(Root(), IPC_PRIVATE, 5000, 0600, this, make).code(), ENOSPC);
  EXPECT_EQ(memory_->Get(Root(), IPC_PRIVATE, 4096, 0600, this, make).code(), EIO);
  ASSERT_TRUE(memory_->Remove(Root(), id).ok());
  Sweep(0);
  EXPECT_TRUE(memory_->empty());
}

}  // namespace
}  // namespace runsc::boot::sysv
