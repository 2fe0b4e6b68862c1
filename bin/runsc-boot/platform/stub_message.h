// Whether a notification was sent by an instruction of the stub's image. The
// application can jump there: it tells the form of the message, not its truth.
#ifndef RUNSC_BOOT_PLATFORM_STUB_MESSAGE_H_
#define RUNSC_BOOT_PLATFORM_STUB_MESSAGE_H_

#include "bin/runsc-boot/platform/listener.h"
#include "bin/runsc-boot/platform/stub/abi.h"

namespace runsc::boot::platform {

inline bool IsFromStub(const Notification& notification) {
  return notification.call.instruction_pointer - stub::kImageBase < stub::kImageSize;
}

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_STUB_MESSAGE_H_
