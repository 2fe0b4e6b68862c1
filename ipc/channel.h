// Messages with file descriptors between the processes of one sandbox.
//
// A Channel owns one end of an AF_UNIX SOCK_SEQPACKET connection and carries
// Protobuf messages, each with up to kMaxFds descriptors:
//
//   TRY_ASSIGN(auto pair, Channel::Pair());               // two ends
//   Channel gofer(std::move(pair.first), Conversation::kGofer);
//   TRY(gofer.Send(request, {root.get()}));
//   TRY_ASSIGN(auto reply, gofer.Receive<GoferReply>());
//
// Each conversation has one message type per direction, a `oneof` of what may
// be said, so that a message of another kind cannot be taken for it.
//
// The peer is not trusted. What it sends is bounded in size; a message that is
// malformed, too long or incomplete gives EBADMSG and shuts the connection
// down, as does a peer of another build, which is told apart by the greeting
// that each side puts in front of its first message. Descriptors that the
// receiver does not ask for are closed.
//
// One thread may send while another receives; two threads must not do the
// same at once.
#ifndef RUNSC_IPC_CHANNEL_H_
#define RUNSC_IPC_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/file_descriptor.h"
#include "common/result.h"
#include "google/protobuf/message_lite.h"

namespace runsc {

// Who talks to whom about what. Part of the greeting.
enum class Conversation : uint32_t {
  kGofer = 1,    // controller and gofer: gofer.proto
  kBoot = 2,     // controller and boot: boot.proto
  kControl = 3,  // later commands and boot
  kFs = 4,       // boot and gofer: fs.proto
};

// The descriptor number at which a child inherits its channel.
inline constexpr int kInheritedChannelFd = 3;

// Identifies the protocol and the code that speaks it: a digest of ipc/.
std::string_view BuildId();

// A message as it came off the wire.
template <typename Message>
struct Received {
  Message message;
  std::vector<FileDescriptor> fds;

  // Takes descriptor `index`; EBADMSG when the peer did not send it.
  Result<FileDescriptor> TakeFd(size_t index) {
    if (index >= fds.size() || !fds[index].valid()) {
      return Error(EBADMSG, "message lacks a file descriptor");
    }
    return std::move(fds[index]);
  }
};

class Channel {
 public:
  // What the host allows in one packet (SCM_MAX_FD).
  static constexpr size_t kMaxFds = 253;
  // The bound of one serialized message, in bytes. A receiver may set a lower
  // one.
  static constexpr size_t kMaxMessage = 4 << 20;

  // Two connected sockets, close-on-exec. Errors: those of socketpair(2).
  static Result<std::pair<FileDescriptor, FileDescriptor>> Pair();

  Channel() = default;
  Channel(FileDescriptor socket, Conversation conversation, size_t max_received = kMaxMessage);

  bool valid() const { return socket_.valid(); }
  // For poll(2).
  int fd() const { return socket_.get(); }

  // Sends one message and copies of `fds`. Errors: E2BIG when it is longer
  // than the bound or has too many descriptors, EPIPE or ECONNRESET when the
  // peer is gone, else those of sendmsg(2).
  Status Send(const google::protobuf::MessageLite& message, absl::Span<const int> fds = {});

  // Waits for one message. Descriptors beyond `max_fds` are closed. Errors:
  // ECONNRESET when the peer is gone, EBADMSG for a malformed message or a
  // peer of another build, ETIMEDOUT when a timeout is set and passes, else
  // those of recvmsg(2).
  template <typename Message>
  Result<Received<Message>> Receive(size_t max_fds = 0) {
    Received<Message> received;
    TRY(ReceiveInto(received.message, received.fds, max_fds));
    return received;
  }
  Status ReceiveInto(google::protobuf::MessageLite& message, std::vector<FileDescriptor>& fds,
                     size_t max_fds);

  // From now on a Receive that waits longer fails with ETIMEDOUT.
  Status SetReceiveTimeout(absl::Duration timeout);

  // Ends the connection for both sides; a Receive in another thread returns.
  void Shutdown();
  // Gives up the socket.
  FileDescriptor Release() { return std::move(socket_); }

 private:
  Status SendGreeting();
  Status ReceiveGreeting();
  Status ReceiveFrame(std::vector<FileDescriptor>& fds, std::string_view* payload);
  Status Malformed(std::string_view what);

  FileDescriptor socket_;
  Conversation conversation_ = Conversation::kGofer;
  size_t max_received_ = kMaxMessage;
  bool greeting_sent_ = false;
  bool greeting_received_ = false;
  std::string send_buffer_;
  std::string receive_buffer_;
};

}  // namespace runsc

#endif  // RUNSC_IPC_CHANNEL_H_
