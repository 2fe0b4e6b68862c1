// HOME of a process for which the specification sets none.
#ifndef RUNSC_BOOT_SANDBOX_HOME_DIRECTORY_H_
#define RUNSC_BOOT_SANDBOX_HOME_DIRECTORY_H_

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

// The home directory of `uid` in the text of a passwd(5) file; "" when there is
// none.
std::string HomeInPasswd(std::string_view text, uid_t uid);

// As runc: an environment without HOME, or with an empty one, gets the one of
// /etc/passwd in the container, else "/".
void AddHome(Vfs& vfs, Caller caller, uid_t uid, std::vector<std::string>& env);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_HOME_DIRECTORY_H_
