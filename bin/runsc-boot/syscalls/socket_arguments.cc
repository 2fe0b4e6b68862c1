#include "bin/runsc-boot/syscalls/socket_arguments.h"

#include <algorithm>

#include "bin/runsc-boot/syscalls/arguments.h"

namespace runsc::boot {

Result<SocketRef> SocketOf(Task& task, int fd) {
  TRY_ASSIGN(FileRef file, FileForIo(task, fd));
  SocketRef socket = std::dynamic_pointer_cast<Socket>(file);
  if (socket == nullptr) return Error(ENOTSOCK);
  return socket;
}

Result<SocketAddress> CopyInAddress(Task& task, uint64_t address, int size) {
  SocketAddress result;
  if (size < 0 || static_cast<size_t>(size) > result.bytes.size()) return Error(EINVAL);
  result.size = static_cast<size_t>(size);
  if (size > 0) TRY(task.CopyIn(address, result.bytes.data(), result.size));
  return result;
}

Status CopyOutAddress(Task& task, uint64_t address, uint64_t size_address,
                      const SocketAddress& name) {
  TRY_ASSIGN(int capacity, task.CopyInObject<int>(size_address));
  if (capacity < 0) return Error(EINVAL);
  const size_t size = std::min(name.size, static_cast<size_t>(capacity));
  if (size > 0) TRY(task.CopyOut(address, name.bytes.data(), size));
  return task.CopyOutObject(size_address, static_cast<int>(name.size));
}

Deadline ReceiveDeadline(const Socket& socket) {
  if (socket.receive_timeout() == 0) return std::nullopt;
  return DeadlineAfter(socket.receive_timeout());
}

Deadline SendDeadline(const Socket& socket) {
  if (socket.send_timeout() == 0) return std::nullopt;
  return DeadlineAfter(socket.send_timeout());
}

Error EndOfWait(Error error, const Deadline& deadline) {
  if (error.code() == ETIMEDOUT) return Error(EAGAIN);
  if (error.code() == kRestartSys && deadline) return Error(EINTR);
  return error;
}

}  // namespace runsc::boot
