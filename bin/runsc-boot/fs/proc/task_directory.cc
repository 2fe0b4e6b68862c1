#include "bin/runsc-boot/fs/proc/task_directory.h"

#include <dirent.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/fs/proc/memory_entries.h"
#include "bin/runsc-boot/fs/proc/root_directory.h"
#include "bin/runsc-boot/fs/proc/task_files.h"
#include "bin/runsc-boot/fs/pseudo/tree.h"
#include "bin/runsc-boot/kernel/process_directory.h"
#include "bin/runsc-boot/kernel/ptrace_access.h"

namespace runsc::boot::proc {
namespace {

using pseudo::ChildIno;
using pseudo::Entry;
using pseudo::PseudoInode;

class TaskFile final : public pseudo::FileInode {
 public:
  TaskFile(TaskHandle handle, uint64_t ino, const TaskFileEntry& entry)
      : FileInode(handle.filesystem(), ino, entry.mode), handle_(handle), entry_(entry) {}

  Result<std::string> Generate(Context& context) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    if (entry_.inspect == Inspect::kIo) TRY(CheckInspect(context, *task));
    if (entry_.inspect == Inspect::kState && !CheckInspect(context, *task).ok()) {
      return Error(EPERM);
    }
    return entry_.generate(TaskView(handle_.filesystem(), *task, handle_.process(), context));
  }
  Status Store(Context& context, std::string_view text) override {
    if (entry_.store == nullptr) return Error(EINVAL);
    TRY_ASSIGN(TaskRef task, handle_.Get());
    return entry_.store(TaskView(handle_.filesystem(), *task, handle_.process(), context), text);
  }
  Status CheckOpen(Context& context, int flags) override {
    if (entry_.inspect != Inspect::kMemory) return Ok();
    TRY_ASSIGN(TaskRef task, handle_.Get());
    return CheckInspectMemory(context, *task);
  }

 protected:
  pseudo::Owner owner() override { return handle_.owner(); }

 private:
  const TaskHandle handle_;
  const TaskFileEntry& entry_;
};

// /proc/PID/task
class ThreadsDirectory final : public pseudo::DynamicDirectory {
 public:
  ThreadsDirectory(TaskHandle handle, uint64_t ino)
      : DynamicDirectory(handle.filesystem(), ino, 0555), handle_(handle) {}

  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    int tid = ParseId(name);
    TaskRef thread = tid < 0 ? nullptr : handle_.filesystem().FindTask(tid);
    if (thread == nullptr || thread->tgid() != task->tgid()) return Error(ENOENT);
    return MakeThreadDirectory(handle_.filesystem(), ChildIno(ino(), name), thread);
  }

  Result<std::vector<Entry>> List(Context& context, int64_t from) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    std::vector<Entry> result;
    for (const TaskRef& thread : task->group().tasks()) {
      const pid_t tid = FromKernelPid(handle_.filesystem().pid_namespace(), thread->tid());
      int64_t offset = pseudo::kFirstOffset + tid;
      if (tid == 0 || offset < from) continue;
      std::string name = absl::StrCat(tid);
      result.push_back({name, ChildIno(ino(), name), DT_DIR, offset});
    }
    std::sort(result.begin(), result.end(),
              [](const Entry& a, const Entry& b) { return a.offset < b.offset; });
    return result;
  }

 protected:
  pseudo::Owner owner() override { return handle_.directory_owner(); }
  uint32_t links() override {
    auto task = handle_.Get();
    return 2 + (task.ok() ? static_cast<uint32_t>((*task)->group().task_count()) : 0);
  }

 private:
  const TaskHandle handle_;
};

// Entries of a task's directory that are not generated text.
struct SpecialEntry {
  const char* name;
  uint8_t type;
  bool process_only;
  std::shared_ptr<PseudoInode> (*make)(const TaskHandle& handle, uint64_t ino);
};

std::shared_ptr<PseudoInode> MakeNetDirectory(const TaskHandle& handle, uint64_t ino) {
  auto directory = std::make_shared<pseudo::StaticDirectory>(handle.filesystem(), ino, 0555);
  pseudo::Tree tree(handle.filesystem(), directory);
  AddNetworkFiles(tree, handle);
  return directory;
}

constexpr SpecialEntry kSpecialEntries[] = {
    {"task", DT_DIR, true,
     [](const TaskHandle& handle, uint64_t ino) -> std::shared_ptr<PseudoInode> {
       return std::make_shared<ThreadsDirectory>(handle, ino);
     }},
    {"fd", DT_DIR, false, MakeFdDirectory},
    {"fdinfo", DT_DIR, false, MakeFdInfoDirectory},
    {"ns", DT_DIR, false, MakeNsDirectory},
    {"net", DT_DIR, false, MakeNetDirectory},
    {"mem", DT_REG, false, MakeMemFile},
    {"map_files", DT_DIR, true, MakeMapFilesDirectory},
    {"pagemap", DT_REG, false, MakePagemapFile},
    {"cwd", DT_LNK, false,
     [](const TaskHandle& handle, uint64_t ino) {
       return MakeTaskLink(handle, ino, TaskLink::kCwd);
     }},
    {"root", DT_LNK, false,
     [](const TaskHandle& handle, uint64_t ino) {
       return MakeTaskLink(handle, ino, TaskLink::kRoot);
     }},
    {"exe", DT_LNK, false,
     [](const TaskHandle& handle, uint64_t ino) {
       return MakeTaskLink(handle, ino, TaskLink::kExe);
     }},
};

