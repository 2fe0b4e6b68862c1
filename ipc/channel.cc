#include "ipc/channel.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "ipc/packet.h"

namespace runsc {
namespace {

// In front of every message: its length and the number of descriptors, which
// all travel with the message's first packet.
struct FrameHeader {
  uint32_t magic;
  uint32_t length;
  uint32_t fd_count;
};
constexpr uint32_t kFrameMagic = 0x316d6373;  // "scm1"

// The first packet in each direction.
struct Greeting {
  uint32_t magic;
  uint32_t conversation;
  char build_id[32];
};
constexpr uint32_t kGreetingMagic = 0x31736372;  // "rcs1"

// A packet must fit into the socket's send buffer, whose default is 208 KiB
// with the kernel's own overhead in it; longer messages take several packets.
constexpr size_t kPacketSize = 64 << 10;

}  // namespace

Result<std::pair<FileDescriptor, FileDescriptor>> Channel::Pair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
    return ErrnoError("create socket pair");
  }
  return std::make_pair(FileDescriptor(fds[0]), FileDescriptor(fds[1]));
}

Channel::Channel(FileDescriptor socket, Conversation conversation, size_t max_received)
    : socket_(std::move(socket)), conversation_(conversation), max_received_(max_received) {}

Status Channel::Send(const google::protobuf::MessageLite& message, absl::Span<const int> fds) {
  size_t length = message.ByteSizeLong();
  if (length > kMaxMessage || fds.size() > kMaxFds) {
    return MakeError(E2BIG, "send message", message.GetTypeName());
  }
  if (!greeting_sent_) TRY(SendGreeting());

  FrameHeader header = {kFrameMagic, static_cast<uint32_t>(length),
                        static_cast<uint32_t>(fds.size())};
  send_buffer_.resize(sizeof(header) + length);
  memcpy(send_buffer_.data(), &header, sizeof(header));
  auto* payload = reinterpret_cast<uint8_t*>(send_buffer_.data()) + sizeof(header);
  message.SerializeWithCachedSizesToArray(payload);

  std::string_view rest = send_buffer_;
  while (!rest.empty()) {
    std::string_view packet = rest.substr(0, kPacketSize);
    TRY(SendPacket(socket_.get(), packet, fds));
    fds = {};
    rest.remove_prefix(packet.size());
  }
  return Ok();
}

Status Channel::ReceiveInto(google::protobuf::MessageLite& message,
                            std::vector<FileDescriptor>& fds, size_t max_fds) {
  if (!greeting_received_) TRY(ReceiveGreeting());
  fds.clear();
  std::string_view payload;
  TRY(ReceiveFrame(fds, &payload));
  if (fds.size() > max_fds) fds.resize(max_fds);
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    fds.clear();
    return Malformed(absl::StrCat("it is not a ", message.GetTypeName()));
  }
  return Ok();
}

Status Channel::ReceiveFrame(std::vector<FileDescriptor>& fds, std::string_view* payload) {
  receive_buffer_.resize(kPacketSize);
  TRY_ASSIGN(size_t size, ReceivePacket(socket_.get(), absl::MakeSpan(receive_buffer_), &fds));
  FrameHeader header;
  if (size < sizeof(header)) return Malformed("it is shorter than its header");
  memcpy(&header, receive_buffer_.data(), sizeof(header));
  if (header.magic != kFrameMagic) return Malformed("it has no header");
  if (header.length > max_received_) return Malformed("it is too long");
  if (header.fd_count != fds.size()) return Malformed("descriptors were lost or added");

  size_t total = sizeof(header) + header.length;
  if (size > total || (size < total && size != kPacketSize)) {
    return Malformed("its length differs from its header's");
  }
  while (size < total) {
    size_t want = std::min(kPacketSize, total - size);
    receive_buffer_.resize(size + want);
    std::vector<FileDescriptor> unexpected;
    TRY_ASSIGN(
        size_t got,
        ReceivePacket(socket_.get(), absl::MakeSpan(&receive_buffer_[size], want), &unexpected));
    if (got != want || !unexpected.empty()) return Malformed("it is incomplete");
    size += got;
  }
  *payload = std::string_view(receive_buffer_).substr(sizeof(header), header.length);
  return Ok();
}

Status Channel::SendGreeting() {
  Greeting greeting = {kGreetingMagic, static_cast<uint32_t>(conversation_), {}};
  std::string_view id = BuildId();
  memcpy(greeting.build_id, id.data(), std::min(id.size(), sizeof(greeting.build_id)));
  TRY(SendPacket(socket_.get(), {reinterpret_cast<const char*>(&greeting), sizeof(greeting)}, {}));
  greeting_sent_ = true;
  return Ok();
}

Status Channel::ReceiveGreeting() {
  char bytes[sizeof(Greeting)];
  std::vector<FileDescriptor> unexpected;
  TRY_ASSIGN(size_t size, ReceivePacket(socket_.get(), absl::MakeSpan(bytes), &unexpected));
  Greeting greeting;
  memcpy(&greeting, bytes, sizeof(greeting));
  if (size != sizeof(greeting) || greeting.magic != kGreetingMagic || !unexpected.empty()) {
    return Malformed("the peer did not greet");
  }
  if (greeting.conversation != static_cast<uint32_t>(conversation_)) {
    return Malformed("the peer speaks of something else");
  }
  std::string_view theirs(greeting.build_id, sizeof(greeting.build_id));
  if (theirs.substr(0, BuildId().size()) != BuildId()) {
    return Malformed("the peer is of another build; install all three binaries together");
  }
  greeting_received_ = true;
  return Ok();
}

Status Channel::SetReceiveTimeout(absl::Duration timeout) {
  timeval tv = absl::ToTimeval(timeout);
  if (setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0) {
    return ErrnoError("set receive timeout");
  }
  return Ok();
}

void Channel::Shutdown() { shutdown(socket_.get(), SHUT_RDWR); }

Status Channel::Malformed(std::string_view what) {
  Shutdown();
  return Error(EBADMSG, absl::StrCat("malformed message: ", std::string(what)));
}

}  // namespace runsc
