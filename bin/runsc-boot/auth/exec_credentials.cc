#include "bin/runsc-boot/auth/exec_credentials.h"

#include <linux/securebits.h>
#include <sys/stat.h>

#include <cstring>

#include "bin/runsc-boot/auth/user_namespace.h"

namespace runsc::boot {

namespace {

bool SetIdBitsCount(const Credentials& old, const ExecutableFacts& file) {
  // Both owners must exist in the caller's user namespace.
  return !file.nosuid && !old.no_new_privs && old.Maps(file.uid, file.gid);
}

void ApplySetIdBits(const Credentials& old, const ExecutableFacts& file, Credentials& fresh) {
  if (!SetIdBitsCount(old, file)) return;
  if ((file.mode & S_ISUID) != 0) fresh.euid = file.uid;
  // Set-group-ID without group execute is mandatory locking of old.
  if ((file.mode & S_ISGID) != 0 && (file.mode & S_IXGRP) != 0) fresh.egid = file.gid;
}

// Capabilities of a file count below the user namespace whose root they are
// for.
bool AreForUs(const Credentials& old, const FileCapabilities& capabilities) {
  for (const UserNamespace* space = old.user_namespace.get(); space != nullptr;
       space = space->parent().get()) {
    if (space->FromKernelUid(capabilities.root_uid) == 0) return true;
  }
  return old.user_namespace == nullptr && capabilities.root_uid == 0;
}

}  // namespace

std::optional<FileCapabilities> ParseFileCapabilities(std::string_view attribute) {
  struct vfs_ns_cap_data data;
  const size_t v2 = XATTR_CAPS_SZ_2, v3 = XATTR_CAPS_SZ_3;
  if (attribute.size() != v2 && attribute.size() != v3) return std::nullopt;
  memset(&data, 0, sizeof(data));
  memcpy(&data, attribute.data(), attribute.size());
  const uint32_t revision = data.magic_etc & VFS_CAP_REVISION_MASK;
  const bool known = (revision == VFS_CAP_REVISION_2 && attribute.size() == v2) ||
                     (revision == VFS_CAP_REVISION_3 && attribute.size() == v3);
  if (!known) return std::nullopt;
  auto join = [](uint32_t low, uint32_t high) {
    return (low | CapabilitySet{high} << 32) & kAllCapabilities;
  };
  FileCapabilities capabilities;
  capabilities.permitted = join(data.data[0].permitted, data.data[1].permitted);
  capabilities.inheritable = join(data.data[0].inheritable, data.data[1].inheritable);
  capabilities.effective = (data.magic_etc & VFS_CAP_FLAGS_EFFECTIVE) != 0;
  if (revision == VFS_CAP_REVISION_3) {
    memcpy(&capabilities.root_uid, attribute.data() + v2, sizeof(capabilities.root_uid));
  }
  return capabilities;
}

Result<ExecCredentials> CredentialsAfterExec(const Credentials& old, const ExecutableFacts& file) {
  ExecCredentials result{old, false, false};
  Credentials& fresh = result.credentials;
  ApplySetIdBits(old, file, fresh);

  bool effective = false;
  const bool has_file_capabilities =
      file.capabilities.has_value() && !file.nosuid && AreForUs(old, *file.capabilities);
  fresh.permitted = 0;
  if (has_file_capabilities) {
    effective = file.capabilities->effective;
    fresh.permitted = (old.bounding & file.capabilities->permitted) |
                      (old.inheritable & file.capabilities->inheritable);
    // A program that knows nothing of capabilities must not run with a part.
    if (effective && (file.capabilities->permitted & ~fresh.permitted) != 0) return Error(EPERM);
  }

  const uid_t root = old.RootUid();
  const bool is_root = fresh.ruid == root, acts_as_root = fresh.euid == root;
  // A program with capabilities of its own that root's set-id bit starts for an
  // ordinary user gets only those.
  if (root != kNoId && (old.securebits & (1u << SECURE_NOROOT)) == 0 &&
      !(has_file_capabilities && !is_root && acts_as_root)) {
    if (is_root || acts_as_root) fresh.permitted = old.bounding | old.inheritable;
    if (acts_as_root) effective = true;
  }

  const bool set_id = fresh.euid != old.ruid || fresh.egid != old.rgid;
  const bool gains = (fresh.permitted & ~old.permitted) != 0;
  if ((set_id || gains) && old.no_new_privs) {
    fresh.euid = fresh.ruid;
    fresh.egid = fresh.rgid;
    fresh.permitted &= old.permitted;
  }
  fresh.suid = fresh.fsuid = fresh.euid;
  fresh.sgid = fresh.fsgid = fresh.egid;
  if (has_file_capabilities || set_id) fresh.ambient = 0;
  fresh.permitted |= fresh.ambient;
  fresh.effective = effective ? fresh.permitted : fresh.ambient;
  fresh.securebits &= ~(1u << SECURE_KEEP_CAPS);

  const bool beyond_ambient = (fresh.permitted & ~fresh.ambient) != 0;
  result.secure = set_id || (fresh.ruid != root && (effective || beyond_ambient));
  result.privileged = fresh.euid != fresh.ruid || fresh.egid != fresh.rgid ||
                      fresh.euid != old.euid || fresh.egid != old.egid ||
                      fresh.fsuid != old.fsuid || fresh.fsgid != old.fsgid ||
                      (fresh.permitted & ~old.permitted) != 0;
  return result;
}

}  // namespace runsc::boot
