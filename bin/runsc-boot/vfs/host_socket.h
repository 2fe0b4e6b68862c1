// Inodes that may be sockets of host processes (--host-uds). Beside Inode, and
// not in it, since only one file system has them.
#ifndef RUNSC_BOOT_VFS_HOST_SOCKET_H_
#define RUNSC_BOOT_VFS_HOST_SOCKET_H_

#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot {

class HostSocketInode {
 public:
  virtual ~HostSocketInode() = default;
  // A socket of the host of this type (SOCK_STREAM, SOCK_DGRAM,
  // SOCK_SEQPACKET), connected to the one that this inode names. EPERM when
  // host sockets are not enabled; the errors of connect(2).
  virtual Result<FileDescriptor> ConnectHostSocket(int type) = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_HOST_SOCKET_H_
