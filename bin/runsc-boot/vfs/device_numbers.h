// Device numbers: of file systems without a device, as Linux numbers them (0:N).
#ifndef RUNSC_BOOT_VFS_DEVICE_NUMBERS_H_
#define RUNSC_BOOT_VFS_DEVICE_NUMBERS_H_

#include <sys/sysmacros.h>

#include <atomic>

namespace runsc::boot {

// Registers an opener for every minor number of a major one.
constexpr unsigned kAnyMinor = 0xfffff;

// A counter, not state that anything depends on; 0:1 is the anonymous one's.
inline dev_t NewAnonymousDevice() {
  static std::atomic<unsigned> next{20};
  return makedev(0, next.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_DEVICE_NUMBERS_H_
