// Signals by name and number, as `kill` takes them.
#ifndef RUNSC_CREATE_PROCESS_SIGNALS_H_
#define RUNSC_CREATE_PROCESS_SIGNALS_H_

#include <string>

#include "common/result.h"

namespace runsc::create {

// "9", "KILL", "SIGKILL", "sigkill", "RTMIN+3". EINVAL: unknown signal.
Result<int> ParseSignal(const std::string& text);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_PROCESS_SIGNALS_H_
