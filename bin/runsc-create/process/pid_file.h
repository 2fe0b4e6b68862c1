// Files that tell engines the id of a process.
#ifndef RUNSC_CREATE_PROCESS_PID_FILE_H_
#define RUNSC_CREATE_PROCESS_PID_FILE_H_

#include <sys/types.h>

#include <string>

#include "common/result.h"

namespace runsc::create {

// Replaces `path` at once: nobody reads half a number.
Status WritePidFile(const std::string& path, pid_t pid);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_PROCESS_PID_FILE_H_
