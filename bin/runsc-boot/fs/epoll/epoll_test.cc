#include "bin/runsc-boot/fs/epoll/epoll.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "bin/runsc-boot/fs/pipe/pipe.h"
#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

epoll_event Event(PollEvents events, uint64_t data = 0) {
  return epoll_event{.events = events, .data = {.u64 = data}};
}

class EpollTest : public ::testing::Test {
 protected:
  EpollTest() : epoll_(EpollFile::Make(vfs_, context_)), pipe_(MakePipe(vfs_, context_, 0)) {}

  void Write(const std::string& text = "x") {
    std::string copy = text;
    KernelBuffer buffer(copy.data(), copy.size());
    ASSERT_TRUE(pipe_.writer->Write(context_, buffer).ok());
  }
  void Drain() {
    std::string text(65536, 0);
    KernelBuffer buffer(text.data(), text.size());
    ASSERT_TRUE(pipe_.reader->Read(context_, buffer).ok());
  }
  size_t Wait() { return epoll_->Collect(context_, events_); }

  Vfs vfs_;
  KernelContext context_;
  std::shared_ptr<EpollFile> epoll_;
  PipeEnds pipe_;
  std::array<epoll_event, 8> events_;
};

TEST_F(EpollTest, LevelTriggeredStaysReadyUntilDrained) {
  ASSERT_TRUE(epoll_->Add(context_, 3, pipe_.reader, Event(EPOLLIN, 77)).ok());
  EXPECT_EQ(Wait(), 0u);
  Write();
  EXPECT_EQ(Wait(), 1u);
  EXPECT_EQ(uint64_t{events_[0].data.u64}, 77u);
  EXPECT_EQ(events_[0].events, uint32_t{EPOLLIN});
  EXPECT_EQ(Wait(), 1u);
  Drain();
  EXPECT_EQ(Wait(), 0u);
  Write();
  EXPECT_EQ(Wait(), 1u);
}

TEST_F(EpollTest, EdgeTriggeredReportsEachArrivalOnce) {
  Write();
  ASSERT_TRUE(epoll_->Add(context_, 3, pipe_.reader, Event(EPOLLIN | EPOLLET)).ok());
  EXPECT_EQ(Wait(), 1u);
  EXPECT_EQ(Wait(), 0u);
  Write();
  EXPECT_EQ(Wait(), 1u);
  EXPECT_EQ(Wait(), 0u);
}

TEST_F(EpollTest, OneShotFiresOnceUntilArmedAgain) {
  ASSERT_TRUE(epoll_->Add(context_, 3, pipe_.reader, Event(EPOLLIN | EPOLLONESHOT)).ok());
  Write();
  EXPECT_EQ(Wait(), 1u);
  Write();
  EXPECT_EQ(Wait(), 0u);
  ASSERT_TRUE(epoll_->Modify(context_, 3, pipe_.reader, Event(EPOLLIN | EPOLLONESHOT)).ok());
  EXPECT_EQ(Wait(), 1u);
}

TEST_F(EpollTest, WakesWhoWaitsForTheInstance) {
  int woken = 0;
  WaitEntry entry(EPOLLIN, [&](PollEvents) { ++woken; });
  epoll_->wait_queue()->Register(entry);
  ASSERT_TRUE(epoll_->Add(context_, 3, pipe_.reader, Event(EPOLLIN)).ok());
  EXPECT_EQ(woken, 0);
  Write();
  EXPECT_EQ(woken, 1);
}

TEST_F(EpollTest, ControlReportsMisuse) {
  EXPECT_EQ(epoll_->Modify(context_, 3, pipe_.reader, Event(EPOLLIN)).code(), ENOENT);
  EXPECT_EQ(epoll_->Remove(3, pipe_.reader).code(), ENOENT);
  ASSERT_TRUE(epoll_->Add(context_, 3, pipe_.reader, Event(EPOLLIN)).ok());
  EXPECT_EQ(epoll_->Add(context_, 3, pipe_.reader, Event(EPOLLIN)).code(), EEXIST);
  EXPECT_EQ(epoll_->Add(context_, 4, pipe_.reader, Event(EPOLLIN)).code(), 0);
  EXPECT_EQ(epoll_->Add(context_, 5, epoll_, Event(EPOLLIN)).code(), EINVAL);
  EXPECT_EQ(epoll_->Add(context_, 6, pipe_.writer, Event(EPOLLEXCLUSIVE | EPOLLONESHOT)).code(),
            EINVAL);
  TmpfsFilesystem tmpfs{TmpfsOptions{}};
  EXPECT_EQ(epoll_->Add(context_, 7, *tmpfs.CreateMemfd(context_, "x", 0), Event(EPOLLIN)).code(),
            EPERM);
  EXPECT_EQ(epoll_->Remove(3, pipe_.reader).code(), 0);
  Write();
  EXPECT_EQ(Wait(), 1u);
}

TEST_F(EpollTest, ClosedFilesLeaveTheSet) {
  ASSERT_TRUE(epoll_->Add(context_, 3, pipe_.reader, Event(EPOLLIN)).ok());
  Write();
  pipe_.reader.reset();
  EXPECT_EQ(Wait(), 0u);
  EXPECT_EQ(epoll_->FdInfo(), "");
}

TEST_F(EpollTest, HangUpIsReportedWithoutBeingAskedFor) {
  ASSERT_TRUE(epoll_->Add(context_, 3, pipe_.reader, Event(0)).ok());
  pipe_.writer.reset();
  ASSERT_EQ(Wait(), 1u);
  EXPECT_EQ(events_[0].events, uint32_t{EPOLLHUP});
}

TEST_F(EpollTest, InstancesNestButNotInACircle) {
  auto outer = EpollFile::Make(vfs_, context_);
  ASSERT_TRUE(outer->Add(context_, 9, epoll_, Event(EPOLLIN)).ok());
  EXPECT_EQ(epoll_->Add(context_, 10, outer, Event(EPOLLIN)).code(), ELOOP);
  ASSERT_TRUE(epoll_->Add(context_, 3, pipe_.reader, Event(EPOLLIN)).ok());
  EXPECT_EQ(outer->Collect(context_, events_), 0u);
  Write();
  EXPECT_EQ(outer->Collect(context_, events_), 1u);
  std::shared_ptr<EpollFile> top = outer;
  std::vector<std::shared_ptr<EpollFile>> chain;
  Status status;
  for (int i = 0; i < 6 && status.ok(); ++i) {
    auto next = EpollFile::Make(vfs_, context_);
    status = next->Add(context_, 1, top, Event(EPOLLIN));
    chain.push_back(top);
    top = next;
  }
  EXPECT_EQ(status.code(), ELOOP);
}

TEST_F(EpollTest, WhatFindsNoRoomComesNextTime) {
  PipeEnds second = MakePipe(vfs_, context_, 0);
  ASSERT_TRUE(epoll_->Add(context_, 3, pipe_.writer, Event(EPOLLOUT, 1)).ok());
  ASSERT_TRUE(epoll_->Add(context_, 4, second.writer, Event(EPOLLOUT, 2)).ok());
  epoll_event one;
  ASSERT_EQ(epoll_->Collect(context_, {&one, 1}), 1u);
  EXPECT_EQ(uint64_t{one.data.u64}, 1u);
  ASSERT_EQ(epoll_->Collect(context_, {&one, 1}), 1u);
  EXPECT_EQ(uint64_t{one.data.u64}, 2u);
}

}  // namespace
}  // namespace runsc::boot
