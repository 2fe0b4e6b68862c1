#include "bin/runsc-boot/ipc_sysv/permissions.h"

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/ipc_sysv/id_table.h"

namespace runsc::boot::sysv {

Permissions Permissions::Of(const Caller& creator, key_t key, int flags) {
  Permissions made;
  made.key = key;
  made.uid = made.creator_uid = creator.credentials.euid;
  made.gid = made.creator_gid = creator.credentials.egid;
  made.mode = static_cast<mode_t>(flags) & 0777;
  return made;
}

Status CheckAccess(const Caller& caller, const Permissions& object, unsigned wanted) {
  const Credentials& who = caller.credentials;
  mode_t granted = object.mode;
  if (who.euid == object.creator_uid || who.euid == object.uid) {
    granted >>= 6;
  } else if (who.InGroup(object.creator_gid) || who.InGroup(object.gid)) {
    granted >>= 3;
  }
  const unsigned requested = (wanted >> 6) | (wanted >> 3) | wanted;
  if ((requested & ~granted & 7) == 0 || who.HasIn(caller.owner, CAP_IPC_OWNER)) return Ok();
  return Error(EACCES);
}

Status CheckOwner(const Caller& caller, const Permissions& object) {
  const Credentials& who = caller.credentials;
  const bool may = who.euid == object.creator_uid || who.euid == object.uid ||
                   who.HasIn(caller.owner, CAP_SYS_ADMIN);
  return may ? Ok() : Status(Error(EPERM));
}

Status Change(const Credentials& caller, const ipc_perm& wanted, Permissions& object) {
  const uid_t uid = caller.KernelUid(wanted.uid);
  const gid_t gid = caller.KernelGid(wanted.gid);
  if (uid == kNoId || gid == kNoId) return Error(EINVAL);
  object.uid = uid;
  object.gid = gid;
  object.mode = static_cast<mode_t>(wanted.mode) & 0777;
  return Ok();
}

ipc_perm Show(const Credentials& reader, const Permissions& object) {
  ipc_perm shown{};
  shown.__key = object.key;
  shown.uid = reader.ShownUid(object.uid);
  shown.gid = reader.ShownGid(object.gid);
  shown.cuid = reader.ShownUid(object.creator_uid);
  shown.cgid = reader.ShownGid(object.creator_gid);
  shown.mode = object.mode;
  shown.__seq = static_cast<unsigned short>(SequenceOf(object.id));
  return shown;
}

}  // namespace runsc::boot::sysv
