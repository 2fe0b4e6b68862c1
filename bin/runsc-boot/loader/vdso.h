// The host's vDSO in application processes. It is the same image in every process
// of the host, boot included, and its clocks are the host's.
#ifndef RUNSC_BOOT_LOADER_VDSO_H_
#define RUNSC_BOOT_LOADER_VDSO_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "bin/runsc-boot/platform/platform.h"
#include "common/result.h"

namespace runsc::boot {

// One of its functions, as an offset in the image.
struct VdsoFunction {
  uint64_t offset = 0, size = 0;
};
// Of boot's own vDSO; nothing: the host has none, or none of that name.
std::optional<VdsoFunction> FindVdsoFunction(std::string_view name);
// In bytes, whole pages; 0: there is none.
size_t VdsoSize();

// Turns clock_gettime of the vDSO of `thread`'s process into the system call,
// for good and for its children. `thread` is in stub and alone in its address
// space. What the process has put in the vDSO's place, or changed of it, stays.
Status MakeVdsoClockACall(platform::Thread& thread);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_LOADER_VDSO_H_
