// Structures of system calls that grow from version to version, passed with their
// size: openat2(2), clone3(2), sched_setattr(2).
#ifndef RUNSC_BOOT_KERNEL_GROWING_STRUCT_H_
#define RUNSC_BOOT_KERNEL_GROWING_STRUCT_H_

#include <algorithm>

#include "bin/runsc-boot/kernel/task.h"

namespace runsc::boot {

// The bytes from `address` on, up to `size`, that no version of ours knows: E2BIG
// at the first that is not zero, EFAULT where the memory ends before one.
Status CheckUnknownIsZero(Task& task, uint64_t address, size_t size);

// What the caller does not pass is zero. It has checked `size`. EFAULT, E2BIG.
template <typename T>
Result<T> CopyInGrowing(Task& task, uint64_t address, size_t size) {
  T object{};
  const size_t known = std::min(size, sizeof(T));
  // As Linux, what is too much first.
  TRY(CheckUnknownIsZero(task, address + known, size - known));
  TRY(task.CopyIn(address, &object, known));
  return object;
}

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_GROWING_STRUCT_H_
