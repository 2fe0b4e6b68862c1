// The process that `exec` starts, from its flags or its process file.
#ifndef RUNSC_CREATE_COMMANDS_EXEC_PROCESS_H_
#define RUNSC_CREATE_COMMANDS_EXEC_PROCESS_H_

#include "bin/runsc-create/commands/commands.h"
#include "common/result.h"
#include "ipc/oci.pb.h"

namespace runsc::create {

// What the flags leave open is as in the container's own process, `base`. With
// a process file, that alone counts but for the OOM score, and the umask,
// capabilities and limits that the file does not name.
// EINVAL with a message that names the wrong flag or field.
Result<oci::Process> MakeExecProcess(const ExecOptions& exec, const oci::Process& base);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_COMMANDS_EXEC_PROCESS_H_
