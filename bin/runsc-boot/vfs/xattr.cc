// Extended attributes by path, with the rules of each namespace (xattr(7)).
#include <linux/limits.h>
#include <sys/inotify.h>
#include <sys/xattr.h>

#include <algorithm>

#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {
namespace {

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

constexpr std::string_view kFileCapabilities = "security.capability";

// EPERM, EACCES, ENODATA, EOPNOTSUPP, ERANGE, EROFS.
Status CheckXattr(Caller caller, const Path& path, std::string_view name, bool write) {
  if (name.empty() || name.size() > XATTR_NAME_MAX) return Error(ERANGE);
  if (write && path.mount != nullptr && path.mount->read_only()) return Error(EROFS);
  CredentialsRef credentials = caller.context.credentials();
  const int refusal = write ? EPERM : ENODATA;
  if (StartsWith(name, "security.")) {
    if (!write) return Ok();
    int capability = name == kFileCapabilities ? CAP_SETFCAP : CAP_SYS_ADMIN;
    return credentials->Has(capability) ? Ok() : Status(Error(EPERM));
  }
  if (StartsWith(name, "trusted.")) {
    return credentials->Has(CAP_SYS_ADMIN) ? Ok() : Status(Error(refusal));
  }
  if (!StartsWith(name, "user.")) return Error(EOPNOTSUPP);
  TRY_ASSIGN(Attributes attributes, path.dentry->inode()->GetAttributes());
  if (!attributes.IsRegular() && !attributes.IsDirectory()) return Error(refusal);
  if (write && attributes.IsDirectory() && (attributes.mode & S_ISVTX) != 0 &&
      !OwnerOrCapable(*credentials, attributes)) {
    return Error(EPERM);
  }
  return CheckPermission(*credentials, attributes, write ? kWrite : kRead);
}

}  // namespace

Result<std::string> Vfs::GetXattr(Caller caller, const Path& path, std::string_view name) {
  TRY(CheckXattr(caller, path, name, /*write=*/false));
  return path.dentry->inode()->GetXattr(name);
}

Status Vfs::SetXattr(Caller caller, const Path& path, std::string_view name, std::string_view value,
                     int flags) {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) != 0) return Error(EINVAL);
  if (value.size() > XATTR_SIZE_MAX) return Error(E2BIG);
  TRY(CheckXattr(caller, path, name, /*write=*/true));
  TRY(path.dentry->inode()->SetXattr(name, value, flags));
  ReportPath(path, IN_ATTRIB);
  return Ok();
}

Result<std::vector<std::string>> Vfs::ListXattr(Caller caller, const Path& path) {
  TRY_ASSIGN(std::vector<std::string> names, path.dentry->inode()->ListXattr());
  if (!caller.context.credentials()->Has(CAP_SYS_ADMIN)) {
    std::erase_if(names, [](const std::string& name) { return StartsWith(name, "trusted."); });
  }
  return names;
}

Status Vfs::RemoveXattr(Caller caller, const Path& path, std::string_view name) {
  TRY(CheckXattr(caller, path, name, /*write=*/true));
  TRY(path.dentry->inode()->RemoveXattr(name));
  ReportPath(path, IN_ATTRIB);
  return Ok();
}

}  // namespace runsc::boot
