#include "bin/runsc-boot/vfs/host_io.h"

#include <unistd.h>

#include <algorithm>
#include <memory>

namespace runsc::boot {
namespace {

// Small enough to stay in the second-level cache between the two copies.
constexpr size_t kTransferSize = 128 * 1024;

}  // namespace

TransferBuffer ThreadTransferBuffer() {
  // Not cleared: untouched pages cost nothing.
  thread_local const std::unique_ptr<char[]> buffer(new char[kTransferSize]);
  return {buffer.get(), kTransferSize};
}

Result<size_t> ReadFromHost(int fd, IoBuffer& destination, uint64_t offset) {
  TransferBuffer buffer = ThreadTransferBuffer();
  size_t total = 0;
  while (destination.remaining() > 0) {
    size_t wanted = std::min(buffer.size, destination.remaining());
    ssize_t count = pread(fd, buffer.data, wanted, static_cast<off_t>(offset + total));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && total == 0) return Error(errno);
    if (count <= 0) break;
    Result<size_t> put = destination.Put(buffer.data, static_cast<size_t>(count));
    if (!put.ok()) {
      if (total == 0) return std::move(put).error();
      break;
    }
    total += *put;
    if (*put < wanted) break;
  }
  return total;
}

Result<size_t> WriteToHost(int fd, IoBuffer& source, uint64_t offset, uint64_t limit) {
  TransferBuffer buffer = ThreadTransferBuffer();
  size_t total = 0;
  while (source.remaining() > 0 && total < limit) {
    size_t wanted = std::min<uint64_t>({buffer.size, source.remaining(), limit - total});
    Result<size_t> taken = source.Take(buffer.data, wanted);
    if (!taken.ok()) {
      if (total == 0) return std::move(taken).error();
      break;
    }
    size_t written = 0;
    while (written < *taken) {
      ssize_t count = pwrite(fd, buffer.data + written, *taken - written,
                             static_cast<off_t>(offset + total + written));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        const int code = errno;
        source.StepBack(*taken - written);
        if (count < 0 && total + written == 0) return Error(code);
        return total + written;
      }
      written += static_cast<size_t>(count);
    }
    total += written;
    if (*taken < wanted) break;
  }
  return total;
}

}  // namespace runsc::boot
