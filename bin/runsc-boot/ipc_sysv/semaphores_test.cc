#include "bin/runsc-boot/ipc_sysv/semaphores.h"

#include <gtest/gtest.h>

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/wait/testing/counting_waker.h"

namespace runsc::boot::sysv {
namespace {

class SemaphoresTest : public testing::Test {
 protected:
  SemaphoresTest() {
    root_.effective = kAllCapabilities;
    user_.euid = user_.fsuid = 1000;
    user_.egid = user_.fsgid = 1000;
    user_.user_namespace = root_.user_namespace = space_;
  }
  Caller Root(pid_t pid = 1) const { return {root_, *space_, pid}; }
  Caller User() const { return {user_, *space_, 2}; }
  int Value(int id, int index = 0) const { return semaphores_->State(Root(), id, index)->value; }

  const UserNamespaceRef space_ = UserNamespace::MakeInitial();
  Credentials root_, user_;
  CountingWaker waker_;
  const MemoryBudgetRef budget_ = std::make_shared<MemoryBudget>();
  const std::shared_ptr<Semaphores> semaphores_ = std::make_shared<Semaphores>(budget_);
};

TEST_F(SemaphoresTest, QueuedOperationsAreDoneByWhoMakesThemPossible) {
  const int id = *semaphores_->Get(Root(), IPC_PRIVATE, 1, 0600);
  SemaphoreWaiter waiter({{0, -2, 0}}, nullptr, waker_);
  EXPECT_FALSE(*semaphores_->Operate(Root(5), id, waiter));
  EXPECT_EQ(waiter.result(), std::nullopt);
  EXPECT_EQ(semaphores_->State(Root(), id, 0)->waiting_more, 1);
  ASSERT_TRUE(semaphores_->SetValue(Root(), id, 0, 3).ok());
  EXPECT_EQ(waiter.result(), 0);
  EXPECT_EQ(waker_.count, 1);
  EXPECT_EQ(Value(id), 1);
  EXPECT_EQ(semaphores_->State(Root(), id, 0)->pid, 5);
}

TEST_F(SemaphoresTest, RemovalEndsTheWait) {
  const int id = *semaphores_->Get(Root(), IPC_PRIVATE, 1, 0600);
  SemaphoreWaiter waiter({{0, -2, 0}}, nullptr, waker_);
  EXPECT_FALSE(*semaphores_->Operate(Root(), id, waiter));
  ASSERT_TRUE(semaphores_->Remove(Root(), id).ok());
  EXPECT_EQ(waiter.result(), EIDRM);
}

TEST_F(SemaphoresTest, AWaiterThatGivesUpIsForgotten) {
  const int id = *semaphores_->Get(Root(), IPC_PRIVATE, 1, 0600);
  {
    SemaphoreWaiter waiter({{0, -2, 0}}, nullptr, waker_);
    EXPECT_FALSE(*semaphores_->Operate(Root(), id, waiter));
  }
  EXPECT_EQ(semaphores_->State(Root(), id, 0)->waiting_more, 0);
  ASSERT_TRUE(semaphores_->SetValue(Root(), id, 0, 3).ok());
  EXPECT_EQ(Value(id), 3);
}

TEST_F(SemaphoresTest, TheLastOfThoseWhoShareItUndoes) {
  const int id = *semaphores_->Get(Root(), IPC_PRIVATE, 2, 0600);
  auto undo = std::make_shared<SemaphoreUndo>();
  undo->Join();
  SemaphoreWaiter waiter({{1, 4, SEM_UNDO}}, undo, waker_);
  EXPECT_TRUE(*semaphores_->Operate(Root(), id, waiter));
  undo->Leave(7);
  EXPECT_EQ(Value(id, 1), 4);
  undo->Leave(7);
  EXPECT_EQ(Value(id, 1), 0);
  EXPECT_EQ(semaphores_->State(Root(), id, 1)->pid, 7);
}

TEST_F(SemaphoresTest, OthersNeedPermission) {
  const int id = *semaphores_->Get(Root(), IPC_PRIVATE, 1, 0600);
  EXPECT_EQ(semaphores_->State(User(), id, 0).code(), EACCES);
  EXPECT_EQ(semaphores_->Remove(User(), id).code(), EPERM);
}

TEST_F(SemaphoresTest, MemoryIsBounded) {
  int made = 0;
  while (semaphores_->Get(Root(), IPC_PRIVATE, 32000, 0600).ok()) ++made;
  EXPECT_GT(made, 100);
  EXPECT_LT(made, 1000);
  EXPECT_EQ(semaphores_->Get(Root(), IPC_PRIVATE, 32000, 0600).code(), ENOMEM);
}

}  // namespace
}  // namespace runsc::boot::sysv
