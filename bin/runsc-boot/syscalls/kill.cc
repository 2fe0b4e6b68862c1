// kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2), rt_tgsigqueueinfo(2),
// pidfd_open(2), pidfd_send_signal(2)

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "bin/runsc-boot/kernel/process_directory.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

bool IsSignal(int signo) { return signo >= 0 && signo <= kSignalCount; }

SigInfo FromUser(Task& task, int signo, int code) {
  return MakeSigInfo(signo, code, task.shown_tgid(), task.credentials()->ruid);
}

// Names the sender as the receiver can know it. `outside` when the sender is in
// an outer pid namespace, where the receiver cannot see it.
SigInfo AsSeenBy(Task& sender, const Task& receiver, SigInfo info, bool& outside) {
  outside = sender.pid_namespace() != receiver.pid_namespace();
  if (outside) info.si_pid = 0;
  info.si_uid = receiver.credentials()->ShownUid(info.si_uid);
  return info;
}

// As Linux: whether the target exists is asked before whether the signal does.
Status SignalGroup(Task& task, ThreadGroup& group, const SigInfo& info) {
  const TaskRef leader = group.leader();
  if (leader == nullptr) return Error(ESRCH);
  if (!IsSignal(info.si_signo)) return Error(EINVAL);
  TRY(task.kernel().CheckKill(task, *leader, info.si_signo));
  bool outside = false;
  const SigInfo seen = AsSeenBy(task, *leader, info, outside);
  return outside ? group.SendSignalFromOutside(seen) : group.SendSignal(seen);
}

// Success when at least one could be signalled; else the last error.
Result<Word> SignalMany(Task& task, const std::vector<ThreadGroupRef>& groups,
                        const SigInfo& info) {
  Status last = Error(ESRCH);
  bool sent = false;
  for (const ThreadGroupRef& group : groups) {
    last = SignalGroup(task, *group, info);
    sent |= last.ok();
  }
  if (!sent) return std::move(last).error();
  return 0;
}

// Any thread stands for its group.
Result<ThreadGroupRef> GroupOf(Task& task, pid_t pid) {
  if (ThreadGroupRef group = task.FindGroup(pid); group != nullptr) return group;
  TaskRef found = task.FindTask(pid);
  if (found == nullptr) return Error(ESRCH);
  return found->group_ref();
}

// All that the caller sees but init and its own process.
std::vector<ThreadGroupRef> Everyone(Task& task) {
  std::vector<ThreadGroupRef> groups;
  for (ThreadGroupRef& group : task.kernel().Groups()) {
    const pid_t seen = task.FromKernelPid(group->pid());
    if (seen > 1 && group->pid() != task.tgid()) groups.push_back(std::move(group));
  }
  return groups;
}

// As Linux, permission that is missing is no error here.
Result<Word> SignalEveryone(Task& task, const SigInfo& info) {
  const std::vector<ThreadGroupRef> groups = Everyone(task);
  if (groups.empty()) return Error(ESRCH);
  Status last;
  for (const ThreadGroupRef& group : groups) {
    if (Status sent = SignalGroup(task, *group, info); sent.code() != EPERM) last = sent;
  }
  TRY(std::move(last));
  return 0;
}

Result<Word> SignalThread(Task& task, pid_t tgid, pid_t tid, const SigInfo& info) {
  TaskRef target = task.FindTask(tid);
  if (target == nullptr || (tgid > 0 && target->tgid() != task.ToKernelPid(tgid))) {
    return Error(ESRCH);
  }
  if (!IsSignal(info.si_signo)) return Error(EINVAL);
  TRY(task.kernel().CheckKill(task, *target, info.si_signo));
  bool outside = false;
  TRY(target->SendSignal(AsSeenBy(task, *target, info, outside)));
  return 0;
}

// What no layout of siginfo_t uses: 0 behind those that Linux knows, and an
// error (E2BIG) behind others.
Status ClearUnused(SigInfo& info) {
  constexpr size_t kUsed = 48;
  constexpr int kLastNegative = -7, kAsyncName = -60, kLastPoll = 6;
  const int code = info.si_code;
  const bool known = code == SI_KERNEL || code == kAsyncName ||
                     (code > SI_USER ? code <= kLastPoll : code >= kLastNegative);
  std::array<char, sizeof(SigInfo)> bytes;
  memcpy(bytes.data(), &info, sizeof(info));
  const auto rest = bytes.begin() + kUsed;
  if (!known && std::any_of(rest, bytes.end(), [](char byte) { return byte != 0; })) {
    return Error(E2BIG);
  }
  std::fill(rest, bytes.end(), 0);
  memcpy(&info, bytes.data(), sizeof(info));
  return Ok();
}

