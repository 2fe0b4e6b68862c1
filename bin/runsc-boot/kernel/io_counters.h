// Bytes and calls of read(2), write(2) and their like: /proc/PID/io.
#ifndef RUNSC_BOOT_KERNEL_IO_COUNTERS_H_
#define RUNSC_BOOT_KERNEL_IO_COUNTERS_H_

#include <atomic>
#include <cstdint>

namespace runsc::boot {

struct IoCounters {
  std::atomic<uint64_t> bytes_read{0}, bytes_written{0}, reads{0}, writes{0};
  void Add(const IoCounters& other);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_IO_COUNTERS_H_
