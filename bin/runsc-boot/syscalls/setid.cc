// setuid(2), setgid(2), setreuid(2), setregid(2), setresuid(2), setresgid(2),
// setfsuid(2), setfsgid(2), setgroups(2)

#include <linux/securebits.h>

#include <algorithm>
#include <utility>

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr unsigned kKeep = ~0u;  // -1: leave the id as it is
constexpr size_t kMaxGroups = 65536;
// Capabilities that are tied to the file-system uid.
constexpr CapabilitySet kFsCapabilities =
    CapabilityBit(CAP_CHOWN) | CapabilityBit(CAP_DAC_OVERRIDE) |
    CapabilityBit(CAP_DAC_READ_SEARCH) | CapabilityBit(CAP_FOWNER) | CapabilityBit(CAP_FSETID) |
    CapabilityBit(CAP_LINUX_IMMUTABLE) | CapabilityBit(CAP_MKNOD) | CapabilityBit(CAP_MAC_OVERRIDE);

// capabilities(7), "Effect of user ID changes on capabilities". Root is the
// uid 0 of the caller's user namespace.
void FixCapabilities(Task& task, const Credentials& old, Credentials& changed) {
  if ((old.securebits & SECBIT_NO_SETUID_FIXUP) != 0) return;
  const uid_t root = old.RootUid();
  if (root == kNoId) return;
  const bool had_root = old.ruid == root || old.euid == root || old.suid == root;
  const bool has_root = changed.ruid == root || changed.euid == root || changed.suid == root;
  if (had_root && !has_root) {
    if (!task.keep_capabilities()) {
      changed.permitted = 0;
      changed.effective = 0;
    }
    changed.ambient = 0;
  }
  if (old.euid == root && changed.euid != root) changed.effective = 0;
  if (old.euid != root && changed.euid == root) changed.effective = changed.permitted;
}

void FixFsCapabilities(const Credentials& old, Credentials& changed) {
  if ((old.securebits & SECBIT_NO_SETUID_FIXUP) != 0) return;
  const uid_t root = old.RootUid();
  if (root == kNoId) return;
  if (old.fsuid == root && changed.fsuid != root) changed.effective &= ~kFsCapabilities;
  if (old.fsuid != root && changed.fsuid == root) {
    changed.effective |= changed.permitted & kFsCapabilities;
  }
}

Result<Word> Commit(Task& task, const Credentials& old, Credentials changed) {
  changed.fsuid = changed.euid;
  changed.fsgid = changed.egid;
  FixCapabilities(task, old, changed);
  task.set_credentials(std::move(changed));
  return 0;
}

// The real, effective and saved id of one kind.
// Ids are the kernel's: kNoId, which is kKeep, has been told from the
// argument -1 already.
struct Ids {
  unsigned real, effective, saved;
  bool Has(unsigned id) const { return id == real || id == effective || id == saved; }
};

// setresuid(2) and setresgid(2). EPERM.
Result<Ids> SetThree(Ids ids, unsigned real, unsigned effective, unsigned saved, bool privileged) {
  const Ids old = ids;
  for (unsigned id : {real, effective, saved}) {
    if (id != kKeep && !old.Has(id) && !privileged) return Error(EPERM);
  }
  if (real != kKeep) ids.real = real;
  if (effective != kKeep) ids.effective = effective;
  if (saved != kKeep) ids.saved = saved;
  return ids;
}

// setreuid(2) and setregid(2): the saved id follows the effective one. EPERM.
Result<Ids> SetTwo(Ids ids, unsigned real, unsigned effective, bool privileged) {
  const Ids old = ids;
  if (real != kKeep && real != old.real && real != old.effective && !privileged) {
    return Error(EPERM);
  }
  if (effective != kKeep && !old.Has(effective) && !privileged) return Error(EPERM);
  if (real != kKeep) ids.real = real;
  if (effective != kKeep) ids.effective = effective;
  if (real != kKeep || (effective != kKeep && effective != old.real)) ids.saved = ids.effective;
  return ids;
}

// setuid(2) and setgid(2). EINVAL, EPERM.
Result<Ids> SetOne(Ids ids, unsigned id, bool privileged) {
  if (id == kKeep) return Error(EINVAL);
  if (privileged) return Ids{id, id, id};
  if (id != ids.real && id != ids.saved) return Error(EPERM);
  ids.effective = id;
  return ids;
}

Ids UserIds(const Credentials& c) { return {c.ruid, c.euid, c.suid}; }
Ids GroupIds(const Credentials& c) { return {c.rgid, c.egid, c.sgid}; }

Result<Word> CommitUser(Task& task, const Credentials& old, const Ids& ids) {
  Credentials changed = old;
  changed.ruid = ids.real;
  changed.euid = ids.effective;
  changed.suid = ids.saved;
  return Commit(task, old, std::move(changed));
}

Result<Word> CommitGroup(Task& task, const Credentials& old, const Ids& ids) {
  Credentials changed = old;
  changed.rgid = ids.real;
  changed.egid = ids.effective;
  changed.sgid = ids.saved;
  return Commit(task, old, std::move(changed));
}

