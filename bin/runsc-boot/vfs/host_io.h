// Transfers between host descriptors and IoBuffers.
#ifndef RUNSC_BOOT_VFS_HOST_IO_H_
#define RUNSC_BOOT_VFS_HOST_IO_H_

#include <cstdint>

#include "bin/runsc-boot/vfs/io_buffer.h"
#include "common/result.h"

namespace runsc::boot {

// pread(2) of `fd` into `destination` until it is full or the file ends.
Result<size_t> ReadFromHost(int fd, IoBuffer& destination, uint64_t offset);
// pwrite(2) of up to `limit` bytes from `source` to `fd`.
Result<size_t> WriteToHost(int fd, IoBuffer& source, uint64_t offset, uint64_t limit);

// A buffer of the calling thread for data in transit, not to be held across
// calls into other code that may use it.
struct TransferBuffer {
  char* data;
  size_t size;
};
TransferBuffer ThreadTransferBuffer();

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_HOST_IO_H_
