#include "bin/runsc-boot/kernel/ptrace_access.h"

#include "bin/runsc-boot/kernel/thread_group.h"

namespace runsc::boot {

namespace {

constexpr int kDumpableByUser = 1;  // SUID_DUMP_USER

bool SameIds(uid_t uid, gid_t gid, const Credentials& target) {
  return uid == target.euid && uid == target.suid && uid == target.ruid && gid == target.egid &&
         gid == target.sgid && gid == target.rgid;
}

bool MayDump(const Credentials& caller, const Task& target) {
  const std::shared_ptr<MemoryManager> memory = target.memory_ref();
  if (memory == nullptr) {
    // Of a zombie Linux remembers only whether it was dumpable.
    return target.group().dumpable_at_end() == kDumpableByUser ||
           caller.HasInitially(CAP_SYS_PTRACE);
  }
  if (memory->dumpable() == kDumpableByUser) return true;
  const UserNamespaceRef space = memory->user_namespace();
  return space == nullptr ? caller.HasInitially(CAP_SYS_PTRACE)
                          : caller.HasIn(*space, CAP_SYS_PTRACE);
}

// The commoncap module: nobody reaches by it what it has not itself.
bool HasAllOf(CapabilitySet caller, const Credentials& credentials, const Credentials& target) {
  if (credentials.user_namespace == target.user_namespace && (target.permitted & ~caller) == 0) {
    return true;
  }
  return credentials.HasIn(*target.user_namespace, CAP_SYS_PTRACE);
}

}  // namespace

Status CheckPtraceAccess(const Credentials& caller, const Task& target, PtraceIds ids) {
  const CredentialsRef theirs = target.credentials();
  const bool real = ids == PtraceIds::kReal;
  if (!SameIds(real ? caller.ruid : caller.fsuid, real ? caller.rgid : caller.fsgid, *theirs) &&
      !caller.HasIn(*theirs->user_namespace, CAP_SYS_PTRACE)) {
    return Error(EPERM);
  }
  if (!MayDump(caller, target)) return Error(EPERM);
  if (!HasAllOf(real ? caller.permitted : caller.effective, caller, *theirs)) return Error(EPERM);
  return Ok();
}

Status CheckPtraceAccess(const Task& caller, const Task& target, PtraceIds ids) {
  if (&caller.group() == &target.group()) return Ok();
  return CheckPtraceAccess(*caller.credentials(), target, ids);
}

Status CheckTraceMe(const Task& parent, const Task& child) {
  const CredentialsRef theirs = parent.credentials(), own = child.credentials();
  return HasAllOf(theirs->permitted, *theirs, *own) ? Ok() : Status(Error(EPERM));
}

}  // namespace runsc::boot
