#include "bin/runsc-boot/socket/unix/unix_socket.h"

#include <gtest/gtest.h>
#include <sys/un.h>

#include <cstring>
#include <string>

#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/socket/unix/queue.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

SocketAddress Address(std::string path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  return SocketAddress::From(&address, offsetof(sockaddr_un, sun_path) + path.size());
}
SocketAddress Abstract(const std::string& name) { return Address(std::string(1, '\0') + name); }

class UnixSocketTest : public ::testing::Test {
 protected:
  UnixSocketTest() : family_(vfs_, [this](Context&) { return names_; }) {
    auto tmpfs = std::make_shared<TmpfsFilesystem>(TmpfsOptions{});
    auto root = std::make_shared<Dentry>(nullptr, "", tmpfs->root());
    auto mount = std::make_shared<Mount>(1, tmpfs, root, 0, "x");
    Path path{mount, root};
    fs_ = std::make_shared<FsContext>(std::make_shared<MountNamespace>(mount), path, path, 022);
  }
  Caller caller() { return Caller{context_, *fs_}; }
  SocketRef Make(int type) { return *family_.Create(caller(), type, 0, 0); }
  std::pair<SocketRef, SocketRef> Pair(int type) {
    return *family_.CreatePair(caller(), type, 0, 0);
  }
  Result<size_t> Send(Socket& socket, std::string text, ControlData* control = nullptr,
                      const SocketAddress* to = nullptr) {
    KernelBuffer buffer(text.data(), text.size());
    OutgoingMessage message;
    message.control = control;
    message.destination = to;
    message.sender = {7, 8, 9};
    return socket.SendMessage(caller(), buffer, message, 0);
  }
  Result<std::string> Receive(Socket& socket, size_t size = 1000, int flags = 0) {
    std::string text(size, 0);
    KernelBuffer buffer(text.data(), text.size());
    last_ = IncomingMessage();
    TRY_ASSIGN(size_t count, socket.ReceiveMessage(caller(), buffer, last_, flags));
    text.resize(count);
    return text;
  }
  Vfs vfs_;
  KernelContext context_;
  std::shared_ptr<FsContext> fs_;
  std::shared_ptr<AbstractNames> names_ = std::make_shared<AbstractNames>();
  UnixFamily family_;
  IncomingMessage last_;
};

TEST_F(UnixSocketTest, StreamPairsCarryBytesBothWays) {
  auto [a, b] = Pair(SOCK_STREAM);
  EXPECT_EQ(Receive(*a).code(), EAGAIN);
  EXPECT_EQ(*Send(*a, "one"), 3u);
  EXPECT_EQ(*Send(*a, "two"), 3u);
  EXPECT_EQ(*Receive(*b, 4, MSG_PEEK), "onet");
  EXPECT_EQ(*Receive(*b, 4), "onet");
  EXPECT_EQ(*Receive(*b), "wo");
  EXPECT_EQ(*Send(*b, "back"), 4u);
  EXPECT_EQ(*Receive(*a), "back");
  a.reset();
  EXPECT_EQ(*Receive(*b), "");
  EXPECT_EQ(Send(*b, "x").code(), EPIPE);
  EXPECT_NE(b->Poll() & EPOLLHUP, 0u);
}

TEST_F(UnixSocketTest, AFullStreamTellsWhenThereIsRoom) {
  auto [a, b] = Pair(SOCK_STREAM);
  size_t total = 0;
  Result<size_t> sent = Send(*a, std::string(100000, 'x'));
  for (; sent.ok(); sent = Send(*a, std::string(100000, 'x'))) total += *sent;
  EXPECT_EQ(sent.code(), EAGAIN);
  EXPECT_EQ(total, UnixQueue::kDefaultCapacity);
  EXPECT_EQ(a->Poll() & EPOLLOUT, 0u);
  int notified = 0;
  WaitEntry entry(EPOLLOUT, [&](PollEvents) { ++notified; });
  a->wait_queue()->Register(entry);
  EXPECT_EQ(Receive(*b, 1 << 20)->size(), total);
  EXPECT_GE(notified, 1);
  EXPECT_NE(a->Poll() & EPOLLOUT, 0u);
}

