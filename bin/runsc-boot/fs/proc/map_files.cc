// map_files/: a link for each mapping of a file (proc_pid_map_files(5)).
#include <dirent.h>

#include "absl/strings/str_format.h"
#include "bin/runsc-boot/fs/proc/memory_entries.h"
#include "bin/runsc-boot/fs/proc/task_files.h"

namespace runsc::boot::proc {
namespace {

struct FileMapping {
  uint64_t start = 0, end = 0;
  bool writable = false;
  Path path;
};

std::string NameOf(const FileMapping& mapping) {
  return absl::StrFormat("%x-%x", mapping.start, mapping.end);
}

// The mappings of files that the container knows, in order.
Result<std::vector<FileMapping>> FileMappings(Context& context, const TaskHandle& handle) {
  TRY_ASSIGN(TaskRef task, handle.Get());
  TRY(CheckInspectMemory(context, *task));
  std::shared_ptr<MemoryManager> memory = task->memory_ref();
  if (memory == nullptr) return std::vector<FileMapping>();
  const TaskView view(handle.filesystem(), *task, handle.process(), context);
  TRY_ASSIGN(std::vector<HostMapping> host,
             handle.filesystem().host().Maps(view.host_pid(), false));
  std::vector<FileMapping> result;
  for (const HostMapping& mapping : host) {
    if (mapping.inode == 0) continue;
    Path path = memory->FindFileMapping(mapping.device, mapping.inode);
    if (!path.valid()) continue;
    result.push_back({mapping.start, mapping.end, mapping.protection[1] == 'w', std::move(path)});
  }
  return result;
}

class MapFileLink final : public pseudo::PseudoInode {
 public:
  MapFileLink(TaskHandle handle, uint64_t ino, FileMapping mapping)
      : PseudoInode(handle.filesystem(), ino, S_IFLNK | (mapping.writable ? 0700 : 0500)),
        handle_(handle),
        mapping_(std::move(mapping)) {}

  Result<std::string> ReadLink(Context& context) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    TRY(CheckInspectMemory(context, *task));
    std::shared_ptr<FsContext> fs = task->fs_ref();
    if (fs == nullptr) return Error(ENOENT);
    return handle_.filesystem().kernel().vfs().PathName(*fs->mounts(), mapping_.path, fs->root());
  }
  Result<std::shared_ptr<Path>> FollowMagicLink(Context& context) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    TRY(CheckInspectMemory(context, *task));
    // As Linux: it may lead to files whose names were never open to the caller.
    if (!context.credentials()->Has(CAP_SYS_ADMIN)) return Error(EPERM);
    return std::make_shared<Path>(mapping_.path);
  }
  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    return Error(ELOOP);
  }

 protected:
  pseudo::Owner owner() override { return handle_.owner(); }
  uint64_t size() override { return 64; }

 private:
  const TaskHandle handle_;
  const FileMapping mapping_;
};

class MapFilesDirectory final : public pseudo::DynamicDirectory {
 public:
  MapFilesDirectory(TaskHandle handle, uint64_t ino)
      : DynamicDirectory(handle.filesystem(), ino, 0500), handle_(handle) {}

  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override {
    TRY_ASSIGN(std::vector<FileMapping> mappings, FileMappings(context, handle_));
    for (FileMapping& mapping : mappings) {
      if (NameOf(mapping) != name) continue;
      return InodeRef(std::make_shared<MapFileLink>(handle_, pseudo::ChildIno(ino(), name),
                                                    std::move(mapping)));
    }
    return Error(ENOENT);
  }

  Result<std::vector<pseudo::Entry>> List(Context& context, int64_t from) override {
    TRY_ASSIGN(std::vector<FileMapping> mappings, FileMappings(context, handle_));
    std::vector<pseudo::Entry> result;
    for (const FileMapping& mapping : mappings) {
      // Addresses ascend, and stay while other mappings come and go.
      const auto offset = pseudo::kFirstOffset + static_cast<int64_t>(mapping.start >> 12);
      if (offset < from) continue;
      std::string name = NameOf(mapping);
      const uint64_t child = pseudo::ChildIno(ino(), name);
      result.push_back({std::move(name), child, DT_LNK, offset});
    }
    return result;
  }

  Status CheckOpen(Context& context) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    return CheckInspectMemory(context, *task);
  }

 protected:
  pseudo::Owner owner() override { return handle_.directory_owner(); }

 private:
  const TaskHandle handle_;
};

}  // namespace

std::shared_ptr<pseudo::PseudoInode> MakeMapFilesDirectory(const TaskHandle& handle, uint64_t ino) {
  return std::make_shared<MapFilesDirectory>(handle, ino);
}

}  // namespace runsc::boot::proc