class TaskDirectory final : public pseudo::DynamicDirectory, public ProcessDirectoryInode {
 public:
  TaskDirectory(TaskHandle handle, uint64_t ino)
      : DynamicDirectory(handle.filesystem(), ino, 0555), handle_(handle) {}

  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override {
    if (!handle_.Get().ok()) return Error(ESRCH);
    TRY(CheckOpen(context));
    for (const SpecialEntry& entry : kSpecialEntries) {
      if (name == entry.name && Shown(entry.process_only)) {
        return InodeRef(entry.make(handle_, ChildIno(ino(), name)));
      }
    }
    for (const TaskFileEntry& entry : TaskFiles()) {
      if (name == entry.name && Shown(entry.process_only, entry.thread_only)) {
        return InodeRef(std::make_shared<TaskFile>(handle_, ChildIno(ino(), name), entry));
      }
    }
    return Error(ENOENT);
  }

  Result<std::vector<Entry>> List(Context& context, int64_t from) override {
    TRY(CheckAlive());
    std::vector<Entry> result;
    int64_t offset = pseudo::kFirstOffset;
    auto add = [&](const char* name, uint8_t type, bool process_only, bool thread_only = false) {
      if (!Shown(process_only, thread_only)) return;
      if (offset >= from) result.push_back({name, ChildIno(ino(), name), type, offset});
      ++offset;
    };
    for (const SpecialEntry& entry : kSpecialEntries) {
      add(entry.name, entry.type, entry.process_only);
    }
    for (const TaskFileEntry& entry : TaskFiles()) {
      add(entry.name, DT_REG, entry.process_only, entry.thread_only);
    }
    return result;
  }

  // hidepid: it may be known, and not looked into.
  Status CheckOpen(Context& context) override {
    const TaskRef task = handle_.Get().value_or(nullptr);
    if (task == nullptr || !handle_.process()) return Ok();
    if (handle_.filesystem().MaySee(context, *task, HidePid::kNoAccess)) return Ok();
    const bool visible = handle_.filesystem().options().hide == HidePid::kNoAccess;
    return Error(visible ? EPERM : ENOENT);
  }

  Result<ThreadGroupRef> Process() const override {
    if (!handle_.process()) return Error(EBADF);
    TRY_ASSIGN(TaskRef task, handle_.Get());
    return task->group_ref();
  }

 protected:
  pseudo::Owner owner() override { return handle_.directory_owner(); }
  uint32_t links() override { return handle_.process() ? 7 : 6; }

 private:
  bool Shown(bool process_only, bool thread_only = false) const {
    return handle_.process() ? !thread_only : !process_only;
  }
  Status CheckAlive() const {
    if (!handle_.Get().ok()) return Error(ENOENT);
    return Ok();
  }

  const TaskHandle handle_;
};

}  // namespace

Result<TaskRef> TaskHandle::Get() const {
  TaskRef task = task_.lock();
  if (task == nullptr || filesystem_->kernel().FindTask(tid_) != task) return Error(ESRCH);
  return task;
}

pseudo::Owner TaskHandle::owner() const {
  TaskRef task = task_.lock();
  return task == nullptr ? pseudo::Owner{} : OwnerOf(*task);
}

pseudo::Owner TaskHandle::directory_owner() const {
  TaskRef task = task_.lock();
  if (task == nullptr) return {};
  CredentialsRef credentials = task->credentials();
  return {credentials->euid, credentials->egid};
}

pseudo::Owner OwnerOf(const Task& task) {
  const std::shared_ptr<MemoryManager> memory = task.memory_ref();
  if (memory == nullptr) return {};
  if (memory->dumpable() != 1) {
    const UserNamespaceRef space = memory->user_namespace();
    if (space == nullptr || space->ToKernelUid(0) == kNoId || space->ToKernelGid(0) == kNoId) {
      return {};
    }
    return {space->ToKernelUid(0), space->ToKernelGid(0)};
  }
  CredentialsRef credentials = task.credentials();
  return {credentials->euid, credentials->egid};
}

Status CheckInspect(Context& context, const Task& task) {
  const Task* caller = context.caller_task();
  const Status allowed =
      caller != nullptr ? CheckPtraceAccess(*caller, task, PtraceIds::kFileSystem)
                        : CheckPtraceAccess(*context.credentials(), task, PtraceIds::kFileSystem);
  return allowed.ok() ? Ok() : Status(Error(EACCES));
}

Status CheckInspectMemory(Context& context, const Task& task) {
  const Task* caller = context.caller_task();
  const std::shared_ptr<MemoryManager> memory = task.memory_ref();
  if (memory == nullptr || (caller != nullptr && caller->memory_ref() == memory)) return Ok();
  return CheckInspect(context, task);
}

InodeRef MakeProcessDirectory(ProcFilesystem& filesystem, const TaskRef& task) {
  const pid_t tid = FromKernelPid(filesystem.pid_namespace(), task->tid());
  uint64_t ino = ChildIno(pseudo::kRootIno, absl::StrCat(tid));
  return std::make_shared<TaskDirectory>(TaskHandle(filesystem, task, true), ino);
}

InodeRef MakeThreadDirectory(ProcFilesystem& filesystem, uint64_t ino, const TaskRef& task) {
  return std::make_shared<TaskDirectory>(TaskHandle(filesystem, task, false), ino);
}

}  // namespace runsc::boot::proc
