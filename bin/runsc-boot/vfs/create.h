// What a new inode inherits from its creator and its directory.
#ifndef RUNSC_BOOT_VFS_CREATE_H_
#define RUNSC_BOOT_VFS_CREATE_H_

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/vfs/attributes.h"
#include "bin/runsc-boot/vfs/inode.h"
#include "bin/runsc-boot/vfs/mount.h"

namespace runsc::boot {

// EOVERFLOW: a file system of a user namespace cannot hold ids that do not
// exist in it.
inline Status CheckIdsFit(const Mount& mount, const Credentials& credentials) {
  const UserNamespaceRef& owner = mount.filesystem_owner();
  if (owner == nullptr || (owner->FromKernelUid(credentials.fsuid) != kNoId &&
                           owner->FromKernelGid(credentials.fsgid) != kNoId)) {
    return Ok();
  }
  return Error(EOVERFLOW);
}

// Sets uid and gid of `node`, and the set-gid bit by the directory's rule.
inline void ApplyOwner(const Credentials& credentials, const Attributes& directory,
                       NewInode& node) {
  node.uid = credentials.fsuid;
  node.gid = credentials.fsgid;
  if ((directory.mode & S_ISGID) == 0) return;
  node.gid = directory.gid;
  constexpr mode_t kSetGid = S_ISGID | S_IXGRP;
  if (S_ISDIR(node.mode)) {
    node.mode |= S_ISGID;
  } else if ((node.mode & kSetGid) == kSetGid && !credentials.InGroup(node.gid) &&
             !credentials.HasOver(directory.uid, node.gid, CAP_FSETID)) {
    node.mode &= ~mode_t{S_ISGID};
  }
}

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_CREATE_H_