TEST_F(UnixSocketTest, DatagramsAndPacketsKeepTheirBorders) {
  for (int type : {SOCK_DGRAM, SOCK_SEQPACKET}) {
    auto [a, b] = Pair(type);
    EXPECT_EQ(*Send(*a, "first"), 5u);
    EXPECT_EQ(*Send(*a, ""), 0u);
    EXPECT_EQ(*Send(*a, "third"), 5u);
    EXPECT_EQ(*Receive(*b, 3), "fir");
    EXPECT_EQ(last_.flags & MSG_TRUNC, int{MSG_TRUNC});
    EXPECT_EQ(last_.full_size, 5u);
    EXPECT_EQ(*Receive(*b), "");
    EXPECT_EQ(*Receive(*b), "third");
    EXPECT_EQ(Send(*a, std::string(1 << 20, 'x')).code(), EMSGSIZE);
  }
}

TEST_F(UnixSocketTest, ConnectsThroughAPath) {
  SocketRef listener = Make(SOCK_STREAM);
  EXPECT_EQ(listener->Listen(caller(), 5).code(), EINVAL);
  ASSERT_EQ(listener->Bind(caller(), Address("/socket")).code(), 0);
  SocketRef client = Make(SOCK_STREAM);
  EXPECT_EQ(client->Connect(caller(), Address("/socket")).code(), ECONNREFUSED);
  ASSERT_EQ(listener->Listen(caller(), 0).code(), 0);
  EXPECT_EQ(listener->Accept(caller(), 0).code(), EAGAIN);
  EXPECT_EQ(client->Connect(caller(), Address("/none")).code(), ENOENT);
  ASSERT_EQ(client->Connect(caller(), Address("/socket")).code(), 0);
  EXPECT_EQ(client->Connect(caller(), Address("/socket")).code(), EISCONN);
  EXPECT_EQ(Make(SOCK_STREAM)->Connect(caller(), Address("/socket")).code(), EAGAIN);
  EXPECT_EQ(Make(SOCK_DGRAM)->Connect(caller(), Address("/socket")).code(), EPROTOTYPE);
  EXPECT_EQ(*Send(*client, "early"), 5u);
  auto server = listener->Accept(caller(), O_NONBLOCK);
  ASSERT_TRUE(server.ok());
  EXPECT_NE((*server)->flags() & O_NONBLOCK, 0);
  EXPECT_EQ(*Receive(**server), "early");
  EXPECT_EQ(*Send(**server, "answer"), 6u);
  EXPECT_EQ(*Receive(*client), "answer");
  SocketAddress peer = *client->PeerName();
  EXPECT_STREQ(reinterpret_cast<const char*>(peer.bytes.data()) + 2, "/socket");
  EXPECT_EQ((*server)->PeerName()->size, sizeof(sa_family_t));
  EXPECT_EQ(Make(SOCK_STREAM)->Bind(caller(), Address("/socket")).code(), EADDRINUSE);
}

TEST_F(UnixSocketTest, AbstractNamesGoWithTheirSocket) {
  SocketRef first = Make(SOCK_DGRAM);
  ASSERT_TRUE(first->Bind(caller(), Abstract("name")).ok());
  SocketRef second = Make(SOCK_DGRAM);
  EXPECT_EQ(second->Bind(caller(), Abstract("name")).code(), EADDRINUSE);
  SocketAddress to = Abstract("name");
  EXPECT_EQ(*Send(*second, "hello", nullptr, &to), 5u);
  EXPECT_EQ(*Receive(*first), "hello");
  first.reset();
  EXPECT_EQ(Send(*second, "hello", nullptr, &to).code(), ECONNREFUSED);
  EXPECT_EQ(second->Bind(caller(), Abstract("name")).code(), 0);
  SocketRef automatic = Make(SOCK_DGRAM);
  ASSERT_TRUE(automatic->Bind(caller(), SocketAddress::From("\x01\x00", 2)).ok());
  EXPECT_EQ(automatic->LocalName()->size, 2u + 1 + 5);
}

