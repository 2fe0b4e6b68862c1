// Who may do what to an object of System V IPC (sysvipc(7), struct ipc_perm).
#ifndef RUNSC_BOOT_IPC_SYSV_PERMISSIONS_H_
#define RUNSC_BOOT_IPC_SYSV_PERMISSIONS_H_

#include <sys/ipc.h>
#include <sys/types.h>

#include "bin/runsc-boot/auth/credentials.h"
#include "common/result.h"

namespace runsc::boot::sysv {

// Who calls, and whose the ipc namespace is.
struct Caller {
  const Credentials& credentials;
  const UserNamespace& owner;
  pid_t pid;  // the kernel's number of the process
};

// Ids are the kernel's.
struct Permissions {
  key_t key = IPC_PRIVATE;
  int id = -1;
  uid_t uid = 0, creator_uid = 0;
  gid_t gid = 0, creator_gid = 0;
  mode_t mode = 0;  // the nine bits

  // What a new object has. `flags` as the calls *get have them.
  static Permissions Of(const Caller& creator, key_t key, int flags);
};

// Any of the three positions of the bits counts in `wanted`. EACCES.
Status CheckAccess(const Caller& caller, const Permissions& object, unsigned wanted);
constexpr unsigned kReadable = 0444, kAlterable = 0222;
// IPC_SET and IPC_RMID are for owner, creator and CAP_SYS_ADMIN. EPERM.
Status CheckOwner(const Caller& caller, const Permissions& object);

// IPC_SET: owner and mode. EINVAL: no such ids in the caller's user namespace.
Status Change(const Credentials& caller, const ipc_perm& wanted, Permissions& object);
// In the ids of the reader.
ipc_perm Show(const Credentials& reader, const Permissions& object);

}  // namespace runsc::boot::sysv

#endif  // RUNSC_BOOT_IPC_SYSV_PERMISSIONS_H_
