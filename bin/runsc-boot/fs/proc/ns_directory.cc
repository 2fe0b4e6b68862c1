// ns/: the namespaces of a task. There is one of each kind in a sandbox; its
// number is that of the host's initial one, as in a freshly booted system.
#include <dirent.h>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/fs/proc/task_files.h"
#include "bin/runsc-boot/vfs/anonymous.h"

namespace runsc::boot::proc {
namespace {

struct Namespace {
  const char* name;
  const char* kind;
  unsigned number;
};

constexpr Namespace kNamespaces[] = {
    {"cgroup", "cgroup", 4026531835}, {"ipc", "ipc", 4026531839},
    {"mnt", "mnt", 4026531841},       {"net", "net", 4026531840},
    {"pid", "pid", 4026531836},       {"pid_for_children", "pid", 4026531836},
    {"time", "time", 4026531834},     {"time_for_children", "time", 4026531834},
    {"user", "user", 4026531837},     {"uts", "uts", 4026531838},
};

// What a namespace's link leads to: a file that can only be compared and held.
class NsFile final : public File {
 public:
  using File::File;
  Result<size_t> Read(Context&, IoBuffer&) override { return Error(EINVAL); }
  Result<size_t> Write(Context&, IoBuffer&) override { return Error(EINVAL); }
};

class NsInode final : public pseudo::PseudoInode {
 public:
  NsInode(Filesystem& filesystem, const Namespace& kind)
      : PseudoInode(filesystem, kind.number, S_IFREG | 0444) {}
  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    if ((flags & O_ACCMODE) != O_RDONLY) return Error(EPERM);
    return FileRef(std::make_shared<NsFile>(path, flags));
  }
};

class NsLink final : public pseudo::PseudoInode {
 public:
  NsLink(TaskHandle handle, uint64_t ino, const Namespace& kind)
      : PseudoInode(handle.filesystem(), ino, S_IFLNK | 0777), handle_(handle), kind_(kind) {}

  Result<std::string> ReadLink(Context& context) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    TRY(CheckInspect(context, *task));
    return absl::StrCat(kind_.kind, ":[", kind_.number, "]");
  }
  Result<std::shared_ptr<Path>> FollowMagicLink(Context& context) override {
    TRY_ASSIGN(std::string name, ReadLink(context));
    auto inode = std::make_shared<NsInode>(handle_.filesystem(), kind_);
    return std::make_shared<Path>(AnonymousFilesystem::MakePath(std::move(name), std::move(inode)));
  }
  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    return Error(ELOOP);
  }

 protected:
  pseudo::Owner owner() override { return handle_.owner(); }

 private:
  const TaskHandle handle_;
  const Namespace& kind_;
};

class NsDirectory final : public pseudo::DynamicDirectory {
 public:
  NsDirectory(TaskHandle handle, uint64_t ino)
      : DynamicDirectory(handle.filesystem(), ino, 0511), handle_(handle) {}

  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override {
    for (const Namespace& entry : kNamespaces) {
      if (name != entry.name) continue;
      return InodeRef(std::make_shared<NsLink>(handle_, pseudo::ChildIno(ino(), name), entry));
    }
    return Error(ENOENT);
  }

  Result<std::vector<pseudo::Entry>> List(Context& context, int64_t from) override {
    std::vector<pseudo::Entry> result;
    int64_t offset = pseudo::kFirstOffset;
    for (const Namespace& entry : kNamespaces) {
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
