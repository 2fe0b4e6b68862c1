// What the gofer may do once it serves: capabilities and system calls.
#ifndef RUNSC_GOFER_PRIVILEGES_H_
#define RUNSC_GOFER_PRIVILEGES_H_

#include <string>

#include "bin/runsc-gofer/tree.h"
#include "common/capabilities.h"
#include "common/result.h"
#include "common/seccomp.h"

namespace runsc::gofer {

CapabilityMask ServingCapabilities(const TreeOptions& options);
FilterBuilder ServingFilter(const TreeOptions& options);

// Gives up everything else, for good. The process must have one thread.
Status DropPrivileges(const TreeOptions& options);

// For --print-privileges.
std::string DescribePrivileges();

}  // namespace runsc::gofer

#endif  // RUNSC_GOFER_PRIVILEGES_H_