// An id argument of which -1 means that nothing changes. EINVAL: not mapped.
Result<unsigned> UserArgument(const Credentials& credentials, unsigned uid) {
  if (uid == kKeep) return uid;
  const unsigned kernel = credentials.KernelUid(uid);
  if (kernel == kNoId) return Error(EINVAL);
  return kernel;
}
Result<unsigned> GroupArgument(const Credentials& credentials, unsigned gid) {
  if (gid == kKeep) return gid;
  const unsigned kernel = credentials.KernelGid(gid);
  if (kernel == kNoId) return Error(EINVAL);
  return kernel;
}

}  // namespace

Result<Word> SysSetuid(Task& task, const SyscallArgs& args) {
  CredentialsRef old = task.credentials();
  TRY_ASSIGN(Ids ids, SetOne(UserIds(*old), old->KernelUid(args.Uid(0)), old->Has(CAP_SETUID)));
  return CommitUser(task, *old, ids);
}

Result<Word> SysSetgid(Task& task, const SyscallArgs& args) {
  CredentialsRef old = task.credentials();
  TRY_ASSIGN(Ids ids, SetOne(GroupIds(*old), old->KernelGid(args.Gid(0)), old->Has(CAP_SETGID)));
  return CommitGroup(task, *old, ids);
}

Result<Word> SysSetreuid(Task& task, const SyscallArgs& args) {
  CredentialsRef old = task.credentials();
  TRY_ASSIGN(unsigned real, UserArgument(*old, args.Uid(0)));
  TRY_ASSIGN(unsigned effective, UserArgument(*old, args.Uid(1)));
  TRY_ASSIGN(Ids ids, SetTwo(UserIds(*old), real, effective, old->Has(CAP_SETUID)));
  return CommitUser(task, *old, ids);
}

Result<Word> SysSetregid(Task& task, const SyscallArgs& args) {
  CredentialsRef old = task.credentials();
  TRY_ASSIGN(unsigned real, GroupArgument(*old, args.Gid(0)));
  TRY_ASSIGN(unsigned effective, GroupArgument(*old, args.Gid(1)));
  TRY_ASSIGN(Ids ids, SetTwo(GroupIds(*old), real, effective, old->Has(CAP_SETGID)));
  return CommitGroup(task, *old, ids);
}

Result<Word> SysSetresuid(Task& task, const SyscallArgs& args) {
  CredentialsRef old = task.credentials();
  TRY_ASSIGN(unsigned real, UserArgument(*old, args.Uid(0)));
  TRY_ASSIGN(unsigned effective, UserArgument(*old, args.Uid(1)));
  TRY_ASSIGN(unsigned saved, UserArgument(*old, args.Uid(2)));
  TRY_ASSIGN(Ids ids, SetThree(UserIds(*old), real, effective, saved, old->Has(CAP_SETUID)));
  return CommitUser(task, *old, ids);
}

Result<Word> SysSetresgid(Task& task, const SyscallArgs& args) {
  CredentialsRef old = task.credentials();
  TRY_ASSIGN(unsigned real, GroupArgument(*old, args.Gid(0)));
  TRY_ASSIGN(unsigned effective, GroupArgument(*old, args.Gid(1)));
  TRY_ASSIGN(unsigned saved, GroupArgument(*old, args.Gid(2)));
  TRY_ASSIGN(Ids ids, SetThree(GroupIds(*old), real, effective, saved, old->Has(CAP_SETGID)));
  return CommitGroup(task, *old, ids);
}

// setfsuid and setfsgid report no error, only the id that was in force.
Result<Word> SysSetfsuid(Task& task, const SyscallArgs& args) {
  CredentialsRef old = task.credentials();
  const uid_t uid = old->KernelUid(args.Uid(0));
  const bool allowed = uid == old->fsuid || UserIds(*old).Has(uid) || old->Has(CAP_SETUID);
  if (uid != kNoId && uid != old->fsuid && allowed) {
    Credentials changed = *old;
    changed.fsuid = uid;
    FixFsCapabilities(*old, changed);
    task.set_credentials(std::move(changed));
  }
  return old->ShownUid(old->fsuid);
}

Result<Word> SysSetfsgid(Task& task, const SyscallArgs& args) {
  CredentialsRef old = task.credentials();
  const gid_t gid = old->KernelGid(args.Gid(0));
  const bool allowed = gid == old->fsgid || GroupIds(*old).Has(gid) || old->Has(CAP_SETGID);
  if (gid != kNoId && gid != old->fsgid && allowed) {
    Credentials changed = *old;
    changed.fsgid = gid;
    task.set_credentials(std::move(changed));
  }
  return old->ShownGid(old->fsgid);
}

Result<Word> SysSetgroups(Task& task, const SyscallArgs& args) {
  CredentialsRef old = task.credentials();
  if (!old->Has(CAP_SETGID) || !old->user_namespace->MaySetGroups()) return Error(EPERM);
  if (args.Uint(0) > kMaxGroups) return Error(EINVAL);
  std::vector<gid_t> groups(args.Uint(0));
  if (!groups.empty()) {
    TRY(task.CopyIn(args.Address(1), groups.data(), groups.size() * sizeof(gid_t)));
  }
  for (gid_t& group : groups) {
    group = old->KernelGid(group);
    if (group == kNoId) return Error(EINVAL);
  }
  Credentials changed = *old;
  // Linux keeps and shows them in order.
  std::sort(groups.begin(), groups.end());
  changed.groups = std::move(groups);
  task.set_credentials(std::move(changed));
  return 0;
}

}  // namespace runsc::boot
