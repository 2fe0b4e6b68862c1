#include "bin/runsc-boot/vfs/permission.h"

namespace runsc::boot {

Status CheckPermission(const Credentials& credentials, const Attributes& attributes,
                       unsigned mode) {
  unsigned granted = attributes.mode & 07;
  if (credentials.fsuid == attributes.uid) {
    granted = (attributes.mode >> 6) & 07;
  } else if (((attributes.mode >> 3) & 07) != granted && credentials.InGroup(attributes.gid)) {
    granted = (attributes.mode >> 3) & 07;
  }
  if ((mode & ~granted) == 0) return Ok();

  bool directory = attributes.IsDirectory();
  if (!credentials.Maps(attributes.uid, attributes.gid)) return Error(EACCES);
  if (credentials.Has(CAP_DAC_OVERRIDE)) {
    // Execution of a file needs at least one execute bit.
    if (directory || (mode & kExecute) == 0 || (attributes.mode & 0111) != 0) return Ok();
  }
  if (credentials.Has(CAP_DAC_READ_SEARCH)) {
    if (mode == kRead || (directory && (mode & kWrite) == 0)) return Ok();
  }
  return Error(EACCES);
}

bool OwnerOrCapable(const Credentials& credentials, const Attributes& attributes) {
  return credentials.fsuid == attributes.uid ||
         (credentials.Has(CAP_FOWNER) && credentials.MapsUid(attributes.uid));
}

Status CheckSticky(const Credentials& credentials, const Attributes& directory,
                   const Attributes& victim) {
  if ((directory.mode & S_ISVTX) == 0 || credentials.fsuid == victim.uid ||
      credentials.fsuid == directory.uid ||
      credentials.HasOver(victim.uid, victim.gid, CAP_FOWNER)) {
    return Ok();
  }
  return Error(EPERM);
}

mode_t WithoutSetIdBits(mode_t mode) {
  mode &= ~mode_t{S_ISUID};
  if ((mode & S_IXGRP) != 0) mode &= ~mode_t{S_ISGID};
  return mode;
}

}  // namespace runsc::boot
