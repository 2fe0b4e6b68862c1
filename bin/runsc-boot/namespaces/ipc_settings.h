// The sysctls of an ipc namespace, by their names below /proc/sys: kernel/sem,
// kernel/shmmax, fs/mqueue/msg_max and the like (proc_sys_kernel(5),
// proc_sys_fs(5)).
#ifndef RUNSC_BOOT_NAMESPACES_IPC_SETTINGS_H_
#define RUNSC_BOOT_NAMESPACES_IPC_SETTINGS_H_

#include <string>
#include <string_view>
#include <vector>

#include "bin/runsc-boot/namespaces/ipc_namespace.h"
#include "common/result.h"

namespace runsc::boot {

std::vector<std::string> IpcSettingNames();
bool IsIpcSetting(std::string_view name);
// As a read of the file gives it, with the newline. For names that are there.
std::string IpcSetting(const IpcNamespace& space, std::string_view name);
// As a write does it; whether the writer may has been checked. EINVAL; ERANGE:
// too many semaphore sets.
Status SetIpcSetting(const IpcNamespace& space, std::string_view name, std::string_view text);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_NAMESPACES_IPC_SETTINGS_H_
