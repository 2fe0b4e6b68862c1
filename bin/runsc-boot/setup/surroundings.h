// What of the host boot keeps: an empty root, a network namespace.
#ifndef RUNSC_BOOT_SETUP_SURROUNDINGS_H_
#define RUNSC_BOOT_SETUP_SURROUNDINGS_H_

#include "common/result.h"

namespace runsc::boot::setup {

// Replaces the root of this mount namespace, which must be boot's own, by an
// empty read-only file system with a read-only /proc of this pid namespace.
// Nothing else stays mounted. Needs CAP_SYS_ADMIN and CAP_SYS_CHROOT.
Status EnterEmptyRoot();

// Joins the network namespace of `fd`. Needs CAP_SYS_ADMIN.
Status JoinNetworkNamespace(int fd);

// Brings the loopback interface of this network namespace up. Needs
// CAP_NET_ADMIN.
Status BringUpLoopback();

}  // namespace runsc::boot::setup

#endif  // RUNSC_BOOT_SETUP_SURROUNDINGS_H_
