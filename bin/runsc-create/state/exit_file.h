// ROOT/ID/exit, in which boot records how the container ended.
#ifndef RUNSC_CREATE_STATE_EXIT_FILE_H_
#define RUNSC_CREATE_STATE_EXIT_FILE_H_

#include "bin/runsc-create/state/container_store.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::create {

// For boot, which needs both reading and writing to map it.
Result<FileDescriptor> MakeExitFile(const ContainerStore& store);

// The wait status of a container that has ended. ENODATA: none was recorded,
// since boot was killed, or what is there is no status; boot wrote it, and is
// trusted with nothing more.
Result<int> ReadExitFile(const ContainerStore& store);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_STATE_EXIT_FILE_H_
