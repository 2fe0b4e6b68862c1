// The requests that change a tree.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bin/runsc-gofer/tree.h"

namespace runsc::gofer {
namespace {

constexpr mode_t kPermissions = 07777;

timespec ToTimespec(bool present, const fs::SetAttributesRequest::NewTime& time) {
  if (!present) return {0, UTIME_OMIT};
  if (time.now()) return {0, UTIME_NOW};
  return {static_cast<time_t>(time.value().seconds()),
          static_cast<long>(time.value().nanoseconds())};
}

// The change is done: that its directory's attributes cannot be had (it went
// away meanwhile) does not undo it.
void TellParent(const HeldFile& parent, fs::Attributes* attributes) {
  if (!GetAttributes(parent.fd.get(), "", attributes).ok()) attributes->Clear();
}

}  // namespace

Status Tree::SetAttributes(const fs::SetAttributesRequest& request, Answer& answer) {
  TRY(CheckWritable());
  TRY_ASSIGN(HeldFileRef file, handles_.Get(request.handle()));
  if (request.has_size()) {
    if (!S_ISREG(file->type)) return Error(EINVAL);
    TRY_ASSIGN(FileDescriptor writable, descriptors_.Reopen(file->fd.get(), O_WRONLY));
    if (ftruncate(writable.get(), static_cast<off_t>(request.size())) < 0) return Error(errno);
  }
  TRY(SetOwnerModeTimes(request, *file));
  return gofer::GetAttributes(file->fd.get(), "",
                              answer.reply.mutable_attributes()->mutable_attributes());
}

Status Tree::SetOwnerModeTimes(const fs::SetAttributesRequest& request, const HeldFile& file) {
  int fd = file.fd.get();
  if (request.has_uid() || request.has_gid()) {
    uid_t uid = request.has_uid() ? request.uid() : static_cast<uid_t>(-1);
    gid_t gid = request.has_gid() ? request.gid() : static_cast<gid_t>(-1);
    if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0) return Error(errno);
  }
  if (request.has_mode()) {
    if (S_ISLNK(file.type)) return Error(EOPNOTSUPP);
    TRY(descriptors_.ChangeMode(fd, request.mode() & kPermissions));
  }
  if (request.has_access_time() || request.has_modify_time()) {
    timespec times[2] = {ToTimespec(request.has_access_time(), request.access_time()),
                         ToTimespec(request.has_modify_time(), request.modify_time())};
    if (utimensat(fd, "", times, AT_EMPTY_PATH) < 0) return Error(errno);
  }
  return Ok();
}

Status Tree::Make(const fs::MakeRequest& request, Answer& answer) {
  TRY(CheckWritable());
  bool unnamed = S_ISREG(request.mode()) && request.name().empty();
  if (!unnamed) TRY(CheckName(request.name()));
  TRY_ASSIGN(HeldFileRef parent, GetDirectory(request.parent()));

  Result<FileDescriptor> made = S_ISREG(request.mode())
                                    ? MakeRegular(request, parent->fd.get(), answer)
                                    : MakeOther(request, parent->fd.get());
  if (!made.ok()) return std::move(made).error();
  fs::Node* node = answer.reply.mutable_make()->mutable_node();
  Status status = CorrectOwnerAndMode(request, made->get(), node->mutable_attributes());
  if (status.ok()) status = Hold(std::move(*made), node);
  if (!status.ok() && !unnamed) {
    unlinkat(parent->fd.get(), request.name().c_str(), S_ISDIR(request.mode()) ? AT_REMOVEDIR : 0);
  }
  if (status.ok()) TellParent(*parent, answer.reply.mutable_parent());
  return status;
}

Result<FileDescriptor> Tree::MakeRegular(const fs::MakeRequest& request, int parent,
                                         Answer& answer) {
  // An unnamed file must be opened for writing to be made.
  int flags = O_RDWR;
  if (request.open() != fs::ACCESS_NONE) {
    TRY_ASSIGN(flags, OpenFlags(request.open()));
  }
  mode_t mode = request.mode() & 0777;
  bool unnamed = request.name().empty();
  if (unnamed && flags == O_RDONLY) return Error(EINVAL);
  int fd = unnamed ? openat(parent, ".", O_TMPFILE | flags | O_CLOEXEC, mode)
                   : openat(parent, request.name().c_str(),
                            O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | flags, mode);
  if (fd < 0) return Error(errno);
  FileDescriptor opened(fd);
  Result<FileDescriptor> held = descriptors_.Reopen(fd, O_PATH);
  if (request.open() != fs::ACCESS_NONE) answer.fd = std::move(opened);
  return held;
}

