// ns/: links to the namespaces of a task (namespaces(7)).
#include <dirent.h>

#include "bin/runsc-boot/fs/proc/task_files.h"
#include "bin/runsc-boot/namespaces/ipc_namespace.h"
#include "bin/runsc-boot/namespaces/net_namespace.h"
#include "bin/runsc-boot/namespaces/ns_file.h"

namespace runsc::boot::proc {
namespace {

NamespaceRef MountsOf(const Task& task) {
  const std::shared_ptr<FsContext> fs = task.fs_ref();
  return fs == nullptr ? nullptr : fs->mounts();
}

NamespaceRef PidsOf(const Task& task) {
  if (task.group().pid_namespace() != nullptr) return task.group().pid_namespace();
  return task.kernel().namespaces()->pid_for_children;
}

// Not before its first process has made it alive.
NamespaceRef PidsForChildrenOf(const Task& task) { return task.namespaces()->pid_for_children; }

struct NamespaceLink {
  const char* name;
  // Null: the task has ended.
  NamespaceRef (*target)(const Task& task);
  bool of_zombies = false;  // too: they belong to what identifies the task
};

constexpr NamespaceLink kNamespaces[] = {
    {"cgroup", [](const Task& task) -> NamespaceRef { return task.namespaces()->cgroup; }},
    {"ipc", [](const Task& task) -> NamespaceRef { return task.namespaces()->ipc; }},
    {"mnt", MountsOf},
    {"net", [](const Task& task) -> NamespaceRef { return task.namespaces()->net; }},
    {"pid", PidsOf, true},
    {"pid_for_children", PidsForChildrenOf},
    {"time", [](const Task& task) -> NamespaceRef { return task.namespaces()->time; }},
    {"time_for_children",
     [](const Task& task) -> NamespaceRef { return task.namespaces()->time_for_children; }},
    {"user", [](const Task& task) -> NamespaceRef { return task.credentials()->user_namespace; },
     true},
    {"uts", [](const Task& task) -> NamespaceRef { return task.namespaces()->uts; }},
};

class NsLink final : public pseudo::PseudoInode {
 public:
  NsLink(TaskHandle handle, uint64_t ino, const NamespaceLink& link)
      : PseudoInode(handle.filesystem(), ino, S_IFLNK | 0777), handle_(handle), link_(link) {}

  Result<std::string> ReadLink(Context& context) override {
    TRY_ASSIGN(NamespaceRef target, Target(context));
    return NamespaceFilesystem::TextOf(*target);
  }
  Result<std::shared_ptr<Path>> FollowMagicLink(Context& context) override {
    TRY_ASSIGN(NamespaceRef target, Target(context));
    NamespaceFilesystem& nsfs = handle_.filesystem().kernel().nsfs();
    return std::make_shared<Path>(nsfs.PathOf(std::move(target)));
  }
  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    return Error(ELOOP);
  }

 protected:
  pseudo::Owner owner() override { return handle_.owner(); }

 private:
  Result<NamespaceRef> Target(Context& context) const {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    TRY(CheckInspect(context, *task));
    if (!link_.of_zombies && task->memory_ref() == nullptr) return Error(ENOENT);
    NamespaceRef target = link_.target(*task);
    if (target == nullptr) return Error(ENOENT);
    return target;
  }

  const TaskHandle handle_;
  const NamespaceLink& link_;
};

class NsDirectory final : public pseudo::DynamicDirectory {
 public:
  NsDirectory(TaskHandle handle, uint64_t ino)
      : DynamicDirectory(handle.filesystem(), ino, 0511), handle_(handle) {}

  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override {
    for (const NamespaceLink& entry : kNamespaces) {
      if (name != entry.name) continue;
      return InodeRef(std::make_shared<NsLink>(handle_, pseudo::ChildIno(ino(), name), entry));
    }
    return Error(ENOENT);
  }

  Result<std::vector<pseudo::Entry>> List(Context& context, int64_t from) override {
    std::vector<pseudo::Entry> result;
    int64_t offset = pseudo::kFirstOffset;
    for (const NamespaceLink& entry : kNamespaces) {
      if (offset >= from) {
        result.push_back({entry.name, pseudo::ChildIno(ino(), entry.name), DT_LNK, offset});
      }
      ++offset;
    }
    return result;
  }

 protected:
  pseudo::Owner owner() override { return handle_.owner(); }

 private:
  const TaskHandle handle_;
};

}  // namespace

std::shared_ptr<pseudo::PseudoInode> MakeNsDirectory(const TaskHandle& handle, uint64_t ino) {
  return std::make_shared<NsDirectory>(handle, ino);
}

}  // namespace runsc::boot::proc
