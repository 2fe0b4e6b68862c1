// What the controller may do while it waits for the end of a container that it
// runs in the foreground. Setting a container up needs the caller's
// capabilities, which are there for a few milliseconds only; the wait may last
// for months.
#ifndef RUNSC_CREATE_PRIVILEGES_H_
#define RUNSC_CREATE_PRIVILEGES_H_

#include <string>

#include "common/result.h"

namespace runsc::create {

// Keeps what forwarding signals and cleaning up need: CAP_KILL for a sandbox
// that has to be killed and CAP_DAC_OVERRIDE for a state directory of another
// owner, and the system calls of those. Poststop hooks, programs of the host that
// expect the caller's privileges, need a LaterHooks.
Status DropPrivilegesToWait();

// For --print-privileges.
std::string DescribePrivileges();

}  // namespace runsc::create

#endif  // RUNSC_CREATE_PRIVILEGES_H_