Result<FileDescriptor> Tree::MakeOther(const fs::MakeRequest& request, int parent) {
  const char* name = request.name().c_str();
  mode_t type = request.mode() & S_IFMT;
  mode_t mode = request.mode() & 0777;
  int result = -1;
  switch (type) {
    case S_IFDIR:
      result = mkdirat(parent, name, mode);
      break;
    case S_IFLNK:
      if (request.link_target().find('\0') != std::string::npos) return Error(EINVAL);
      result = symlinkat(request.link_target().c_str(), parent, name);
      break;
    case S_IFCHR:
    case S_IFBLK: {
      // A character device 0:0 is overlayfs's mark of a removed file, which
      // needs no capability.
      bool whiteout = type == S_IFCHR && request.device_number() == 0;
      if (!options_.device_nodes && !whiteout) return Error(EPERM);
      result = mknodat(parent, name, type | mode, request.device_number());
      break;
    }
    case S_IFIFO:
    case S_IFSOCK:
      result = mknodat(parent, name, type | mode, 0);
      break;
    default:
      return Error(EINVAL);
  }
  if (result < 0) return Error(errno);
  return OpenPathAt(parent, request.name());
}

// The host made the file with the gofer's ids, and with what a set-gid parent
// or a default ACL adds.
Status Tree::CorrectOwnerAndMode(const fs::MakeRequest& request, int fd,
                                 fs::Attributes* attributes) {
  TRY(gofer::GetAttributes(fd, "", attributes));
  // Somebody else (in a tree that is shared) may have replaced it meanwhile.
  if ((attributes->mode() & S_IFMT) != (request.mode() & S_IFMT)) return Error(EIO);
  bool changed = false;
  if (attributes->uid() != request.uid() || attributes->gid() != request.gid()) {
    if (fchownat(fd, "", request.uid(), request.gid(), AT_EMPTY_PATH) < 0) return Error(errno);
    changed = true;
  }
  mode_t mode = request.mode() & kPermissions;
  if (!S_ISLNK(request.mode()) && (attributes->mode() & kPermissions) != mode) {
    TRY(descriptors_.ChangeMode(fd, mode));
    changed = true;
  }
  return changed ? gofer::GetAttributes(fd, "", attributes) : Ok();
}

Status Tree::Link(const fs::LinkRequest& request, Answer& answer) {
  TRY(CheckWritable());
  TRY(CheckName(request.name()));
  TRY_ASSIGN(HeldFileRef file, handles_.Get(request.handle()));
  TRY_ASSIGN(HeldFileRef parent, GetDirectory(request.parent()));
  if (S_ISDIR(file->type)) return Error(EPERM);
  TRY(descriptors_.Link(file->fd.get(), parent->fd.get(), request.name()));
  TellParent(*parent, answer.reply.mutable_parent());
  return gofer::GetAttributes(file->fd.get(), "",
                              answer.reply.mutable_attributes()->mutable_attributes());
}

Status Tree::Remove(const fs::RemoveRequest& request, Answer& answer) {
  TRY(CheckWritable());
  TRY(CheckName(request.name()));
  TRY_ASSIGN(HeldFileRef parent, GetDirectory(request.parent()));
  int flags = request.directory() ? AT_REMOVEDIR : 0;
  if (unlinkat(parent->fd.get(), request.name().c_str(), flags) < 0) return Error(errno);
  TellParent(*parent, answer.reply.mutable_parent());
  return Ok();
}

Status Tree::Rename(const fs::RenameRequest& request, Answer& answer) {
  TRY(CheckWritable());
  TRY(CheckName(request.old_name()));
  TRY(CheckName(request.new_name()));
  TRY_ASSIGN(HeldFileRef old_parent, GetDirectory(request.old_parent()));
  TRY_ASSIGN(HeldFileRef new_parent, GetDirectory(request.new_parent()));
  unsigned flags =
      (request.no_replace() ? RENAME_NOREPLACE : 0) | (request.exchange() ? RENAME_EXCHANGE : 0);
  // libc's function takes another call without flags, which is not allowed here.
  if (syscall(SYS_renameat2, old_parent->fd.get(), request.old_name().c_str(), new_parent->fd.get(),
              request.new_name().c_str(), flags) < 0) {
    return Error(errno);
  }
  TellParent(*new_parent, answer.reply.mutable_parent());
  TellParent(*old_parent, answer.reply.mutable_old_parent());
  return Ok();
}

Status Tree::Sync(const fs::SyncRequest& request) {
  TRY_ASSIGN(HeldFileRef file, handles_.Get(request.handle()));
  if (!S_ISREG(file->type) && !S_ISDIR(file->type)) return Error(EINVAL);
  TRY_ASSIGN(FileDescriptor opened, descriptors_.Reopen(file->fd.get(), O_RDONLY));
  int result = request.data_only() ? fdatasync(opened.get()) : fsync(opened.get());
  if (result < 0) return Error(errno);
  return Ok();
}

}  // namespace runsc::gofer
