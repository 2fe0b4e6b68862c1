// getpid(2), getppid(2), gettid(2), getuid(2) and the other ids that are only
// read; getgroups(2), getpgid(2), getpgrp(2), getsid(2), setpgid(2), setsid(2)

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

// pid 0 means the caller. ESRCH.
Result<ThreadGroupRef> GroupOf(Task& task, pid_t pid) {
  if (pid == 0) return task.group().shared_from_this();
  TaskRef found = task.FindTask(pid);
  if (found != nullptr) return found->group().shared_from_this();
  ThreadGroupRef group = task.FindGroup(pid);
  if (group == nullptr) return Error(ESRCH);
  return group;
}

Status CopyOutThree(Task& task, const SyscallArgs& args, unsigned a, unsigned b, unsigned c) {
  TRY(task.CopyOutObject(args.Address(0), a));
  TRY(task.CopyOutObject(args.Address(1), b));
  return task.CopyOutObject(args.Address(2), c);
}

}  // namespace

Result<Word> SysGetpid(Task& task, const SyscallArgs&) { return task.shown_tgid(); }
Result<Word> SysGettid(Task& task, const SyscallArgs&) { return task.shown_tid(); }
Result<Word> SysGetppid(Task& task, const SyscallArgs&) {
  return task.FromKernelPid(task.group().parent_pid());
}
Result<Word> SysGetuid(Task& task, const SyscallArgs&) {
  CredentialsRef c = task.credentials();
  return c->ShownUid(c->ruid);
}
Result<Word> SysGeteuid(Task& task, const SyscallArgs&) {
  CredentialsRef c = task.credentials();
  return c->ShownUid(c->euid);
}
Result<Word> SysGetgid(Task& task, const SyscallArgs&) {
  CredentialsRef c = task.credentials();
  return c->ShownGid(c->rgid);
}
Result<Word> SysGetegid(Task& task, const SyscallArgs&) {
  CredentialsRef c = task.credentials();
  return c->ShownGid(c->egid);
}

Result<Word> SysGetresuid(Task& task, const SyscallArgs& args) {
  CredentialsRef c = task.credentials();
  TRY(CopyOutThree(task, args, c->ShownUid(c->ruid), c->ShownUid(c->euid), c->ShownUid(c->suid)));
  return 0;
}

Result<Word> SysGetresgid(Task& task, const SyscallArgs& args) {
  CredentialsRef c = task.credentials();
  TRY(CopyOutThree(task, args, c->ShownGid(c->rgid), c->ShownGid(c->egid), c->ShownGid(c->sgid)));
  return 0;
}

Result<Word> SysGetgroups(Task& task, const SyscallArgs& args) {
  CredentialsRef credentials = task.credentials();
  const std::vector<gid_t>& groups = credentials->groups;
  if (args.Int(0) < 0) return Error(EINVAL);
  if (args.Int(0) == 0) return groups.size();
  if (groups.size() > args.Uint(0)) return Error(EINVAL);
  if (!groups.empty()) {
    std::vector<gid_t> shown = groups;
    for (gid_t& group : shown) group = credentials->ShownGid(group);
    TRY(task.CopyOut(args.Address(1), shown.data(), shown.size() * sizeof(gid_t)));
  }
  return groups.size();
}

Result<Word> SysGetpgid(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(ThreadGroupRef group, GroupOf(task, args.Pid(0)));
  return task.FromKernelPid(group->process_group());
}

Result<Word> SysGetpgrp(Task& task, const SyscallArgs&) {
  return task.FromKernelPid(task.group().process_group());
}

Result<Word> SysGetsid(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(ThreadGroupRef group, GroupOf(task, args.Pid(0)));
  return task.FromKernelPid(group->session());
}

Result<Word> SysSetpgid(Task& task, const SyscallArgs& args) {
  const pid_t pid = args.Pid(0), group = args.Pid(1);
  // A negative pid would be its own group.
  if (group < 0 || (group == 0 && pid < 0)) return Error(EINVAL);
  const pid_t kernel_pid = pid == 0 ? 0 : task.ToKernelPid(pid);
  if (pid != 0 && kernel_pid == 0) return Error(ESRCH);
  const pid_t kernel_group = group == 0 ? 0 : task.ToKernelPid(group);
  if (group != 0 && kernel_group == 0) return Error(EPERM);
  TRY(task.group().SetProcessGroup(task, kernel_pid, kernel_group));
  return 0;
}

Result<Word> SysSetsid(Task& task, const SyscallArgs&) {
  TRY_ASSIGN(pid_t session, task.group().NewSession());
  return task.FromKernelPid(session);
}

}  // namespace runsc::boot