// An application may not claim to be the kernel or kill(2) towards others.
Result<SigInfo> CopyInSigInfo(Task& task, uint64_t address, int signo, pid_t target) {
  const pid_t self = task.shown_tid();
  TRY_ASSIGN(SigInfo info, task.CopyInObject<SigInfo>(address));
  info.si_signo = signo;
  const uid_t uid = task.credentials()->KernelUid(info.si_uid);
  if (uid != static_cast<uid_t>(-1)) info.si_uid = uid;
  TRY(ClearUnused(info));
  if ((info.si_code >= 0 || info.si_code == SI_TKILL) && target != self) {
    return Error(EPERM);
  }
  return info;
}

}  // namespace

Result<Word> SysKill(Task& task, const SyscallArgs& args) {
  const pid_t pid = args.Pid(0);
  const SigInfo info = FromUser(task, args.Int(1), SI_USER);
  if (pid > 0) {
    TRY_ASSIGN(ThreadGroupRef group, GroupOf(task, pid));
    TRY(SignalGroup(task, *group, info));
    return 0;
  }
  if (pid == -1) return SignalEveryone(task, info);
  if (pid == std::numeric_limits<pid_t>::min()) return Error(ESRCH);
  const pid_t members = pid == 0 ? task.group().process_group() : task.ToKernelPid(-pid);
  return SignalMany(task, task.kernel().ProcessGroupMembers(members), info);
}

Result<Word> SysTkill(Task& task, const SyscallArgs& args) {
  if (args.Pid(0) <= 0) return Error(EINVAL);
  return SignalThread(task, 0, args.Pid(0), FromUser(task, args.Int(1), SI_TKILL));
}

Result<Word> SysTgkill(Task& task, const SyscallArgs& args) {
  if (args.Pid(0) <= 0 || args.Pid(1) <= 0) return Error(EINVAL);
  return SignalThread(task, args.Pid(0), args.Pid(1), FromUser(task, args.Int(2), SI_TKILL));
}

Result<Word> SysRtSigqueueinfo(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SigInfo info, CopyInSigInfo(task, args.Address(2), args.Int(1), args.Pid(0)));
  TRY_ASSIGN(ThreadGroupRef group, GroupOf(task, args.Pid(0)));
  TRY(SignalGroup(task, *group, info));
  return 0;
}

Result<Word> SysRtTgsigqueueinfo(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(SigInfo info, CopyInSigInfo(task, args.Address(3), args.Int(2), args.Pid(1)));
  if (args.Pid(0) <= 0 || args.Pid(1) <= 0) return Error(EINVAL);
  return SignalThread(task, args.Pid(0), args.Pid(1), info);
}

Result<Word> SysPidfdOpen(Task& task, const SyscallArgs& args) {
  if ((args.Int(1) & ~O_NONBLOCK) != 0 || args.Pid(0) <= 0) return Error(EINVAL);
  TRY_ASSIGN(FileRef file, task.kernel().OpenPidFd(task.ToKernelPid(args.Pid(0)), args.Int(1)));
  return InstallFile(task, std::move(file), true);
}

namespace {

// Of a pidfd or a directory /proc/PID.
Result<ThreadGroupRef> SignalTarget(File& file) {
  if (const InodeRef& inode = file.inode(); inode != nullptr) {
    auto* directory = dynamic_cast<ProcessDirectoryInode*>(inode.get());
    if (directory != nullptr) return directory->Process();
  }
  return Kernel::PidFdTarget(file);
}

}  // namespace

Result<Word> SysPidfdSendSignal(Task& task, const SyscallArgs& args) {
  if (args.Uint(3) != 0 || !IsSignal(args.Int(1))) return Error(EINVAL);
  TRY_ASSIGN(FileRef file, FileForIo(task, args.Fd(0)));
  TRY_ASSIGN(ThreadGroupRef target, SignalTarget(*file));
  SigInfo info = FromUser(task, args.Int(1), SI_USER);
  if (args.Address(2) != 0) {
    TRY_ASSIGN(const SigInfo given, task.CopyInObject<SigInfo>(args.Address(2)));
    if (given.si_signo != args.Int(1)) return Error(EINVAL);
    TRY_ASSIGN(
        info, CopyInSigInfo(task, args.Address(2), args.Int(1), task.FromKernelPid(target->pid())));
  }
  TRY(SignalGroup(task, *target, info));
  return 0;
}

}  // namespace runsc::boot
