// fd/ and fdinfo/: the open descriptors of a task (proc_pid_fd(5)).
#include <dirent.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/runsc-boot/fs/proc/root_directory.h"
#include "bin/runsc-boot/fs/proc/task_files.h"
#include "bin/runsc-boot/kernel/pidfd.h"
#include "bin/runsc-boot/vfs/permission.h"

namespace runsc::boot::proc {
namespace {

// What open(2) adds for 64-bit programs; the headers have 0 for it.
constexpr int kLargeFile = 0100000;

Result<FdTable::Entry> EntryOf(const TaskHandle& handle, int fd) {
  TRY_ASSIGN(TaskRef task, handle.Get());
  std::shared_ptr<FdTable> table = task->fds_ref();
  if (table == nullptr) return Error(ENOENT);
  auto entry = table->GetEntry(fd);
  if (!entry.ok()) return Error(ENOENT);
  return std::move(entry).value();
}

mode_t LinkMode(const File& file) {
  mode_t mode = S_IFLNK;
  if (file.readable()) mode |= 0500;
  if (file.writable()) mode |= 0300;
  return mode;
}

// fd/N. It leads to the open file's own path, so that a removed file can still
// be opened by it.
class FdLink final : public pseudo::PseudoInode {
 public:
  FdLink(TaskHandle handle, uint64_t ino, int fd, mode_t mode)
      : PseudoInode(handle.filesystem(), ino, mode), handle_(handle), fd_(fd) {}

  Result<std::string> ReadLink(Context& context) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    TRY(CheckInspect(context, *task));
    TRY_ASSIGN(FdTable::Entry entry, EntryOf(handle_, fd_));
    std::string text = entry.file->Describe();
    if (!text.empty()) return text;
    const Path& path = entry.file->path();
    if (!path.valid()) return std::string("anon_inode:[unknown]");
    std::shared_ptr<FsContext> fs = task->fs_ref();
    if (fs == nullptr) return Error(ENOENT);
    return handle_.filesystem().kernel().vfs().PathName(*fs->mounts(), path, fs->root());
  }

  Result<std::shared_ptr<Path>> FollowMagicLink(Context& context) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    TRY(CheckInspect(context, *task));
    TRY_ASSIGN(FdTable::Entry entry, EntryOf(handle_, fd_));
    if (!entry.file->path().valid()) return std::shared_ptr<Path>();
    return std::make_shared<Path>(entry.file->path());
  }

  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    return Error(ELOOP);
  }

 protected:
  pseudo::Owner owner() override { return handle_.owner(); }
  uint64_t size() override { return 64; }

 private:
  const TaskHandle handle_;
  const int fd_;
};

// The numbers of the process as the reader's /proc sees it and in the namespaces
// below: 0 when it cannot be seen from there, -1 once somebody has waited for it.
std::string PidFdInfo(const PidFd& pidfd, const PidNamespace* top) {
  const ThreadGroup& group = *pidfd.target();
  const pid_t own = group.leader() == nullptr ? 0 : group.pid();
  const pid_t shown = own == 0 ? -1 : FromKernelPid(top, own);
  std::string below;
  if (shown > 0) {
    for (const PidNamespace* space = group.pid_namespace().get();
         space != nullptr && !space->is_initial() && space != top; space = space->parent().get()) {
      below = absl::StrCat("\t", space->FromKernel(own), below);
    }
  }
  return absl::StrCat("Pid:\t", shown, "\nNSpid:\t", shown, below, "\n");
}

// fdinfo/N
class FdInfoFile final : public pseudo::FileInode {
 public:
  FdInfoFile(TaskHandle handle, uint64_t ino, int fd)
      : FileInode(handle.filesystem(), ino, 0444), handle_(handle), fd_(fd) {}

