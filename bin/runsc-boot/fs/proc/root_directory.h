// The root of /proc: fixed files, "self", "thread-self", and a directory for
// each process.
#ifndef RUNSC_BOOT_FS_PROC_ROOT_DIRECTORY_H_
#define RUNSC_BOOT_FS_PROC_ROOT_DIRECTORY_H_

#include "bin/runsc-boot/fs/proc/proc_filesystem.h"
#include "bin/runsc-boot/fs/pseudo/tree.h"

namespace runsc::boot::proc {

InodeRef MakeRootDirectory(ProcFilesystem& filesystem);

// Parts of the tree, each in a file of its own.
Result<std::string> GenerateLocks(ProcFilesystem& filesystem);        // locks
void AddSystemFiles(ProcFilesystem& filesystem, pseudo::Tree& tree);  // cpuinfo, meminfo, ...
void AddSysctls(ProcFilesystem& filesystem, pseudo::Tree& tree);      // sys/
void AddIpcFiles(ProcFilesystem& filesystem, pseudo::Tree& tree);     // sysvipc/
// A decimal number without sign and leading zeros, as names of processes,
// threads and descriptors are. -1 when it is something else.
int ParseId(std::string_view name);

}  // namespace runsc::boot::proc

#endif  // RUNSC_BOOT_FS_PROC_ROOT_DIRECTORY_H_
