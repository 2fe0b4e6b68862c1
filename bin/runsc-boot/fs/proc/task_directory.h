// /proc/PID and /proc/PID/task/TID, and access to them.
#ifndef RUNSC_BOOT_FS_PROC_TASK_DIRECTORY_H_
#define RUNSC_BOOT_FS_PROC_TASK_DIRECTORY_H_

#include <memory>

#include "bin/runsc-boot/fs/proc/proc_filesystem.h"
#include "bin/runsc-boot/fs/pseudo/directory.h"

namespace runsc::boot::proc {

// The directory of `task` seen as its whole process, with "task/".
InodeRef MakeProcessDirectory(ProcFilesystem& filesystem, const TaskRef& task);
// The directory of `task` as one thread.
InodeRef MakeThreadDirectory(ProcFilesystem& filesystem, uint64_t ino, const TaskRef& task);

// Whether the caller may look into `task` (ptrace(2), PTRACE_MODE_READ with
// the file-system ids): EACCES.
Status CheckInspect(Context& context, const Task& task);
// The same for what shows its memory, which may be the caller's own, or gone.
Status CheckInspectMemory(Context& context, const Task& task);

// The owner of the files of a task: its effective ids; when it is not dumpable
// (prctl(2), PR_SET_DUMPABLE), root's of the user namespace of its memory.
pseudo::Owner OwnerOf(const Task& task);

// A task that a /proc inode shows. The inode does not keep it alive.
class TaskHandle {
 public:
  TaskHandle(ProcFilesystem& filesystem, const TaskRef& task, bool process)
      : filesystem_(&filesystem), task_(task), tid_(task->tid()), process_(process) {}

  ProcFilesystem& filesystem() const { return *filesystem_; }
  // True for /proc/PID, false for /proc/PID/task/TID.
  bool process() const { return process_; }
  pid_t tid() const { return tid_; }
  // ESRCH once it has been waited for.
  Result<TaskRef> Get() const;
  // Root's when the task is gone.
  pseudo::Owner owner() const;
  // That of directories that everybody may read: also of undumpable processes.
  pseudo::Owner directory_owner() const;

 private:
  ProcFilesystem* filesystem_;
  std::weak_ptr<Task> task_;
  pid_t tid_;
  bool process_;
};

}  // namespace runsc::boot::proc

#endif  // RUNSC_BOOT_FS_PROC_TASK_DIRECTORY_H_
