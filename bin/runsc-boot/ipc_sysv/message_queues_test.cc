#include "bin/runsc-boot/ipc_sysv/message_queues.h"

#include <gtest/gtest.h>

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/wait/testing/counting_waker.h"

namespace runsc::boot::sysv {
namespace {

class MessageQueuesTest : public testing::Test {
 protected:
  MessageQueuesTest() {
    root_.effective = kAllCapabilities;
    root_.user_namespace = space_;
  }
  Caller Root() const { return {root_, *space_, 1}; }
  Message MakeMessage(int64_t type, const std::string& text) const {
    Message message = *Message::Make(*budget_, type, text.size());
    message.text = text;
    return message;
  }
  bool Send(int id, int64_t type, const std::string& text) {
    MessageSender sender(MakeMessage(type, text), waker_);
    return *queues_->Send(Root(), id, sender);
  }

  const UserNamespaceRef space_ = UserNamespace::MakeInitial();
  Credentials root_;
  CountingWaker waker_;
  const MemoryBudgetRef budget_ = std::make_shared<MemoryBudget>();
  const std::shared_ptr<MessageQueues> queues_ = std::make_shared<MessageQueues>(budget_);
};

TEST_F(MessageQueuesTest, AReceiverThatWaitsIsHandedTheMessage) {
  const int id = *queues_->Get(Root(), IPC_PRIVATE, 0600);
  MessageReceiver receiver(MessageChoice::From(4, 0), 100, false, waker_);
  EXPECT_FALSE(*queues_->Receive(Root(), id, receiver, true));
  EXPECT_TRUE(Send(id, 3, "another"));
  EXPECT_EQ(receiver.result(), std::nullopt);
  EXPECT_TRUE(Send(id, 4, "this"));
  EXPECT_EQ(receiver.result(), 0);
  EXPECT_EQ(receiver.message().text, "this");
  EXPECT_EQ(queues_->Rows()[0].count, 1u);
}

TEST_F(MessageQueuesTest, ASenderIsWokenWhenThereIsRoom) {
  const int id = *queues_->Get(Root(), IPC_PRIVATE, 0600);
  EXPECT_TRUE(Send(id, 1, std::string(16384, 'x')));
  MessageSender sender(MakeMessage(2, "y"), waker_);
  EXPECT_FALSE(*queues_->Send(Root(), id, sender));
  MessageReceiver receiver({}, 20000, false, waker_);
  EXPECT_TRUE(*queues_->Receive(Root(), id, receiver, false));
  EXPECT_EQ(waker_.count, 1);
  EXPECT_TRUE(*queues_->Send(Root(), id, sender));
}

TEST_F(MessageQueuesTest, RemovalEndsAllWaits) {
  const int id = *queues_->Get(Root(), IPC_PRIVATE, 0600);
  EXPECT_TRUE(Send(id, 1, std::string(16384, 'x')));
  MessageReceiver receiver(MessageChoice::From(9, 0), 100, false, waker_);
  EXPECT_FALSE(*queues_->Receive(Root(), id, receiver, true));
  MessageSender sender(MakeMessage(2, "y"), waker_);
  EXPECT_FALSE(*queues_->Send(Root(), id, sender));
  ASSERT_TRUE(queues_->Remove(Root(), id).ok());
  EXPECT_EQ(receiver.result(), EIDRM);
  EXPECT_EQ(queues_->Send(Root(), id, sender).code(), EIDRM);
  // The index may belong to another queue by now.
  (void)queues_->Get(Root(), IPC_PRIVATE, 0600).ok();
  EXPECT_EQ(queues_->Send(Root(), id, sender).code(), EIDRM);
}

TEST_F(MessageQueuesTest, ChoosesByType) {
  EXPECT_TRUE(MessageChoice::From(0, MSG_EXCEPT).Takes(5));
  EXPECT_FALSE(MessageChoice::From(5, MSG_EXCEPT).Takes(5));
  EXPECT_TRUE(MessageChoice::From(-5, 0).Takes(5));
  EXPECT_FALSE(MessageChoice::From(-5, 0).Takes(6));
  EXPECT_TRUE(MessageChoice::From(INT64_MIN, 0).Takes(INT64_MAX));
}

TEST_F(MessageQueuesTest, MemoryIsBounded) {
  MessageQueues::Limits limits;
  limits.queue = 1 << 30;
  queues_->set_limits(limits);
  const int id = *queues_->Get(Root(), IPC_PRIVATE, 0600);
  Result<Message> message = Message::Make(*budget_, 1, 1 << 20);
  int sent = 0;
  for (; message.ok() && sent < 1000; ++sent) {
    MessageSender sender(*std::move(message), waker_);
    ASSERT_TRUE(*queues_->Send(Root(), id, sender));
    message = Message::Make(*budget_, 1, 1 << 20);
  }
  EXPECT_GT(sent, 50);
  EXPECT_LT(sent, 200);
  EXPECT_EQ(message.code(), ENOMEM);
}

}  // namespace
}  // namespace runsc::boot::sysv
