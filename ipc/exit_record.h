// How a container ended, for commands that ask when boot is gone.
//
// ROOT/ID/exit holds one word. The controller makes the file with a zero in it;
// boot maps it as it sets itself up, gives the descriptor back, and stores the
// word when the container ends. So boot can change these bytes, and neither the
// file's size nor any other file; whoever reads them checks what they say.
#ifndef RUNSC_IPC_EXIT_RECORD_H_
#define RUNSC_IPC_EXIT_RECORD_H_

#include <cstdint>
#include <optional>

namespace runsc {

using ExitRecord = uint64_t;
// The container has not ended, or boot died before it could tell.
inline constexpr ExitRecord kNoExitRecord = 0;

// `status` as wait(2) has it.
ExitRecord EncodeExit(int status);
// The status: of an exit with a code up to 255, or of an end by a signal.
// Nothing: no end has been recorded, or it is none that wait(2) could report.
std::optional<int> DecodeExit(ExitRecord record);

}  // namespace runsc

#endif  // RUNSC_IPC_EXIT_RECORD_H_
