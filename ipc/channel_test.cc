#include "ipc/channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "ipc/testing.pb.h"

namespace runsc {
namespace {

using testing::Probe;

class ChannelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto pair = Channel::Pair();
    ASSERT_TRUE(pair.ok());
    a_ = Channel(std::move(pair->first), Conversation::kFs);
    b_ = Channel(std::move(pair->second), Conversation::kFs);
  }
  // Makes both sides greet, so that raw packets are what follows.
  void Greet() {
    ASSERT_TRUE(a_.Send(Probe()).ok());
    ASSERT_TRUE(b_.Receive<Probe>().ok());
  }
  void SendRaw(const std::string& bytes) {
    ASSERT_EQ(send(a_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  static std::string Header(uint32_t length, uint32_t fd_count, uint32_t magic = 0x316d6373) {
    uint32_t words[3] = {magic, length, fd_count};
    return std::string(reinterpret_cast<char*>(words), sizeof(words));
  }
  static int OpenFdCount() {
    int count = 0;
    for (int fd = 0; fd < 1024; ++fd) count += fcntl(fd, F_GETFD) >= 0;
    return count;
  }

  Channel a_, b_;
};

TEST_F(ChannelTest, MessageArrivesAsSent) {
  Probe probe;
  probe.set_text("hello");
  probe.set_number(7);
  ASSERT_TRUE(a_.Send(probe).ok());
  auto got = b_.Receive<Probe>();
  ASSERT_TRUE(got.ok()) << got.error().ToString();
  EXPECT_EQ(got->message.text(), "hello");
  EXPECT_EQ(got->message.number(), 7u);
  EXPECT_TRUE(got->fds.empty());
}

TEST_F(ChannelTest, DescriptorsArriveInOrderAndCloseOnExec) {
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  FileDescriptor read_end(pipes[0]), write_end(pipes[1]);
  ASSERT_TRUE(a_.Send(Probe(), {pipes[0], pipes[1]}).ok());
  auto got = b_.Receive<Probe>(2);
  ASSERT_TRUE(got.ok());
  ASSERT_EQ(got->fds.size(), 2u);
  EXPECT_EQ(write(got->fds[1].get(), "x", 1), 1);
  char c;
  EXPECT_EQ(read(got->fds[0].get(), &c, 1), 1);
  EXPECT_TRUE(fcntl(got->fds[0].get(), F_GETFD) & FD_CLOEXEC);
}

TEST_F(ChannelTest, UndeclaredDescriptorsAreClosed) {
  Greet();
  int before = OpenFdCount();
  ASSERT_TRUE(a_.Send(Probe(), {0, 0, 0}).ok());
  auto got = b_.Receive<Probe>(1);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->fds.size(), 1u);
  EXPECT_EQ(OpenFdCount(), before + 1);
  EXPECT_EQ(got->TakeFd(1).code(), EBADMSG);
  EXPECT_TRUE(got->TakeFd(0).ok());
  EXPECT_EQ(got->TakeFd(0).code(), EBADMSG) << "a descriptor is given out once";
}

TEST_F(ChannelTest, LongMessageTakesSeveralPackets) {
  Probe probe;
  probe.set_text(std::string(3 << 20, 'q'));
  std::thread sender([&] { EXPECT_TRUE(a_.Send(probe, {0}).ok()); });
  auto got = b_.Receive<Probe>(1);
  sender.join();
  ASSERT_TRUE(got.ok()) << got.error().ToString();
  EXPECT_EQ(got->message.text(), probe.text());
  EXPECT_EQ(got->fds.size(), 1u);
}

TEST_F(ChannelTest, MessageOfExactlyOnePacketIsFramed) {
  for (size_t size = (64 << 10) - 20; size < (64 << 10) + 4; ++size) {
    Probe probe;
    probe.set_text(std::string(size, 'q'));
    ASSERT_TRUE(a_.Send(probe).ok());
    auto got = b_.Receive<Probe>();
    ASSERT_TRUE(got.ok()) << size << ": " << got.error().ToString();
    EXPECT_EQ(got->message.text().size(), size);
  }
}

TEST_F(ChannelTest, SenderRefusesWhatIsTooLong) {
  Probe probe;
  probe.set_text(std::string(Channel::kMaxMessage + 1, 'q'));
  EXPECT_EQ(a_.Send(probe).code(), E2BIG);
  std::vector<int> fds(Channel::kMaxFds + 1, 0);
  EXPECT_EQ(a_.Send(Probe(), fds).code(), E2BIG);
}

TEST_F(ChannelTest, PeerThatIsGoneIsReported) {
  b_.Release();
  EXPECT_EQ(a_.Receive<Probe>().code(), ECONNRESET);
  EXPECT_EQ(a_.Send(Probe()).code(), EPIPE);
}

TEST_F(ChannelTest, GiantLengthEndsTheConnection) {
  Greet();
  SendRaw(Header(0xffffffff, 0) + "x");
  EXPECT_EQ(b_.Receive<Probe>().code(), EBADMSG);
  EXPECT_EQ(a_.Send(Probe()).code(), EPIPE);
}

TEST_F(ChannelTest, GarbageEndsTheConnection) {
  for (const std::string& bytes :
       {std::string("x"), Header(1, 0, 5) + "x", Header(2, 0) + "x", Header(0, 0) + "x",
        Header(1, 1) + "x", Header(3, 0) + "\xff\xff\xff", std::string(70000, 'x')}) {
    SetUp();
    Greet();
    SendRaw(bytes);
    EXPECT_EQ(b_.Receive<Probe>().code(), EBADMSG) << bytes.size();
    EXPECT_EQ(b_.Receive<Probe>().code(), ECONNRESET);
  }
}

TEST_F(ChannelTest, MessageCutShortEndsTheConnection) {
  Greet();
  std::string first = Header(100000, 0);
  first.resize(64 << 10, 'q');
  SendRaw(first);
  SendRaw("short");
  EXPECT_EQ(b_.Receive<Probe>().code(), EBADMSG);
}

TEST_F(ChannelTest, PeerOfAnotherBuildIsRefused) {
  uint32_t words[2] = {0x31736372, static_cast<uint32_t>(Conversation::kFs)};
  std::string greeting(reinterpret_cast<char*>(words), sizeof(words));
  greeting += std::string(32, '0');
  SendRaw(greeting);
  auto got = b_.Receive<Probe>();
  ASSERT_EQ(got.code(), EBADMSG);
  EXPECT_NE(got.error().ToString().find("another build"), std::string::npos);
}

TEST_F(ChannelTest, PeerOfAnotherConversationIsRefused) {
  Channel other(a_.Release(), Conversation::kBoot);
  ASSERT_TRUE(other.Send(Probe()).ok());
  EXPECT_EQ(b_.Receive<Probe>().code(), EBADMSG);
}

TEST_F(ChannelTest, PeerThatDoesNotGreetIsRefused) {
  SendRaw(Header(0, 0));
  EXPECT_EQ(b_.Receive<Probe>().code(), EBADMSG);
}

TEST_F(ChannelTest, TimeoutIsReported) {
  ASSERT_TRUE(b_.SetReceiveTimeout(absl::Milliseconds(10)).ok());
  EXPECT_EQ(b_.Receive<Probe>().code(), ETIMEDOUT);
}

TEST_F(ChannelTest, ShutdownWakesTheReceiver) {
  std::thread receiver([&] { EXPECT_EQ(b_.Receive<Probe>().code(), ECONNRESET); });
  b_.Shutdown();
  receiver.join();
}

}  // namespace
}  // namespace runsc
