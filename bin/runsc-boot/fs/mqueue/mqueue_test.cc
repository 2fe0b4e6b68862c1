#include <gtest/gtest.h>
#include <sys/epoll.h>

#include "bin/runsc-boot/fs/mqueue/mqueue_filesystem.h"
#include "bin/runsc-boot/vfs/kernel_context.h"
#include "bin/runsc-boot/wait/testing/counting_waker.h"

namespace runsc::boot::mqueue {
namespace {

Status Send(Queue& queue, unsigned priority, const std::string& text) {
  Result<Message> message = queue.MakeMessage(priority, text.size());
  message->text = text;
  return queue.Send(*message, Sender{});
}

class MqueueTest : public testing::Test {
 protected:
  std::string Take(Queue& queue) {
    Receiver receiver(waker_);
    Result<bool> taken = queue.Receive(receiver, false);
    return taken.ok() ? receiver.message().text : "";
  }
  static Credentials Root() {
    Credentials root;
    root.effective = kAllCapabilities;
    return root;
  }

  CountingWaker waker_;
  const MqueueFilesystem::Accounts accounts_{std::make_shared<MemoryBudget>(),
                                             std::make_shared<Quota>()};
  KernelContext context_{std::make_shared<const Credentials>(Root())};
};

TEST_F(MqueueTest, TheHighestPriorityComesFirstAndTheOldestOfIt) {
  auto queue = std::make_shared<Queue>(QueueSize{4, 10}, accounts_.memory);
  ASSERT_TRUE(Send(*queue, 1, "a").ok());
  ASSERT_TRUE(Send(*queue, 5, "b").ok());
  ASSERT_TRUE(Send(*queue, 5, "c").ok());
  ASSERT_TRUE(Send(*queue, 0, "d").ok());
  EXPECT_EQ(Send(*queue, 0, "e").code(), EAGAIN);
  std::string taken;
  for (int i = 0; i < 4; ++i) taken += Take(*queue);
  EXPECT_EQ(taken, "bcad");
  EXPECT_EQ(queue->Poll() & (EPOLLIN | EPOLLOUT), unsigned{EPOLLOUT});
}

TEST_F(MqueueTest, WhoeverWaitsGetsTheMessageAndNobodyIsTold) {
  auto queue = std::make_shared<Queue>(QueueSize{4, 10}, accounts_.memory);
  int told = 0;
  ASSERT_TRUE(queue->Register({7, SIGEV_SIGNAL, SIGUSR1, [&](const Sender&) { ++told; }}).ok());
  EXPECT_EQ(queue->Register({8}).code(), EBUSY);
  {
    Receiver receiver(waker_);
    EXPECT_FALSE(*queue->Receive(receiver, true));
    ASSERT_TRUE(Send(*queue, 0, "x").ok());
    EXPECT_TRUE(receiver.done());
  }
  EXPECT_EQ(told, 0);
  ASSERT_TRUE(Send(*queue, 0, "y").ok());
  ASSERT_TRUE(Send(*queue, 0, "z").ok());
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(queue->Register({8}).ok());
}

TEST_F(MqueueTest, AReceiverThatGivesUpTakesNothing) {
  auto queue = std::make_shared<Queue>(QueueSize{4, 10}, accounts_.memory);
  {
    Receiver receiver(waker_);
    EXPECT_FALSE(*queue->Receive(receiver, true));
    EXPECT_FALSE(receiver.Abandon());
  }
  ASSERT_TRUE(Send(*queue, 0, "x").ok());
  EXPECT_EQ(Take(*queue), "x");
}

TEST_F(MqueueTest, FilesOutliveTheirNamespace) {
  auto filesystem = MqueueFilesystem::Make(0, 0, accounts_);
  MqueueFilesystem::OpenRequest request{"q", O_CREAT | O_RDWR, 0600, std::nullopt, 1 << 20};
  FileRef file = *filesystem->Open(context_, request);
  std::weak_ptr<MqueueFilesystem> watched = filesystem;
  filesystem->Close();
  filesystem.reset();
  QueueRef queue = QueueOf(*file);
  ASSERT_TRUE(Send(*queue, 0, "x").ok());
  EXPECT_TRUE(file->GetAttributes().ok());
  queue.reset();
  EXPECT_FALSE(watched.expired());
  file.reset();
  EXPECT_TRUE(watched.expired());
}

TEST_F(MqueueTest, LimitOfBytesCountsUntilTheQueueGoes) {
  auto filesystem = MqueueFilesystem::Make(0, 0, accounts_);
  MqueueFilesystem::OpenRequest request{"q", O_CREAT | O_RDWR, 0600, QueueSize{10, 100}, 2000};
  FileRef file = *filesystem->Open(context_, request);
  request.name = "r";
  EXPECT_EQ(filesystem->Open(context_, request).code(), EMFILE);
  ASSERT_TRUE(filesystem->Unlink(context_, "q").ok());
  EXPECT_EQ(filesystem->Open(context_, request).code(), EMFILE);
  file.reset();
  EXPECT_TRUE(filesystem->Open(context_, request).ok());
  filesystem->Close();
}

}  // namespace
}  // namespace runsc::boot::mqueue
