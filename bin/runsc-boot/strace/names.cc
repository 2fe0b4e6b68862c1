#include "bin/runsc-boot/strace/names.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <ctime>
#include <span>

#include "absl/strings/str_cat.h"

namespace runsc::boot {

namespace {

struct Name {
  uint64_t value;
  const char* name;
};
#define NAME(x) {static_cast<uint64_t>(x), #x}

// Bits by name, longest combinations first; what is left in hexadecimal.
std::string Join(uint64_t flags, std::span<const Name> names, std::string start = "") {
  std::string text = std::move(start);
  for (const Name& entry : names) {
    if (entry.value == 0 || (flags & entry.value) != entry.value) continue;
    absl::StrAppend(&text, text.empty() ? "" : "|", entry.name);
    flags &= ~entry.value;
  }
  if (flags != 0) absl::StrAppend(&text, text.empty() ? "" : "|", "0x", absl::Hex(flags));
  return text.empty() ? "0" : text;
}

std::string Pick(uint64_t value, std::span<const Name> names) {
  for (const Name& entry : names) {
    if (entry.value == value) return entry.name;
  }
  return absl::StrCat(static_cast<int64_t>(value));
}

constexpr Name kOpenFlags[] = {
    NAME(O_CREAT),
    NAME(O_EXCL),
    NAME(O_NOCTTY),
    NAME(O_TRUNC),
    NAME(O_APPEND),
    NAME(O_NONBLOCK),
    NAME(O_SYNC),
    NAME(O_DSYNC),
    NAME(O_ASYNC),
    NAME(O_DIRECT),
    NAME(O_TMPFILE),
    NAME(O_DIRECTORY),
    NAME(O_NOFOLLOW),
    NAME(O_NOATIME),
    NAME(O_CLOEXEC),
    NAME(O_PATH),
    {0100000, "O_LARGEFILE"},
};
constexpr Name kAtFlags[] = {
    NAME(AT_SYMLINK_NOFOLLOW), NAME(AT_REMOVEDIR),  NAME(AT_SYMLINK_FOLLOW),
    NAME(AT_NO_AUTOMOUNT),     NAME(AT_EMPTY_PATH),
};
constexpr Name kProtection[] = {NAME(PROT_READ), NAME(PROT_WRITE), NAME(PROT_EXEC)};
constexpr Name kMapFlags[] = {
    NAME(MAP_SHARED),    NAME(MAP_PRIVATE), NAME(MAP_FIXED),           NAME(MAP_ANONYMOUS),
    NAME(MAP_GROWSDOWN), NAME(MAP_LOCKED),  NAME(MAP_NORESERVE),       NAME(MAP_POPULATE),
    NAME(MAP_NONBLOCK),  NAME(MAP_STACK),   NAME(MAP_FIXED_NOREPLACE), NAME(MAP_DENYWRITE),
};
constexpr Name kCloneFlags[] = {
    NAME(CLONE_VM),
    NAME(CLONE_FS),
    NAME(CLONE_FILES),
    NAME(CLONE_SIGHAND),
    NAME(CLONE_PIDFD),
    NAME(CLONE_VFORK),
    NAME(CLONE_PARENT),
    NAME(CLONE_THREAD),
    NAME(CLONE_NEWNS),
    NAME(CLONE_SYSVSEM),
    NAME(CLONE_SETTLS),
    NAME(CLONE_PARENT_SETTID),
    NAME(CLONE_CHILD_CLEARTID),
    NAME(CLONE_CHILD_SETTID),
    NAME(CLONE_NEWUTS),
    NAME(CLONE_NEWIPC),
    NAME(CLONE_NEWUSER),
    NAME(CLONE_NEWPID),
    NAME(CLONE_NEWNET),
};
constexpr Name kMessageFlags[] = {
    NAME(MSG_OOB),      NAME(MSG_PEEK),         NAME(MSG_DONTWAIT), NAME(MSG_WAITALL),
    NAME(MSG_NOSIGNAL), NAME(MSG_TRUNC),        NAME(MSG_CTRUNC),   NAME(MSG_EOR),
    NAME(MSG_MORE),     NAME(MSG_CMSG_CLOEXEC),
};
constexpr Name kWaitOptions[] = {NAME(WNOHANG),    NAME(WUNTRACED), NAME(WEXITED),
                                 NAME(WCONTINUED), NAME(WNOWAIT),   {__WALL, "__WALL"}};
constexpr Name kMountFlags[] = {
    NAME(MS_RDONLY), NAME(MS_NOSUID),  NAME(MS_NODEV),    NAME(MS_NOEXEC),  NAME(MS_REMOUNT),
    NAME(MS_BIND),   NAME(MS_REC),     NAME(MS_MOVE),     NAME(MS_PRIVATE), NAME(MS_SLAVE),
    NAME(MS_SHARED), NAME(MS_NOATIME), NAME(MS_RELATIME),
};
constexpr Name kPollEvents[] = {
    NAME(POLLIN),   NAME(POLLPRI),         NAME(POLLOUT),    NAME(POLLERR),    NAME(POLLHUP),
    NAME(POLLNVAL), {0x2000, "POLLRDHUP"}, NAME(POLLRDNORM), NAME(POLLWRNORM),
};
constexpr Name kWhence[] = {
    NAME(SEEK_SET), NAME(SEEK_CUR), NAME(SEEK_END), {3, "SEEK_DATA"}, {4, "SEEK_HOLE"}};
constexpr Name kClocks[] = {
    NAME(CLOCK_REALTIME),          NAME(CLOCK_MONOTONIC),     NAME(CLOCK_PROCESS_CPUTIME_ID),
    NAME(CLOCK_THREAD_CPUTIME_ID), NAME(CLOCK_MONOTONIC_RAW), NAME(CLOCK_REALTIME_COARSE),
    NAME(CLOCK_MONOTONIC_COARSE),  NAME(CLOCK_BOOTTIME),
};
constexpr Name kDomains[] = {NAME(AF_UNSPEC), NAME(AF_UNIX),    NAME(AF_INET),
                             NAME(AF_INET6),  NAME(AF_NETLINK), NAME(AF_PACKET)};
constexpr Name kFcntl[] = {
    NAME(F_DUPFD),     NAME(F_GETFD),      NAME(F_SETFD),         NAME(F_GETFL),
    NAME(F_SETFL),     NAME(F_GETLK),      NAME(F_SETLK),         NAME(F_SETLKW),
    NAME(F_SETOWN),    NAME(F_GETOWN),     NAME(F_DUPFD_CLOEXEC), NAME(F_OFD_GETLK),
    NAME(F_OFD_SETLK), NAME(F_OFD_SETLKW), NAME(F_GETPIPE_SZ),    NAME(F_SETPIPE_SZ),
    NAME(F_ADD_SEALS), NAME(F_GET_SEALS),
};
constexpr Name kResources[] = {
    NAME(RLIMIT_CPU),  NAME(RLIMIT_FSIZE),      NAME(RLIMIT_DATA),   NAME(RLIMIT_STACK),
    NAME(RLIMIT_CORE), NAME(RLIMIT_NPROC),      NAME(RLIMIT_NOFILE), NAME(RLIMIT_MEMLOCK),
    NAME(RLIMIT_AS),   NAME(RLIMIT_SIGPENDING), NAME(RLIMIT_RTPRIO),
};
constexpr Name kEpoll[] = {NAME(EPOLL_CTL_ADD), NAME(EPOLL_CTL_DEL), NAME(EPOLL_CTL_MOD)};
constexpr Name kIoctls[] = {
    NAME(TCGETS),     NAME(TCSETS),    NAME(TCSETSW),   NAME(TCSETSF),   NAME(TIOCGWINSZ),
    NAME(TIOCSWINSZ), NAME(TIOCGPGRP), NAME(TIOCSPGRP), NAME(TIOCSCTTY), NAME(TIOCNOTTY),
    NAME(FIONREAD),   NAME(FIONBIO),   NAME(FIOCLEX),   NAME(FIONCLEX),
};
constexpr Name kFutex[] = {
    NAME(FUTEX_WAIT),        NAME(FUTEX_WAKE),        NAME(FUTEX_REQUEUE),
    NAME(FUTEX_CMP_REQUEUE), NAME(FUTEX_WAKE_OP),     NAME(FUTEX_LOCK_PI),
    NAME(FUTEX_UNLOCK_PI),   NAME(FUTEX_WAIT_BITSET), NAME(FUTEX_WAKE_BITSET),
};
constexpr Name kSocketTypes[] = {NAME(SOCK_STREAM), NAME(SOCK_DGRAM), NAME(SOCK_RAW),
                                 NAME(SOCK_SEQPACKET)};
constexpr Name kSocketFlags[] = {NAME(SOCK_CLOEXEC), NAME(SOCK_NONBLOCK)};

#undef NAME

}  // namespace

std::string ErrnoName(int code) {
  const char* name = strerrorname_np(code);
  return name != nullptr ? name : absl::StrCat("E", code);
}

std::string SignalName(int signo) {
  constexpr int kFirstRealTime = 32;
  if (signo >= kFirstRealTime) return absl::StrCat("SIGRT_", signo - kFirstRealTime);
  const char* name = sigabbrev_np(signo);
  return name != nullptr ? absl::StrCat("SIG", name) : absl::StrCat(signo);
}

std::string OpenFlags(uint64_t flags) {
  constexpr const char* kAccess[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
  const uint64_t rest = flags & ~uint64_t{O_ACCMODE};
  if (rest == 0) return kAccess[flags & O_ACCMODE];
  return Join(rest, kOpenFlags, kAccess[flags & O_ACCMODE]);
}

std::string AtFlags(uint64_t flags) { return Join(flags & 0xffffffff, kAtFlags); }
std::string ProtectionFlags(uint64_t flags) {
  return flags == 0 ? "PROT_NONE" : Join(flags, kProtection);
}
std::string MapFlags(uint64_t flags) { return Join(flags, kMapFlags); }

std::string CloneFlags(uint64_t flags) {
  const int exit_signal = static_cast<int>(flags & CSIGNAL);
  std::string text = Join(flags & ~uint64_t{CSIGNAL}, kCloneFlags);
  return exit_signal == 0 ? text : absl::StrCat(text, "|", SignalName(exit_signal));
}

std::string MessageFlags(uint64_t flags) { return Join(flags & 0xffffffff, kMessageFlags); }
std::string WaitOptions(uint64_t flags) { return Join(flags & 0xffffffff, kWaitOptions); }
std::string MountFlagNames(uint64_t flags) { return Join(flags, kMountFlags); }
std::string PollEventNames(uint64_t events) { return Join(events, kPollEvents); }

std::string SocketType(uint64_t type) {
  constexpr uint64_t kTypeMask = 0xf;
  const uint64_t flags = type & ~kTypeMask;
  std::string text = Pick(type & kTypeMask, kSocketTypes);
  return flags == 0 ? text : Join(flags, kSocketFlags, text);
}

std::string FutexOperation(uint64_t operation) {
  std::string text = Pick(operation & static_cast<uint64_t>(FUTEX_CMD_MASK) & 0xff, kFutex);
  if ((operation & FUTEX_PRIVATE_FLAG) != 0) absl::StrAppend(&text, "_PRIVATE");
  if ((operation & FUTEX_CLOCK_REALTIME) != 0) absl::StrAppend(&text, "|FUTEX_CLOCK_REALTIME");
  return text;
}

std::string WhenceName(uint64_t value) { return Pick(value, kWhence); }
std::string ClockName(uint64_t value) { return Pick(value & 0xffffffff, kClocks); }
std::string SocketDomainName(uint64_t value) { return Pick(value, kDomains); }
std::string FcntlCommandName(uint64_t value) { return Pick(value, kFcntl); }
std::string ResourceName(uint64_t value) { return Pick(value, kResources); }
std::string EpollOperationName(uint64_t value) { return Pick(value, kEpoll); }

std::string IoctlCommandName(uint64_t value) {
  for (const Name& entry : kIoctls) {
    if (entry.value == (value & 0xffffffff)) return entry.name;
  }
  return absl::StrCat("0x", absl::Hex(value & 0xffffffff));
}

}  // namespace runsc::boot
