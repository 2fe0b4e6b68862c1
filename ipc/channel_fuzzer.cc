// Feeds arbitrary packets to Channel::Receive: no input may crash it, and it
// must not deliver a message that was not framed.
//
//   bazel build --config=fuzz //ipc:channel_fuzzer && bazel-bin/ipc/channel_fuzzer
#include <sys/socket.h>

#include <cstdint>

#include "ipc/channel.h"
#include "ipc/testing.pb.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto pair = runsc::Channel::Pair();
  if (!pair.ok()) return 0;
  runsc::Channel greeter(std::move(pair->first), runsc::Conversation::kFs);
  runsc::Channel channel(std::move(pair->second), runsc::Conversation::kFs, 1 << 17);
  // An odd first byte lets the input take the place of the greeting.
  if (size > 0 && (data[0] & 1) == 0) (void)greeter.Send(runsc::testing::Probe());
  while (size > 2) {
    size_t want = (data[0] | data[1] << 8) + 1;
    data += 2;
    size -= 2;
    size_t packet = want < size ? want : size;
    if (send(greeter.fd(), data, packet, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) break;
    data += packet;
    size -= packet;
  }
  shutdown(greeter.fd(), SHUT_WR);
  while (channel.Receive<runsc::testing::Probe>(1).ok()) {
  }
  return 0;
}
