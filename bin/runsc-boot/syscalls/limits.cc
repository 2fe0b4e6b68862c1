// getrlimit(2), setrlimit(2), prlimit64(2)

#include <sys/resource.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

bool IsResource(int resource) { return resource >= 0 && resource < RLIM_NLIMITS; }

// prlimit(2): the same ids, or CAP_SYS_RESOURCE.
Status CheckMayLimit(Task& task, ThreadGroup& target) {
  if (&target == &task.group()) return Ok();
  CredentialsRef own = task.credentials(), other = target.leader()->credentials();
  const bool same = own->ruid == other->euid && own->ruid == other->suid &&
                    own->ruid == other->ruid && own->rgid == other->egid &&
                    own->rgid == other->sgid && own->rgid == other->rgid;
  if (same || own->HasIn(*other->user_namespace, CAP_SYS_RESOURCE)) return Ok();
  return Error(EPERM);
}

}  // namespace

Result<Word> SysGetrlimit(Task& task, const SyscallArgs& args) {
  if (!IsResource(args.Int(0))) return Error(EINVAL);
  TRY(task.CopyOutObject(args.Address(1), task.group().limit(args.Int(0))));
  return 0;
}

Result<Word> SysSetrlimit(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(rlimit limit, task.CopyInObject<rlimit>(args.Address(1)));
  if (!IsResource(args.Int(0))) return Error(EINVAL);
  TRY(task.group().SetLimit(*task.credentials(), args.Int(0), limit));
  return 0;
}

Result<Word> SysPrlimit64(Task& task, const SyscallArgs& args) {
  const pid_t pid = args.Pid(0);
  if (!IsResource(args.Int(1))) return Error(EINVAL);
  std::optional<rlimit> limit;
  if (args.Address(2) != 0) {
    TRY_ASSIGN(limit, task.CopyInObject<rlimit>(args.Address(2)));
  }
  ThreadGroupRef target = task.group().shared_from_this();
  if (pid != 0) {
    TaskRef found = task.FindTask(pid);
    if (found == nullptr) return Error(ESRCH);
    target = found->group().shared_from_this();
  }
  TRY(CheckMayLimit(task, *target));
  const rlimit old = target->limit(args.Int(1));
  if (limit) TRY(target->SetLimit(*task.credentials(), args.Int(1), *limit));
  if (args.Address(3) != 0) TRY(task.CopyOutObject(args.Address(3), old));
  return 0;
}

}  // namespace runsc::boot
