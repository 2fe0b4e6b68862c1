// Pid namespaces: /proc, pidfds, credentials over sockets, locks.
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/socket.h>

#include "test/guest/pid_namespaces.h"

using namespace guest;

CASE(proc_inside) {
  Record("inside", AsInit([] {
           if (!MountProc()) return std::string("mount ") + strerrorname_np(errno);
           char self[16] = {};
           if (readlink("/proc/self", self, sizeof self - 1) < 0) return std::string("self");
           char thread[32] = {};
           if (readlink("/proc/thread-self", thread, sizeof thread - 1) < 0) return std::string();
           return std::string(self) + "," + thread + "," + FieldOf("/proc/self/status", "Pid") +
                  "," + FieldOf("/proc/self/status", "PPid") + "," +
                  FieldOf("/proc/self/status", "NSpid") + "," +
                  Content("/proc/self/stat").substr(0, 2);
         }));
}
CASE(proc_inside_hides_outside) {
  const std::string outer = "/proc/" + Number(getpid());
  Record("inside", AsInit([outer] {
           if (!MountProc()) return std::string("mount ") + strerrorname_np(errno);
           const pid_t child = fork();
           if (child == 0) {
             while (true) pause();
           }
           struct stat st;
           std::string text;
           for (const char* path : {"/proc/1", "/proc/2", "/proc/3"}) {
             text += stat(path, &st) == 0 ? "y" : "n";
           }
           kill(child, SIGKILL);
           return text;
         }));
}
CASE(proc_outside_shows_both_numbers) {
  int ready[2];
  MUST(pipe(ready));
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) {
    (void)!write(ready[1], "x", 1);
    while (true) pause();
  }
  char byte;
  (void)!read(ready[0], &byte, 1);
  const std::string line = FieldOf("/proc/" + Number(pid) + "/status", "NSpid");
  Record("tabs", Count(line, '\t'));
  Record("inner", line.substr(line.rfind('\t') + 1));
  Record("outer", line.substr(0, line.find('\t')) == Number(pid));
  kill(static_cast<pid_t>(pid), SIGKILL);
  Record("end", WaitFor(pid));
}
CASE(proc_of_outer_seen_from_inside) {
  // The old mount of /proc still shows all; self is not known in it only if
  // the reader has no number there.
  Record("inside", AsInit([] {
           char self[16] = {};
           if (readlink("/proc/self", self, sizeof self - 1) < 0) return std::string("none");
           return std::string(atoi(self) > 1 ? "outer" : "inner");
         }));
}
CASE(pidfd_inside) {
  Record("inside", AsInit([] {
           const pid_t child = fork();
           if (child == 0) {
             while (true) pause();
           }
           const int fd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
           std::string text = fd >= 0 ? "ok" : strerrorname_np(errno);
           text += "," + ErrorOf(syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0));
           text += "," + WaitFor(child);
           return text + "," + ErrorOf(syscall(SYS_pidfd_open, 4000, 0));
         }));
}
CASE(credentials_over_sockets) {
  int fds[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
  const int on = 1;
  MUST(setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) {
    (void)!write(fds[1], "x", 1);
    char byte;
    (void)!read(fds[1], &byte, 1);
    _exit(0);
  }
  char byte, control[128];
  iovec part = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  T(recvmsg(fds[0], &message, 0));
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  ucred ids = {};
  if (header != nullptr) memcpy(&ids, CMSG_DATA(header), sizeof ids);
  Record("pid_as_outside", ids.pid == pid);
  (void)!write(fds[0], "y", 1);
  Record("end", WaitFor(pid));
}
CASE(credentials_claimed_inside) {
  Record("inside", AsInit([] {
           int fds[2];
           if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0) return std::string("pair");
           auto claim = [&](pid_t pid) {
             char byte = 'x', control[CMSG_SPACE(sizeof(ucred))] = {};
             iovec part = {&byte, 1};
             msghdr message = {};
             message.msg_iov = &part;
             message.msg_iovlen = 1;
             message.msg_control = control;
             message.msg_controllen = sizeof control;
             cmsghdr* header = CMSG_FIRSTHDR(&message);
             header->cmsg_level = SOL_SOCKET;
             header->cmsg_type = SCM_CREDENTIALS;
             header->cmsg_len = CMSG_LEN(sizeof(ucred));
             const ucred ids = {pid, 0, 0};
             memcpy(CMSG_DATA(header), &ids, sizeof ids);
             return ErrorOf(sendmsg(fds[1], &message, 0));
           };
           return claim(1) + "," + claim(4000);
         }));
}
CASE(peer_credentials) {
  Record("inside", AsInit([] {
           int fds[2];
           if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0) return std::string("pair");
           ucred ids = {};
           socklen_t size = sizeof ids;
           if (getsockopt(fds[0], SOL_SOCKET, SO_PEERCRED, &ids, &size) < 0) return std::string();
           return Number(ids.pid);
         }));
}
CASE(locks_name_inner_numbers) {
  Record("inside", AsInit([] {
           const int fd = open("f", O_RDWR | O_CREAT, 0600);
           struct flock lock = {};
           lock.l_type = F_WRLCK;
           const pid_t child = fork();
           if (child == 0) {
             fcntl(fd, F_SETLK, &lock);
             while (true) pause();
           }
           SleepMs(100);
           fcntl(fd, F_GETLK, &lock);
           kill(child, SIGKILL);
           return Number(lock.l_pid) + "," + Number(child);
         }));
}
CASE(robust_list_by_inner_number) {
  Record("init", AsInit([] {
           int ready[2];
           pipe(ready);
           const pid_t child = fork();
           if (child == 0) {
             robust_list_head head = {{&head.list}, 0, nullptr};
             syscall(SYS_set_robust_list, &head, sizeof head);
             const robust_list_head* address = &head;
             (void)!write(ready[1], &address, sizeof address);
             while (true) pause();
           }
           robust_list_head *expected = nullptr, *found = nullptr;
           (void)!read(ready[0], &expected, sizeof expected);
           size_t size = 0;
           const long result = syscall(SYS_get_robust_list, child, &found, &size);
           const std::string text =
               ErrorOf(result) + (found == expected ? " same " : " other ") + Number(size);
           const std::string missing = ErrorOf(syscall(SYS_get_robust_list, 77, &found, &size));
           const std::string bad = ErrorOf(syscall(SYS_get_robust_list, child, nullptr, &size));
           kill(child, SIGKILL);
           return text + " missing " + missing + " bad " + bad;
         }));
}
