// map_files/ and pagemap: what tools ask about single pages and mappings.
#ifndef RUNSC_BOOT_FS_PROC_MEMORY_ENTRIES_H_
#define RUNSC_BOOT_FS_PROC_MEMORY_ENTRIES_H_

#include "bin/runsc-boot/fs/proc/task_directory.h"

namespace runsc::boot::proc {

// map_files.cc
std::shared_ptr<pseudo::PseudoInode> MakeMapFilesDirectory(const TaskHandle& handle, uint64_t ino);
// pagemap_file.cc
std::shared_ptr<pseudo::PseudoInode> MakePagemapFile(const TaskHandle& handle, uint64_t ino);

}  // namespace runsc::boot::proc

#endif  // RUNSC_BOOT_FS_PROC_MEMORY_ENTRIES_H_
