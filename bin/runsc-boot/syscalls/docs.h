// docs/syscalls.md, written from the table.
#ifndef RUNSC_BOOT_SYSCALLS_DOCS_H_
#define RUNSC_BOOT_SYSCALLS_DOCS_H_

#include <string>

namespace runsc::boot {

std::string RenderSyscallDocs();

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_DOCS_H_
