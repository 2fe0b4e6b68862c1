// exe, cwd and root: links that lead to the object itself, whatever its name
// has become.
#include "bin/runsc-boot/fs/proc/task_files.h"

namespace runsc::boot::proc {
namespace {

class TaskLinkInode final : public pseudo::PseudoInode {
 public:
  TaskLinkInode(TaskHandle handle, uint64_t ino, TaskLink link)
      : PseudoInode(handle.filesystem(), ino, S_IFLNK | 0777), handle_(handle), link_(link) {}

  Result<std::string> ReadLink(Context& context) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    TRY_ASSIGN(Path path, Target(context, *task));
    std::shared_ptr<FsContext> fs = task->fs_ref();
    if (fs == nullptr) return Error(ENOENT);
    return handle_.filesystem().kernel().vfs().PathName(*fs->mounts(), path, fs->root());
  }

  Result<std::shared_ptr<Path>> FollowMagicLink(Context& context) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    TRY_ASSIGN(Path path, Target(context, *task));
    return std::make_shared<Path>(std::move(path));
  }

  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    return Error(ELOOP);
  }

 protected:
  pseudo::Owner owner() override { return handle_.owner(); }

 private:
  Result<Path> Target(Context& context, Task& task) {
    TRY(CheckInspect(context, task));
    if (link_ != TaskLink::kExe) {
      std::shared_ptr<FsContext> fs = task.fs_ref();
      if (fs == nullptr) return Error(ENOENT);
      return link_ == TaskLink::kCwd ? fs->cwd() : fs->root();
    }
    std::shared_ptr<MemoryManager> memory = task.memory_ref();
    Path path = memory == nullptr ? Path{} : memory->image().executable;
    if (!path.valid()) return Error(ENOENT);
    return path;
  }

  const TaskHandle handle_;
  const TaskLink link_;
};

}  // namespace

std::shared_ptr<pseudo::PseudoInode> MakeTaskLink(const TaskHandle& handle, uint64_t ino,
                                                  TaskLink link) {
  return std::make_shared<TaskLinkInode>(handle, ino, link);
}

}  // namespace runsc::boot::proc
