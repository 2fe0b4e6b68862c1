// What boot may still do once it is set up: nothing but run stubs and use the
// descriptors that it holds.
#ifndef RUNSC_BOOT_SETUP_PRIVILEGES_H_
#define RUNSC_BOOT_SETUP_PRIVILEGES_H_

#include <sys/types.h>

#include <string>

#include "common/result.h"
#include "common/seccomp.h"

namespace runsc::boot::setup {

// nobody and nogroup.
inline constexpr uid_t kBootUid = 65534;
inline constexpr gid_t kBootGid = 65534;

struct FilterOptions {
  bool host_network = false;  // sockets of the host's network stack
};

// Sets the descriptor limit as high as the host allows: the container's limits
// are kept by the kernel of the sandbox.
void RaiseLimits();

// Becomes kBootUid without groups, capabilities or a way to get them back. To
// be called while the process has one thread.
Status DropIdentity();

// The allow-list of boot's own system calls.
FilterBuilder BootFilter(const FilterOptions& options);

// For --print-privileges.
std::string DescribePrivileges();

}  // namespace runsc::boot::setup

#endif  // RUNSC_BOOT_SETUP_PRIVILEGES_H_
