// One packet of an AF_UNIX SOCK_SEQPACKET socket, with its descriptors. Used
// by Channel, which gives packets their meaning.
#ifndef RUNSC_IPC_PACKET_H_
#define RUNSC_IPC_PACKET_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc {

// Sends all of `packet` and copies of `fds`. Never raises SIGPIPE. Errors:
// those of sendmsg(2).
Status SendPacket(int socket, std::string_view packet, absl::Span<const int> fds);

// Waits for one packet and returns its size. All descriptors that came with it
// are put into `fds`, close-on-exec. Errors: ECONNRESET at the end of the
// connection, EBADMSG when packet or descriptors did not fit, ETIMEDOUT when
// the socket's timeout passed, else those of recvmsg(2).
Result<size_t> ReceivePacket(int socket, absl::Span<char> buffer, std::vector<FileDescriptor>* fds);

}  // namespace runsc

#endif  // RUNSC_IPC_PACKET_H_
