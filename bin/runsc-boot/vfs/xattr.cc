// Extended attributes by path, with the rules of each namespace (xattr(7)).
#include <linux/capability.h>
#include <linux/limits.h>
#include <sys/inotify.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cstring>

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {
namespace {

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

constexpr std::string_view kFileCapabilities = "security.capability";

// The head of security.capability, versions 2 and 3 (linux/capability.h).
struct CapabilityAttribute {
  vfs_cap_data data;
  uint32_t root_uid;  // version 3
};
static_assert(sizeof(CapabilityAttribute) == XATTR_CAPS_SZ_3);

uint32_t RevisionOf(const CapabilityAttribute& attribute) {
  return attribute.data.magic_etc & VFS_CAP_REVISION_MASK;
}

std::string Bytes(const CapabilityAttribute& attribute, size_t size) {
  return std::string(reinterpret_cast<const char*>(&attribute), size);
}

// What a caller gives becomes version 3 with the kernel's uid of its root,
// unless that is the first user namespace's. EINVAL: malformed.
Result<std::string> CapabilitiesIn(const Credentials& caller, std::string_view value) {
  CapabilityAttribute attribute{};
  if (value.size() != XATTR_CAPS_SZ_2 && value.size() != XATTR_CAPS_SZ_3) return Error(EINVAL);
  memcpy(&attribute, value.data(), value.size());
  const uint32_t expected =
      value.size() == XATTR_CAPS_SZ_2 ? VFS_CAP_REVISION_2 : VFS_CAP_REVISION_3;
  if (RevisionOf(attribute) != expected) return Error(EINVAL);
  if (caller.MapsEverything()) return Bytes(attribute, value.size());
  attribute.root_uid = caller.KernelUid(attribute.root_uid);
  if (attribute.root_uid == kNoId) return Error(EINVAL);
  attribute.data.magic_etc =
      VFS_CAP_REVISION_3 | (attribute.data.magic_etc & ~VFS_CAP_REVISION_MASK);
  return Bytes(attribute, XATTR_CAPS_SZ_3);
}

// The other way round. EOVERFLOW: they are for another user namespace.
Result<std::string> CapabilitiesOut(const Credentials& caller, std::string value) {
  CapabilityAttribute attribute{};
  if (value.size() != XATTR_CAPS_SZ_3) return value;
  memcpy(&attribute, value.data(), value.size());
  if (RevisionOf(attribute) != VFS_CAP_REVISION_3) return value;
  const UserNamespace* space = caller.user_namespace.get();
  const uid_t shown =
      space == nullptr ? attribute.root_uid : space->FromKernelUid(attribute.root_uid);
  if (shown == kNoId) return Error(EOVERFLOW);
  attribute.root_uid = shown;
  if (shown != 0) return Bytes(attribute, XATTR_CAPS_SZ_3);
  attribute.data.magic_etc =
      VFS_CAP_REVISION_2 | (attribute.data.magic_etc & ~VFS_CAP_REVISION_MASK);
  return Bytes(attribute, XATTR_CAPS_SZ_2);
}

// EPERM, EACCES, ENODATA, EOPNOTSUPP, ERANGE, EROFS.
Status CheckXattr(Caller caller, const Path& path, std::string_view name, bool write) {
  if (name.empty() || name.size() > XATTR_NAME_MAX) return Error(ERANGE);
  if (write && path.mount != nullptr && path.mount->read_only()) return Error(EROFS);
  CredentialsRef credentials = caller.context.credentials();
  const int refusal = write ? EPERM : ENODATA;
  if (StartsWith(name, "security.")) {
    if (!write) return Ok();
    if (name != kFileCapabilities) {
      return credentials->HasInitially(CAP_SYS_ADMIN) ? Ok() : Status(Error(EPERM));
    }
    TRY_ASSIGN(Attributes attributes, path.dentry->inode()->GetAttributes());
    return credentials->HasOver(attributes.uid, attributes.gid, CAP_SETFCAP) ? Ok()
                                                                             : Status(Error(EPERM));
  }
  if (StartsWith(name, "trusted.")) {
    return credentials->HasInitially(CAP_SYS_ADMIN) ? Ok() : Status(Error(refusal));
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
  Result<std::string> value = path.dentry->inode()->GetXattr(name);
  if (!value.ok() || name != kFileCapabilities) return value;
  return CapabilitiesOut(*caller.context.credentials(), *std::move(value));
}

Status Vfs::SetXattr(Caller caller, const Path& path, std::string_view name, std::string_view value,
                     int flags) {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) != 0) return Error(EINVAL);
  if (value.size() > XATTR_SIZE_MAX) return Error(E2BIG);
  std::string converted;
  if (name == kFileCapabilities && !value.empty()) {
    TRY_ASSIGN(converted, CapabilitiesIn(*caller.context.credentials(), value));
    value = converted;
  }
  TRY(CheckXattr(caller, path, name, /*write=*/true));
  TRY(path.dentry->inode()->SetXattr(name, value, flags));
  ReportPath(path, IN_ATTRIB);
  return Ok();
}

Result<std::vector<std::string>> Vfs::ListXattr(Caller caller, const Path& path) {
  TRY_ASSIGN(std::vector<std::string> names, path.dentry->inode()->ListXattr());
  if (!caller.context.credentials()->HasInitially(CAP_SYS_ADMIN)) {
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
