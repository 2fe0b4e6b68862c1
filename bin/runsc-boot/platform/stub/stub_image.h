// The stub's executable, embedded.
#ifndef RUNSC_BOOT_PLATFORM_STUB_STUB_IMAGE_H_
#define RUNSC_BOOT_PLATFORM_STUB_STUB_IMAGE_H_

#include <span>

namespace runsc::boot::platform::stub {

std::span<const unsigned char> Image();

}  // namespace runsc::boot::platform::stub

#endif  // RUNSC_BOOT_PLATFORM_STUB_STUB_IMAGE_H_
