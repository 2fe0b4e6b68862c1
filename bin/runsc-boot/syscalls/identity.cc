// getpid(2), getppid(2), gettid(2), getuid(2) and the other ids that are only
// read; getgroups(2), getpgid(2), getpgrp(2), getsid(2), setpgid(2), setsid(2)

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

// pid 0 means the caller. ESRCH.
Result<ThreadGroupRef> GroupOf(Task& task, pid_t pid) {
  if (pid == 0) return task.group().shared_from_this();
  TaskRef found = task.kernel().FindTask(pid);
  if (found != nullptr) return found->group().shared_from_this();
  ThreadGroupRef group = task.kernel().FindGroup(pid);
  if (group == nullptr) return Error(ESRCH);
  return group;
}

Status CopyOutThree(Task& task, const SyscallArgs& args, unsigned a, unsigned b, unsigned c) {
  TRY(task.CopyOutObject(args.Address(0), a));
  TRY(task.CopyOutObject(args.Address(1), b));
  return task.CopyOutObject(args.Address(2), c);
}

}  // namespace

Result<Word> SysGetpid(Task& task, const SyscallArgs&) { return task.tgid(); }
Result<Word> SysGettid(Task& task, const SyscallArgs&) { return task.tid(); }
Result<Word> SysGetppid(Task& task, const SyscallArgs&) { return task.group().parent_pid(); }
Result<Word> SysGetuid(Task& task, const SyscallArgs&) { return task.credentials()->ruid; }
Result<Word> SysGeteuid(Task& task, const SyscallArgs&) { return task.credentials()->euid; }
Result<Word> SysGetgid(Task& task, const SyscallArgs&) { return task.credentials()->rgid; }
Result<Word> SysGetegid(Task& task, const SyscallArgs&) { return task.credentials()->egid; }

Result<Word> SysGetresuid(Task& task, const SyscallArgs& args) {
  CredentialsRef c = task.credentials();
  TRY(CopyOutThree(task, args, c->ruid, c->euid, c->suid));
  return 0;
}

Result<Word> SysGetresgid(Task& task, const SyscallArgs& args) {
  CredentialsRef c = task.credentials();
  TRY(CopyOutThree(task, args, c->rgid, c->egid, c->sgid));
  return 0;
}

Result<Word> SysGetgroups(Task& task, const SyscallArgs& args) {
  CredentialsRef credentials = task.credentials();
  const std::vector<gid_t>& groups = credentials->groups;
  if (args.Int(0) < 0) return Error(EINVAL);
  if (args.Int(0) == 0) return groups.size();
  if (groups.size() > args.Uint(0)) return Error(EINVAL);
  if (!groups.empty()) {
    TRY(task.CopyOut(args.Address(1), groups.data(), groups.size() * sizeof(gid_t)));
  }
  return groups.size();
}

Result<Word> SysGetpgid(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(ThreadGroupRef group, GroupOf(task, args.Pid(0)));
  return group->process_group();
}

Result<Word> SysGetpgrp(Task& task, const SyscallArgs&) { return task.group().process_group(); }

Result<Word> SysGetsid(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(ThreadGroupRef group, GroupOf(task, args.Pid(0)));
  return group->session();
}

Result<Word> SysSetpgid(Task& task, const SyscallArgs& args) {
  TRY(task.group().SetProcessGroup(task, args.Pid(0), args.Pid(1)));
  return 0;
}

Result<Word> SysSetsid(Task& task, const SyscallArgs&) {
  TRY_ASSIGN(pid_t session, task.group().NewSession());
  return session;
}

}  // namespace runsc::boot
