// The mount option "tmpcopyup" of OCI runtimes: a tmpfs starts with what lies in
// the directory that it covers.
#ifndef RUNSC_BOOT_SANDBOX_COPY_UP_H_
#define RUNSC_BOOT_SANDBOX_COPY_UP_H_

#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

// Copies the contents of the directory `from` into the empty one `to`, with
// owners, modes and times; device nodes and sockets included. ELOOP: nested
// deeper than any sensible tree; ENOSPC and other errors of the file systems.
Status CopyUp(Vfs& vfs, Caller caller, const Path& from, const Path& to);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_COPY_UP_H_
