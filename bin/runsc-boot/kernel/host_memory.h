// What the host says about the memory of a process that is about to end.
#ifndef RUNSC_BOOT_KERNEL_HOST_MEMORY_H_
#define RUNSC_BOOT_KERNEL_HOST_MEMORY_H_

#include <sys/types.h>

#include <cstdint>

namespace runsc::boot {

// The largest resident memory so far, in KiB, by the pid in boot's namespace; 0
// when it is gone. Costs some 10 µs: the host writes a long text for it.
uint64_t PeakMemoryKib(pid_t host_pid);

// What is resident now, and the faults of all threads so far. Costs some 5 µs.
struct HostMemory {
  uint64_t resident_kib = 0, minor_faults = 0, major_faults = 0;
};
HostMemory ReadHostMemory(pid_t host_pid);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_HOST_MEMORY_H_