TEST_F(UnixSocketTest, DescriptorsTravelWithTheirBytes) {
  auto [a, b] = Pair(SOCK_STREAM);
  auto [sent, other] = Pair(SOCK_STREAM);
  ControlData control;
  control.files.push_back(sent);
  ASSERT_TRUE(Send(*a, "plain").ok());
  ASSERT_TRUE(Send(*a, "with", &control).ok());
  ASSERT_TRUE(Send(*a, "after").ok());
  EXPECT_EQ(*Receive(*b), "plainwith");
  ASSERT_EQ(last_.control.files.size(), 1u);
  EXPECT_EQ(last_.control.files[0], sent);
  EXPECT_EQ(*Receive(*b), "after");
  EXPECT_TRUE(last_.control.files.empty());
}

TEST_F(UnixSocketTest, CredentialsComeWhenAskedFor) {
  auto [a, b] = Pair(SOCK_DGRAM);
  ASSERT_TRUE(Send(*a, "x").ok());
  ASSERT_TRUE(Receive(*b).ok());
  EXPECT_FALSE(last_.control.credentials.has_value());
  int on = 1;
  ASSERT_TRUE(
      b->SetOption(caller(), SOL_SOCKET, SO_PASSCRED, std::as_bytes(std::span(&on, 1))).ok());
  ASSERT_TRUE(Send(*a, "x").ok());
  ASSERT_TRUE(Receive(*b).ok());
  ASSERT_TRUE(last_.control.credentials.has_value());
  EXPECT_EQ(last_.control.credentials->pid, 7);
  auto peer = b->GetOption(caller(), SOL_SOCKET, SO_PEERCRED);
  ASSERT_TRUE(peer.ok());
  EXPECT_EQ(peer->size(), sizeof(ucred));
}

TEST_F(UnixSocketTest, ShutdownEndsOneDirection) {
  auto [a, b] = Pair(SOCK_STREAM);
  ASSERT_TRUE(Send(*a, "last").ok());
  ASSERT_TRUE(a->Shutdown(SHUT_WR).ok());
  EXPECT_EQ(Send(*a, "x").code(), EPIPE);
  EXPECT_EQ(*Receive(*b), "last");
  EXPECT_EQ(*Receive(*b), "");
  EXPECT_NE(b->Poll() & EPOLLRDHUP, 0u);
  EXPECT_EQ(b->Poll() & EPOLLHUP, 0u);
  EXPECT_TRUE(Send(*b, "still").ok());
  EXPECT_EQ(*Receive(*a), "still");
  EXPECT_EQ(Make(SOCK_STREAM)->Shutdown(SHUT_RD).code(), ENOTCONN);
}

TEST_F(UnixSocketTest, ClosingAListenerEndsWaitingConnections) {
  SocketRef listener = Make(SOCK_SEQPACKET);
  ASSERT_TRUE(listener->Bind(caller(), Abstract("l")).ok());
  ASSERT_TRUE(listener->Listen(caller(), 1).ok());
  SocketRef client = Make(SOCK_SEQPACKET);
  ASSERT_TRUE(client->Connect(caller(), Abstract("l")).ok());
  listener.reset();
  EXPECT_EQ(*Receive(*client), "");
  EXPECT_EQ(Send(*client, "x").code(), EPIPE);
}

TEST_F(UnixSocketTest, RefusesWhatIsNotSupported) {
  EXPECT_EQ(family_.Create(caller(), SOCK_RDM, 0, 0).code(), ESOCKTNOSUPPORT);
  EXPECT_EQ(family_.Create(caller(), SOCK_STREAM, 6, 0).code(), EPROTONOSUPPORT);
  EXPECT_EQ(Receive(*Make(SOCK_STREAM)).code(), ENOTCONN);
  EXPECT_EQ(Send(*Make(SOCK_DGRAM), "x").code(), ENOTCONN);
  EXPECT_EQ(Make(SOCK_DGRAM)->Listen(caller(), 1).code(), EOPNOTSUPP);
}

}  // namespace
}  // namespace runsc::boot
