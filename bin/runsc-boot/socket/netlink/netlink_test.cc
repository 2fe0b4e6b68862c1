#include <gtest/gtest.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/socket/netlink/netlink_socket.h"
#include "bin/runsc-boot/socket/netlink/route.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot::netlink {
namespace {

class NetlinkTest : public testing::Test {
 protected:
  NetlinkTest() : space_(std::make_shared<NetNamespace>(UserNamespace::MakeInitial())) {}

  // What is wrong with the one request in `bytes`, or 0.
  int Ask(const std::string& bytes, bool may_change = true) {
    std::string_view text = bytes;
    const std::optional<Request> request = TakeRequest(text);
    EXPECT_TRUE(request.has_value());
    Status done = AnswerRoute(*space_, may_change, *request, 1, answers_);
    return done.ok() ? 0 : done.code();
  }
  static std::string Address(uint16_t type, std::string_view bytes, uint8_t prefix,
                             uint16_t flags = NLM_F_REQUEST, unsigned index = 1) {
    ifaddrmsg body{};
    body.ifa_family = bytes.size() == 4 ? AF_INET : AF_INET6;
    body.ifa_prefixlen = prefix;
    body.ifa_index = index;
    return std::move(Writer(type, flags, 1, 0).Body(body).Attribute(IFA_LOCAL, bytes)).Finish();
  }

  const NetNamespaceRef space_;
  std::vector<std::string> answers_;
};

TEST_F(NetlinkTest, MalformedRequestsEndWithWhatIsLeft) {
  std::string_view text("\x10\0\0\0", 4);
  EXPECT_FALSE(TakeRequest(text).has_value());
  std::string request =
      std::move(Writer(RTM_GETLINK, NLM_F_REQUEST, 1, 0).Body(rtgenmsg{})).Finish();
  for (uint32_t length : {0u, 15u, 1000u, ~0u}) {
    std::string bad = request;
    memcpy(bad.data(), &length, sizeof(length));
    text = bad;
    EXPECT_FALSE(TakeRequest(text).has_value()) << length;
  }
  text = request;
  EXPECT_TRUE(TakeRequest(text).has_value());
  EXPECT_TRUE(text.empty());
}

TEST_F(NetlinkTest, MalformedAttributesEndTheList) {
  const std::string good =
      std::move(Writer(1, 0, 0, 0).Text(3, "lo").Number(4, uint32_t{7})).Finish();
  std::string payload = good.substr(sizeof(nlmsghdr));
  Attributes attributes = ParseAttributes(payload, 0);
  EXPECT_EQ(TextOf(attributes, 3), "lo");
  EXPECT_EQ(NumberOf(attributes, 4), 7u);
  EXPECT_EQ(NumberOf(attributes, 3), std::nullopt);
  for (uint16_t length : {uint16_t{0}, uint16_t{3}, uint16_t{400}}) {
    std::string bad = payload;
    memcpy(bad.data(), &length, sizeof(length));
    EXPECT_TRUE(ParseAttributes(bad, 0).empty());
  }
  EXPECT_TRUE(ParseAttributes(payload, 1000).empty());
}

TEST_F(NetlinkTest, LoopbackComesUpWithItsAddresses) {
  EXPECT_TRUE(space_->loopback().addresses().empty());
  ChangeFlags(*space_, IFF_UP, IFF_UP);
  EXPECT_EQ(space_->loopback().addresses().size(), 2u);
  ChangeFlags(*space_, 0, IFF_UP);
  ASSERT_EQ(space_->loopback().addresses().size(), 1u);
  EXPECT_EQ(space_->loopback().addresses()[0].family, AF_INET);
}

TEST_F(NetlinkTest, AddressesAreAddedOnceAndRemoved) {
  const std::string one("\x7f\0\0\1", 4);
  EXPECT_EQ(Ask(Address(RTM_NEWADDR, one, 8)), 0);
  EXPECT_EQ(Ask(Address(RTM_NEWADDR, one, 8)), EEXIST);
  EXPECT_EQ(Ask(Address(RTM_NEWADDR, one, 8, NLM_F_REQUEST | NLM_F_REPLACE)), 0);
  EXPECT_EQ(Ask(Address(RTM_NEWADDR, one, 33)), EINVAL);
  EXPECT_EQ(Ask(Address(RTM_NEWADDR, one, 8, NLM_F_REQUEST, 2)), ENODEV);
  EXPECT_EQ(Ask(Address(RTM_NEWADDR, one, 8), /*may_change=*/false), EPERM);
  EXPECT_EQ(Ask(Address(RTM_DELADDR, one, 8)), 0);
  EXPECT_EQ(Ask(Address(RTM_DELADDR, one, 8)), EADDRNOTAVAIL);
}

TEST_F(NetlinkTest, AddressesAreBounded) {
  int failure = 0;
  size_t added = 0;
  for (; failure == 0 && added < 5000; ++added) {
    std::string bytes(16, '\1');
    memcpy(bytes.data(), &added, sizeof(added));
    failure = Ask(Address(RTM_NEWADDR, bytes, 64));
  }
  EXPECT_EQ(failure, ENOBUFS);
  EXPECT_EQ(space_->loopback().addresses().size(), Loopback::kMostAddresses);
}

TEST_F(NetlinkTest, WhatNobodyReceivesIsBoundedAndReported) {
  KernelContext context;
  Vfs vfs;
  FsContext fs(nullptr, Path(), Path(), 022);
  const Caller caller{context, fs};
  NetlinkFamily family(vfs, [this](Context&) { return space_; });
  SocketRef socket = *family.Create(caller, SOCK_RAW, NETLINK_ROUTE, 0);
  auto& listener = dynamic_cast<Listener&>(*socket);
  for (int i = 0; i < 1000; ++i) listener.Deliver(std::string(1000, 'x'), 0);
  std::string buffer(2000, 0);
  int received = 0;
  bool lost = false;
  while (true) {
    KernelBuffer destination(buffer.data(), buffer.size());
    IncomingMessage message;
    Result<size_t> got = socket->ReceiveMessage(caller, destination, message, 0);
    if (got.code() == EAGAIN) break;
    if (got.code() == ENOBUFS) {
      lost = true;
      continue;
    }
    ASSERT_EQ(*got, 1000u);
    ++received;
  }
  EXPECT_TRUE(lost);
  EXPECT_EQ(received, static_cast<int>(NetlinkSocket::kCapacity / 1000));
  EXPECT_EQ(family.Create(caller, SOCK_STREAM, 0, 0).code(), ESOCKTNOSUPPORT);
  EXPECT_EQ(family.Create(caller, SOCK_RAW, NETLINK_GENERIC, 0).code(), EPROTONOSUPPORT);
}

}  // namespace
}  // namespace runsc::boot::netlink