  Result<std::string> Generate(Context& context) override {
    TRY_ASSIGN(FdTable::Entry entry, EntryOf(handle_, fd_));
    File& file = *entry.file;
    int flags = file.flags() | (entry.close_on_exec ? O_CLOEXEC : 0);
    auto attributes = file.GetAttributes();
    const Path& path = file.path();
    if (path.mount != nullptr) flags |= kLargeFile;
    const auto* pidfd = dynamic_cast<const PidFd*>(&file);
    return absl::StrFormat(
        "pos:\t%u\nflags:\t0%o\nmnt_id:\t%d\nino:\t%u\n%s", file.position(), flags,
        path.mount == nullptr ? 0 : path.mount->id(), attributes.ok() ? attributes->ino : 0,
        pidfd != nullptr ? PidFdInfo(*pidfd, handle_.filesystem().pid_namespace()) : file.FdInfo());
  }
  Status CheckOpen(Context& context, int flags) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    return CheckInspect(context, *task);
  }

 protected:
  pseudo::Owner owner() override { return handle_.owner(); }

 private:
  const TaskHandle handle_;
  const int fd_;
};

bool MayRead(Context& context, const pseudo::Owner& owner) {
  Attributes attributes;
  attributes.mode = S_IFDIR | 0500;
  attributes.uid = owner.uid;
  attributes.gid = owner.gid;
  return CheckPermission(*context.credentials(), attributes, kRead).ok();
}

class FdDirectory final : public pseudo::DynamicDirectory {
 public:
  FdDirectory(TaskHandle handle, uint64_t ino, bool info)
      : DynamicDirectory(handle.filesystem(), ino, info ? 0555 : 0500),
        handle_(handle),
        info_(info) {}

  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override {
    int fd = ParseId(name);
    if (fd < 0) return Error(ENOENT);
    TRY_ASSIGN(FdTable::Entry entry, EntryOf(handle_, fd));
    uint64_t child = pseudo::ChildIno(ino(), name);
    if (info_) return InodeRef(std::make_shared<FdInfoFile>(handle_, child, fd));
    return InodeRef(std::make_shared<FdLink>(handle_, child, fd, LinkMode(*entry.file)));
  }

  Result<std::vector<pseudo::Entry>> List(Context& context, int64_t from) override {
    TRY_ASSIGN(std::vector<int> numbers, Numbers());
    std::vector<pseudo::Entry> result;
    for (int fd : numbers) {
      int64_t offset = pseudo::kFirstOffset + fd;
      if (offset < from) continue;
      std::string name = absl::StrCat(fd);
      uint64_t child = pseudo::ChildIno(ino(), name);
      result.push_back(
          {std::move(name), child, static_cast<uint8_t>(info_ ? DT_REG : DT_LNK), offset});
    }
    return result;
  }

  // Which descriptors there are, fd/ shows to whom its mode lets in, and fdinfo/
  // to those who may look into the task.
  Status CheckOpen(Context& context) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    if (info_) return CheckInspect(context, *task);
    const Task* caller = context.caller_task();
    const bool own = caller != nullptr && &caller->group() == &task->group();
    return own || MayRead(context, OwnerOf(*task)) ? Ok() : Status(Error(EACCES));
  }

 protected:
  // Linux gives fd/ of an undumpable process to root, but lets the process
  // itself in; CheckOpen sees to it that nobody else gets in.
  pseudo::Owner owner() override { return handle_.directory_owner(); }
  // Linux reports the number of open descriptors as the size of fd/.
  uint64_t size() override {
    if (info_) return 0;
    auto numbers = Numbers();
    return numbers.ok() ? numbers->size() : 0;
  }

 private:
  Result<std::vector<int>> Numbers() {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    std::shared_ptr<FdTable> table = task->fds_ref();
    if (table == nullptr) return Error(ENOENT);
    return table->Numbers();
  }

  const TaskHandle handle_;
  const bool info_;
};

}  // namespace

std::shared_ptr<pseudo::PseudoInode> MakeFdDirectory(const TaskHandle& handle, uint64_t ino) {
  return std::make_shared<FdDirectory>(handle, ino, false);
}

std::shared_ptr<pseudo::PseudoInode> MakeFdInfoDirectory(const TaskHandle& handle, uint64_t ino) {
  return std::make_shared<FdDirectory>(handle, ino, true);
}

}  // namespace runsc::boot::proc
