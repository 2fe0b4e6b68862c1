// Permission checks that need only credentials and attributes.
#ifndef RUNSC_BOOT_VFS_PERMISSION_H_
#define RUNSC_BOOT_VFS_PERMISSION_H_

#include "bin/runsc-boot/auth/credentials.h"
#include "bin/runsc-boot/vfs/attributes.h"
#include "common/result.h"

namespace runsc::boot {

enum AccessMode : unsigned { kExecute = 1, kWrite = 2, kRead = 4 };

// Permission bits of `attributes` against the caller's fsuid, fsgid, groups
// and CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH. EACCES.
Status CheckPermission(const Credentials& credentials, const Attributes& attributes, unsigned mode);

// True for the owner and with CAP_FOWNER.
bool OwnerOrCapable(const Credentials& credentials, const Attributes& attributes);

// The sticky bit of `directory` forbids removing or renaming `victim`. EPERM.
Status CheckSticky(const Credentials& credentials, const Attributes& directory,
                   const Attributes& victim);

// What of `mode` stays when somebody changes owner or content: S_ISUID goes,
// and S_ISGID where the group may execute.
mode_t WithoutSetIdBits(mode_t mode);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_PERMISSION_H_
