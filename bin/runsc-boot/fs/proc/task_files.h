// The files in the directory of a process or thread: one function each, in the
// files task_status.cc, task_memory.cc and task_mounts.cc.
#ifndef RUNSC_BOOT_FS_PROC_TASK_FILES_H_
#define RUNSC_BOOT_FS_PROC_TASK_FILES_H_

#include <span>
#include <string>

#include "bin/runsc-boot/fs/proc/task_directory.h"
#include "bin/runsc-boot/fs/pseudo/tree.h"

namespace runsc::boot::proc {

// What a function gets: the task, and whether it stands for its process.
class TaskView {
 public:
  TaskView(ProcFilesystem& filesystem, Task& task, bool process, Context& context)
      : filesystem(filesystem), task(task), process(process), context(context) {}

  ProcFilesystem& filesystem;
  Task& task;
  const bool process;
  Context& context;  // the reader's

  // A kernel's pid as this instance of /proc shows it; 0 when it does not.
  pid_t Pid(pid_t pid) const { return FromKernelPid(filesystem.pid_namespace(), pid); }

  // The host's ids of the task's stub; 0, which nobody has, once it has exited:
  // the host may have given them to another stub since.
  pid_t host_pid() const {
    platform::ThreadRef thread = LiveThread();
    return thread == nullptr ? 0 : thread->process()->host_pid();
  }
  pid_t host_tid() const {
    platform::ThreadRef thread = LiveThread();
    return thread == nullptr ? 0 : thread->host_tid();
  }

 private:
  platform::ThreadRef LiveThread() const {
    return task.memory_ref() == nullptr ? nullptr : task.thread_ref();
  }
};

using TaskGenerator = Result<std::string> (*)(const TaskView& view);
using TaskWriter = Status (*)(const TaskView& view, std::string_view text);

// Who may look into the task may see it; when that is asked, and the error, is
// Linux's.
enum class Inspect : uint8_t {
  kNo,
  kMemory,  // by open(2): EACCES
  kState,   // by read(2): EPERM
  kIo,      // by read(2): EACCES
};

struct TaskFileEntry {
  const char* name;
  mode_t mode;
  TaskGenerator generate;
  TaskWriter store = nullptr;
  Inspect inspect = Inspect::kNo;
  bool process_only = false;
  bool thread_only = false;
};

// In the order of the directory.
std::span<const TaskFileEntry> TaskFiles();

// task_status.cc
Result<std::string> GenerateStat(const TaskView& view);
Result<std::string> GenerateStatus(const TaskView& view);
Result<std::string> GenerateStatm(const TaskView& view);
Result<std::string> GenerateLimits(const TaskView& view);
Result<std::string> GenerateSched(const TaskView& view);

// task_files.cc
Result<std::string> GenerateOomScoreAdj(const TaskView& view);
Status StoreOomScoreAdj(const TaskView& view, std::string_view text);

// task_namespaces.cc: user_namespaces(7), time_namespaces(7).
Result<std::string> GenerateUidMap(const TaskView& view);
Status StoreUidMap(const TaskView& view, std::string_view text);
Result<std::string> GenerateGidMap(const TaskView& view);
Status StoreGidMap(const TaskView& view, std::string_view text);
Result<std::string> GenerateProjectMap(const TaskView& view);
Status StoreProjectMap(const TaskView& view, std::string_view text);
Result<std::string> GenerateSetGroups(const TaskView& view);
Status StoreSetGroups(const TaskView& view, std::string_view text);
Result<std::string> GenerateTimeOffsets(const TaskView& view);
Status StoreTimeOffsets(const TaskView& view, std::string_view text);

// task_memory.cc
Result<std::string> GenerateMaps(const TaskView& view);
Result<std::string> GenerateNumaMaps(const TaskView& view);
Result<std::string> GenerateSmaps(const TaskView& view);
Result<std::string> GenerateSmapsRollup(const TaskView& view);
Result<std::string> GenerateCmdline(const TaskView& view);
Result<std::string> GenerateEnviron(const TaskView& view);
Result<std::string> GenerateAuxv(const TaskView& view);

// task_mounts.cc
Result<std::string> GenerateMounts(const TaskView& view);
Result<std::string> GenerateMountinfo(const TaskView& view);
Result<std::string> GenerateMountstats(const TaskView& view);

// task_links.cc: exe, cwd, root.
enum class TaskLink : uint8_t { kExe, kCwd, kRoot };
std::shared_ptr<pseudo::PseudoInode> MakeTaskLink(const TaskHandle& handle, uint64_t ino,
                                                  TaskLink link);
// fd_directory.cc
std::shared_ptr<pseudo::PseudoInode> MakeFdDirectory(const TaskHandle& handle, uint64_t ino);
std::shared_ptr<pseudo::PseudoInode> MakeFdInfoDirectory(const TaskHandle& handle, uint64_t ino);
// network_files.cc: what is in /proc/PID/net, about the task's network namespace.
void AddNetworkFiles(pseudo::Tree& tree, const TaskHandle& task);
// ns_directory.cc
std::shared_ptr<pseudo::PseudoInode> MakeNsDirectory(const TaskHandle& handle, uint64_t ino);
// mem_file.cc
std::shared_ptr<pseudo::PseudoInode> MakeMemFile(const TaskHandle& handle, uint64_t ino);

}  // namespace runsc::boot::proc

#endif  // RUNSC_BOOT_FS_PROC_TASK_FILES_H_
