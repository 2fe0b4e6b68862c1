// Extended attributes, of regular files and directories. Other types cannot
// have the ones that applications use ("user."), and reading them would mean
// opening what may not be opened.
#include <fcntl.h>
#include <limits.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "absl/strings/match.h"
#include "bin/runsc-gofer/tree.h"

namespace runsc::gofer {
namespace {

Status CheckXattrName(const std::string& name) {
  if (name.empty() || name.size() > XATTR_NAME_MAX) return Error(ERANGE);
  if (name.find('\0') != std::string::npos) return Error(EINVAL);
  return Ok();
}

// Others steer the host's own kernel ("trusted.", "security.", "system."). The
// capabilities of programs are let through: who can make a file that belongs to
// root and has the set-user-ID bit, as the container can, gains nothing by them.
Status CheckWritableName(const std::string& name) {
  TRY(CheckXattrName(name));
  const bool allowed = absl::StartsWith(name, "user.") || name == "security.capability";
  return allowed ? Ok() : Status(Error(EPERM));
}

}  // namespace

Result<FileDescriptor> Tree::OpenForXattr(uint64_t handle) const {
  if (!options_.xattrs) return Error(EOPNOTSUPP);
  TRY_ASSIGN(HeldFileRef file, handles_.Get(handle));
  if (!S_ISREG(file->type) && !S_ISDIR(file->type)) return Error(EPERM);
  return descriptors_.Reopen(file->fd.get(), O_RDONLY);
}

Status Tree::GetXattr(const fs::GetXattrRequest& request, Answer& answer) {
  TRY(CheckXattrName(request.name()));
  Result<FileDescriptor> file = OpenForXattr(request.handle());
  if (!file.ok()) return Error(file.code() == EPERM ? ENODATA : file.code());
  std::string& value = *answer.reply.mutable_xattr()->mutable_value();
  value.resize(XATTR_SIZE_MAX);
  ssize_t size = fgetxattr(file->get(), request.name().c_str(), value.data(), value.size());
  if (size < 0) return Error(errno);
  value.resize(size);
  return Ok();
}

Status Tree::SetXattr(const fs::SetXattrRequest& request) {
  TRY(CheckWritable());
  TRY(CheckWritableName(request.name()));
  if (request.value().size() > XATTR_SIZE_MAX) return Error(E2BIG);
  if (request.flags() & ~(XATTR_CREATE | XATTR_REPLACE)) return Error(EINVAL);
  TRY_ASSIGN(FileDescriptor file, OpenForXattr(request.handle()));
  if (fsetxattr(file.get(), request.name().c_str(), request.value().data(), request.value().size(),
                static_cast<int>(request.flags())) < 0) {
    return Error(errno);
  }
  return Ok();
}

Status Tree::ListXattr(const fs::ListXattrRequest& request, Answer& answer) {
  std::string& names = *answer.reply.mutable_xattr()->mutable_value();
  Result<FileDescriptor> file = OpenForXattr(request.handle());
  if (!file.ok()) return file.code() == EPERM ? Ok() : Status(std::move(file).error());
  names.resize(XATTR_LIST_MAX);
  ssize_t size = flistxattr(file->get(), names.data(), names.size());
  if (size < 0) return Error(errno);
  names.resize(size);
  return Ok();
}

Status Tree::RemoveXattr(const fs::RemoveXattrRequest& request) {
  TRY(CheckWritable());
  TRY(CheckWritableName(request.name()));
  TRY_ASSIGN(FileDescriptor file, OpenForXattr(request.handle()));
  if (fremovexattr(file.get(), request.name().c_str()) < 0) return Error(errno);
  return Ok();
}

}  // namespace runsc::gofer
