// Finds the program that the specification names, as execvp(3) does.
#ifndef RUNSC_BOOT_SANDBOX_PROGRAM_SEARCH_H_
#define RUNSC_BOOT_SANDBOX_PROGRAM_SEARCH_H_

#include <string>
#include <vector>

#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

// `name` with a slash is taken as it is; else it is looked for along PATH of
// `env`, in the caller's root and working directory. ENOENT: it is nowhere;
// EACCES: it is there, but cannot be executed by the caller. Both have a
// message that names the program.
Result<std::string> FindProgram(Vfs& vfs, Caller caller, const std::string& name,
                                const std::vector<std::string>& env);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_PROGRAM_SEARCH_H_
