#include "bin/runsc-boot/auth/exec_credentials.h"

#include <linux/securebits.h>
#include <sys/stat.h>

#include <cstring>

namespace runsc::boot {

namespace {

struct SetIds {
  uid_t euid;
  gid_t egid;
};

SetIds ApplySetIdBits(const Credentials& old, const ExecutableFacts& file) {
  SetIds ids{old.euid, old.egid};
  if (file.nosuid || old.no_new_privs) return ids;
  if ((file.mode & S_ISUID) != 0) ids.euid = file.uid;
  // Set-group-ID without group execute is mandatory locking of old.
  if ((file.mode & S_ISGID) != 0 && (file.mode & S_IXGRP) != 0) ids.egid = file.gid;
  return ids;
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
  return capabilities;
}

ExecCredentials CredentialsAfterExec(const Credentials& old, const ExecutableFacts& file) {
  ExecCredentials result{old, false, false};
  Credentials& fresh = result.credentials;
  const SetIds ids = ApplySetIdBits(old, file);
  fresh.euid = ids.euid;
  fresh.egid = ids.egid;
  const bool set_id = fresh.euid != old.euid || fresh.egid != old.egid;

  FileCapabilities capabilities;
  const bool has_file_capabilities =
      file.capabilities.has_value() && !file.nosuid && !old.no_new_privs;
  if (has_file_capabilities) capabilities = *file.capabilities;

  const bool root_is_special = (old.securebits & (1u << SECURE_NOROOT)) == 0;
  if (root_is_special && (fresh.ruid == 0 || fresh.euid == 0) &&
      // A program with capabilities of its own that root's set-id bit starts
      // for an ordinary user gets only those.
      !(has_file_capabilities && fresh.ruid != 0 && fresh.euid == 0)) {
    capabilities.permitted = capabilities.inheritable = kAllCapabilities;
    capabilities.effective = fresh.euid == 0;
  }
  const bool privileged_file = set_id || has_file_capabilities;
  if (privileged_file) fresh.ambient = 0;
  fresh.permitted = (old.inheritable & capabilities.inheritable) |
                    (capabilities.permitted & old.bounding) | fresh.ambient;
  fresh.effective = capabilities.effective ? fresh.permitted : fresh.ambient;

  fresh.suid = fresh.fsuid = fresh.euid;
  fresh.sgid = fresh.fsgid = fresh.egid;
  fresh.securebits &= ~(1u << SECURE_KEEP_CAPS);

  const bool gained = (fresh.permitted & ~old.permitted) != 0;
  result.privileged = set_id || (gained && old.ruid != 0);
  result.secure =
      set_id || fresh.euid != fresh.ruid || fresh.egid != fresh.rgid ||
      (fresh.ruid != 0 && (capabilities.effective || (fresh.permitted & ~fresh.ambient) != 0));
  return result;
}

}  // namespace runsc::boot
