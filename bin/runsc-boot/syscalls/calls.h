// The functions behind the table, by the file that has them. Each decodes its
// arguments, checks in Linux's order, and calls one method of a subsystem.
#ifndef RUNSC_BOOT_SYSCALLS_CALLS_H_
#define RUNSC_BOOT_SYSCALLS_CALLS_H_

#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/syscalls/table.h"

namespace runsc::boot {

using SyscallImplementation = Result<Word>(Task& task, const SyscallArgs& args);

// access.cc
SyscallImplementation SysAccess, SysFaccessat, SysFaccessat2;

// affinity.cc
SyscallImplementation SysSchedGetaffinity, SysSchedSetaffinity, SysGetcpu, SysMembarrier;

// capability.cc
SyscallImplementation SysCapget, SysCapset;

// chmod.cc
SyscallImplementation SysChmod, SysFchmod, SysFchmodat, SysFchmodat2, SysUmask;

// chown.cc
SyscallImplementation SysChown, SysLchown, SysFchown, SysFchownat;

// clock.cc
SyscallImplementation SysClockGettime, SysClockGetres, SysClockSettime, SysSettimeofday,
    SysGettimeofday, SysTime, SysTimes, SysGetrusage, SysAdjtimex, SysClockAdjtime;

// directory.cc
SyscallImplementation SysGetdents, SysGetdents64, SysGetcwd, SysChdir, SysFchdir, SysChroot,
    SysMkdir, SysMkdirat, SysRmdir;

// dup.cc
SyscallImplementation SysDup, SysDup2, SysDup3;

// epoll.cc
SyscallImplementation SysEpollCreate, SysEpollCreate1, SysEpollCtl, SysEpollWait, SysEpollPwait,
    SysEpollPwait2;

// eventfd.cc
SyscallImplementation SysEventfd, SysEventfd2, SysSignalfd, SysSignalfd4, SysMemfdCreate;

// fcntl.cc, async.cc
SyscallImplementation SysFcntl, SysFlock;

// futex.cc
SyscallImplementation SysFutex, SysFutexWaitv, SysFutexWait, SysGetRobustList;

// identity.cc
SyscallImplementation SysGetpid, SysGettid, SysGetppid, SysGetuid, SysGeteuid, SysGetgid,
    SysGetegid, SysGetresuid, SysGetresgid, SysGetgroups, SysGetpgid, SysGetpgrp, SysGetsid,
    SysSetpgid, SysSetsid;

// inotify.cc
SyscallImplementation SysInotifyInit, SysInotifyInit1, SysInotifyAddWatch, SysInotifyRmWatch;

// ioctl.cc
SyscallImplementation SysIoctl;

// kill.cc
SyscallImplementation SysKill, SysTkill, SysTgkill, SysRtSigqueueinfo, SysRtTgsigqueueinfo,
    SysPidfdOpen, SysPidfdSendSignal;

// limits.cc
SyscallImplementation SysGetrlimit, SysSetrlimit, SysPrlimit64;

// link.cc
SyscallImplementation SysLink, SysLinkat, SysUnlink, SysUnlinkat, SysRename, SysRenameat,
    SysRenameat2, SysSymlink, SysSymlinkat, SysReadlink, SysReadlinkat, SysMknod, SysMknodat;

// message.cc
SyscallImplementation SysSendto, SysSendmsg, SysSendmmsg, SysRecvfrom, SysRecvmsg, SysRecvmmsg;

// mmap.cc
SyscallImplementation SysMmap, SysMunmap, SysMprotect, SysMremap, SysMadvise, SysProcessMadvise,
    SysProcessMrelease, SysMseal, SysMlock, SysMlock2, SysMlockall, SysMunlock, SysMunlockall;

// mount.cc
SyscallImplementation SysMount, SysUmount2;

// mqueue.cc
SyscallImplementation SysMqOpen, SysMqUnlink, SysMqTimedsend, SysMqTimedreceive, SysMqNotify,
    SysMqGetsetattr;

// msg.cc
SyscallImplementation SysMsgget, SysMsgsnd, SysMsgrcv, SysMsgctl;

// nanosleep.cc
SyscallImplementation SysNanosleep, SysClockNanosleep, SysRestartSyscall;

// on_host.cc
SyscallImplementation SysOnHost;

// open.cc
SyscallImplementation SysOpen, SysOpenat, SysCreat, SysOpenat2, SysClose, SysCloseRange;

// pidfd.cc
SyscallImplementation SysPidfdGetfd, SysKcmp;

// pipe.cc
SyscallImplementation SysPipe, SysPipe2, SysVmsplice;

// poll.cc
SyscallImplementation SysPoll, SysPpoll, SysSelect, SysPselect6;

// prctl.cc
SyscallImplementation SysPrctl, SysArchPrctl, SysPersonality;

// priority.cc
SyscallImplementation SysGetpriority, SysSetpriority, SysIoprioGet, SysIoprioSet;

// process.cc
SyscallImplementation SysClone, SysClone3, SysFork, SysVfork, SysExecve, SysExecveat, SysExit,
    SysExitGroup, SysWait4, SysWaitid, SysUnshare, SysSetns, SysPivotRoot, SysSetTidAddress;

// read.cc
SyscallImplementation SysRead, SysPread64, SysReadv, SysPreadv, SysPreadv2;

// sched.cc
SyscallImplementation SysSchedYield, SysSchedGetscheduler, SysSchedSetscheduler, SysSchedGetparam,
    SysSchedSetparam, SysSchedGetPriorityMax, SysSchedGetPriorityMin, SysSchedRrGetInterval,
    SysSchedGetattr, SysSchedSetattr;

// sendfile.cc
SyscallImplementation SysSendfile, SysCopyFileRange, SysSplice, SysTee;

// sem.cc
SyscallImplementation SysSemget, SysSemop, SysSemtimedop, SysSemctl;

// setid.cc
SyscallImplementation SysSetuid, SysSetgid, SysSetreuid, SysSetregid, SysSetresuid, SysSetresgid,
    SysSetfsuid, SysSetfsgid, SysSetgroups;

// ptrace.cc
SyscallImplementation SysPtrace, SysProcessVmReadv, SysProcessVmWritev;

// seccomp.cc
SyscallImplementation SysSeccomp;
// PR_SET_SECCOMP and PR_GET_SECCOMP of prctl(2).
Result<Word> SetSeccompByPrctl(Task& task, uint64_t mode, uint64_t address);
Word GetSeccompByPrctl(Task& task);

// shm.cc
SyscallImplementation SysShmget, SysShmat, SysShmdt, SysShmctl;

// signal.cc
SyscallImplementation SysRtSigaction, SysRtSigprocmask, SysRtSigpending, SysRtSigtimedwait,
    SysRtSigsuspend, SysPause, SysRtSigreturn, SysSigaltstack;

// socket.cc
SyscallImplementation SysSocket, SysSocketpair, SysBind, SysListen, SysConnect, SysAccept,
    SysAccept4, SysShutdown, SysGetsockname, SysGetpeername;

// socket_option.cc
SyscallImplementation SysGetsockopt, SysSetsockopt;

// stat.cc
SyscallImplementation SysStat, SysLstat, SysFstat, SysNewfstatat, SysStatx, SysStatfs, SysFstatfs;

// system.cc
SyscallImplementation SysUname, SysSethostname, SysSetdomainname, SysSysinfo, SysGetrandom,
    SysSyslog, SysReboot, SysVhangup;

// timer.cc
SyscallImplementation SysAlarm, SysGetitimer, SysSetitimer, SysTimerCreate, SysTimerSettime,
    SysTimerGettime, SysTimerGetoverrun, SysTimerDelete;

// timerfd.cc
SyscallImplementation SysTimerfdCreate, SysTimerfdSettime, SysTimerfdGettime;

// truncate.cc
SyscallImplementation SysTruncate, SysFtruncate, SysFallocate, SysFsync, SysFdatasync, SysSync,
    SysSyncfs, SysSyncFileRange, SysFadvise64, SysReadahead, SysLseek;

// utimes.cc
SyscallImplementation SysUtime, SysUtimes, SysFutimesat, SysUtimensat;

// write.cc
SyscallImplementation SysWrite, SysPwrite64, SysWritev, SysPwritev, SysPwritev2;

// xattr.cc
SyscallImplementation SysSetxattr, SysLsetxattr, SysFsetxattr, SysGetxattr, SysLgetxattr,
    SysFgetxattr, SysListxattr, SysLlistxattr, SysFlistxattr, SysRemovexattr, SysLremovexattr,
    SysFremovexattr;

// ioctl_ns(2): NS_GET_USERNS and NS_GET_PARENT make a descriptor.
class NamespaceFile;
Result<Word> NamespaceIoctl(Task& task, const NamespaceFile& file, unsigned command);

// Commands of pidfds, other than those of every descriptor.
class PidFd;
bool IsPidFdCommand(unsigned command);
Result<Word> PidFdIoctl(Task& task, const PidFd& pidfd, unsigned command, uint64_t argument);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SYSCALLS_CALLS_H_
