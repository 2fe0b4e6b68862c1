// Prints docs/syscalls.md; run by tools/gen-syscall-docs.
#include <cstdio>

#include "bin/runsc-boot/syscalls/docs.h"

int main() { return fputs(runsc::boot::RenderSyscallDocs().c_str(), stdout) < 0 ? 1 : 0; }
