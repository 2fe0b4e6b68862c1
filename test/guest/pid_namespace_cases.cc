// PID namespaces: numbers at each level, init's rights and duties, /proc inside.
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "test/guest/cases.h"

using namespace guest;

namespace {
long Clone(unsigned long flags, pid_t* parent_tid = nullptr, pid_t* child_tid = nullptr) {
  return syscall(SYS_clone, flags | SIGCHLD, nullptr, parent_tid, child_tid, nullptr);
}
std::string WaitFor(long pid) {
  int status = 0;
  if (waitpid(static_cast<pid_t>(pid), &status, 0) < 0) return strerrorname_np(errno);
  return StatusText(status);
}
// What `body`, as init of a new pid namespace, sends as text.
std::string AsInit(const std::function<std::string()>& body) {
  int pipe_fds[2];
  MUST(pipe(pipe_fds));
  const long pid = Clone(CLONE_NEWPID);
  if (pid < 0) return strerrorname_np(errno);
  if (pid == 0) {
    close(pipe_fds[0]);
    const std::string text = body();
    (void)!write(pipe_fds[1], text.data(), text.size());
    _exit(0);
  }
  close(pipe_fds[1]);
  std::string text = Drain(pipe_fds[0]);
  close(pipe_fds[0]);
  return text + " " + WaitFor(pid);
}
std::string Number(long value) { return std::to_string(value); }
std::string ErrorOf(long result) { return result < 0 ? strerrorname_np(errno) : Number(result); }
std::string FieldOf(const std::string& path, const std::string& name) {
  const std::string text = "\n" + Content(path.c_str());
  const size_t at = text.find("\n" + name + ":\t");
  if (at == std::string::npos) return "absent " + text.substr(0, 20);
  const size_t start = at + name.size() + 3;
  return text.substr(start, text.find('\n', start) - start);
}
std::string Count(const std::string& text, char c) {
  int n = 0;
  for (char other : text) n += other == c;
  return Number(n);
}
bool MountProc() {
  return unshare(CLONE_NEWNS) == 0 &&
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("proc", "/proc", "proc", 0, nullptr) == 0;
}
}  // namespace

CASE(init_is_one) {
  Record("inside", AsInit([] {
           return Number(getpid()) + "," + Number(syscall(SYS_gettid)) + "," + Number(getppid()) +
                  "," + Number(getpgrp()) + "," + Number(getsid(0));
         }));
}
CASE(children_count_up) {
  Record("inside", AsInit([] {
           std::string text;
           for (int i = 0; i < 3; ++i) {
             const pid_t child = fork();
             if (child == 0) _exit(getpid() & 0xff);
             text += Number(child) + ":" + WaitFor(child) + " ";
           }
           return text;
         }));
}
CASE(parent_of_child_inside) {
  Record("inside", AsInit([] { return InChild([] { return getppid(); }); }));
}
CASE(parent_sees_outer_number) {
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) _exit(0);
  Record("outer", pid > 1);
  T(kill(static_cast<pid_t>(pid), 0));
  Record("end", WaitFor(pid));
}
CASE(set_tid_addresses) {
  pid_t parent_tid = 0;
  pid_t* shared = static_cast<pid_t*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  pid_t child_tid = 0;
  const long pid =
      Clone(CLONE_NEWPID | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, &parent_tid, &child_tid);
  if (pid == 0) {
    shared[0] = child_tid;
    _exit(0);
  }
  Record("end", WaitFor(pid));
  Record("parent", parent_tid == pid);
  Record("child", shared[0]);
}
CASE(set_tid_address_returns_own) {
  Record("inside", AsInit([] {
           static int word;
           return Number(syscall(SYS_set_tid_address, &word));
         }));
}
CASE(unshare_affects_children_only) {
  const pid_t before = getpid();
  T(unshare(CLONE_NEWPID));
  T(getpid() == before);
  T(unshare(CLONE_NEWPID));
  Record("first", InChild([] { return getpid(); }));
  T(fork());
}
CASE(unshare_second_child_is_two) {
  MUST(unshare(CLONE_NEWPID));
  const pid_t init = fork();
  if (init == 0) {
    while (true) pause();
  }
  Record("second", InChild([] { return getpid() * 10 + getppid(); }));
  kill(init, SIGKILL);
  Record("init", WaitFor(init));
  T(fork());
}
CASE(unshare_forbids_threads) {
  MUST(unshare(CLONE_NEWPID));
  T(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, nullptr, nullptr, nullptr,
            nullptr));
}
CASE(init_ignores_its_childrens_signals) {
  Record("inside", AsInit([] {
           const pid_t child = fork();
           if (child == 0) {
             const int a = kill(1, SIGTERM) < 0 ? errno : 0;
             const int b = kill(1, SIGKILL) < 0 ? errno : 0;
             const int c = kill(1, SIGSTOP) < 0 ? errno : 0;
             _exit(a + b + c);
           }
           return WaitFor(child) + " alive";
         }));
}
CASE(init_handles_signals_it_wants) {
  Record("inside", AsInit([] {
           static volatile sig_atomic_t got;
           signal(SIGUSR1, [](int) { got = 1; });
           InChild([] { return kill(1, SIGUSR1); });
           return Number(got);
         }));
}
CASE(init_killed_from_outside) {
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) {
    while (true) pause();
  }
  SleepMs(50);
  T(kill(static_cast<pid_t>(pid), SIGTERM));
  SleepMs(50);
  T(waitpid(static_cast<pid_t>(pid), nullptr, WNOHANG));
  T(kill(static_cast<pid_t>(pid), SIGKILL));
  Record("end", WaitFor(pid));
}
CASE(init_end_kills_all) {
  int pipe_fds[2];
  MUST(pipe(pipe_fds));
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) {
    close(pipe_fds[0]);
    for (int i = 0; i < 3; ++i) {
      if (fork() == 0) {
        while (true) pause();
      }
    }
    SleepMs(50);
    _exit(5);
  }
  close(pipe_fds[1]);
  // The end of file means that all who had the pipe are gone.
  Record("pipe", Drain(pipe_fds[0]));
  Record("end", WaitFor(pid));
  T(waitpid(-1, nullptr, WNOHANG));
}
CASE(orphans_go_to_inner_init) {
  Record("inside", AsInit([] {
           int pipe_fds[2];
           if (pipe(pipe_fds) < 0) return std::string("pipe");
           const pid_t middle = fork();
           if (middle == 0) {
             if (fork() == 0) {
               SleepMs(100);
               const std::string parent = Number(getppid());
               (void)!write(pipe_fds[1], parent.data(), parent.size());
               _exit(7);
             }
             _exit(0);
           }
           close(pipe_fds[1]);
           std::string text = WaitFor(middle) + " parent=" + Drain(pipe_fds[0]);
           return text + " " + WaitFor(-1);
         }));
}
CASE(kill_cannot_leave) {
  const pid_t outer = getpid();
  Record("inside", AsInit([outer] {
           std::string text = ErrorOf(kill(outer, 0));
           errno = 0;
           text += "," + ErrorOf(kill(-1, 0));
           return text;
         }));
}
CASE(kill_all_spares_outside) {
  Record("inside", AsInit([] {
           const pid_t child = fork();
           if (child == 0) {
             while (true) pause();
           }
           std::string text = ErrorOf(kill(-1, SIGKILL));
           return text + " " + WaitFor(child);
         }));
}
CASE(process_groups_inside) {
  Record("inside", AsInit([] {
           std::string text;
           text += ErrorOf(setsid());
           const pid_t child = fork();
           if (child == 0) {
             while (true) pause();
           }
           text += "," + ErrorOf(setpgid(child, child)) + "," + ErrorOf(getpgid(child)) + "," +
                   ErrorOf(getsid(child));
           text += "," + ErrorOf(kill(-child, SIGKILL));
           return text + " " + WaitFor(child);
         }));
}
CASE(group_from_outside_is_zero) {
  Record("inside", AsInit([] { return ErrorOf(getpgid(0)) + "," + ErrorOf(getsid(0)); }));
}
CASE(wait_by_inner_number) {
  Record("inside", AsInit([] {
           const pid_t child = fork();
           if (child == 0) _exit(3);
           siginfo_t info = {};
           std::string text = ErrorOf(waitid(P_PID, child, &info, WEXITED));
           return text + "," + Number(info.si_pid) + "," + Number(info.si_status) + "," +
                  ErrorOf(waitpid(child, nullptr, 0));
         }));
}
CASE(child_signal_has_inner_number) {
  Record("inside", AsInit([] {
           sigset_t set;
           sigemptyset(&set);
           sigaddset(&set, SIGCHLD);
           sigprocmask(SIG_BLOCK, &set, nullptr);
           const pid_t child = fork();
           if (child == 0) _exit(0);
           siginfo_t info = {};
           sigwaitinfo(&set, &info);
           return Number(info.si_pid) + "," + Number(child);
         }));
}
CASE(child_signal_of_init_has_outer_number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) _exit(0);
  siginfo_t info = {};
  sigwaitinfo(&set, &info);
  Record("same", info.si_pid == pid);
}
CASE(signal_from_outside_has_no_sender) {
  int ready[2], out[2];
  MUST(pipe(ready));
  MUST(pipe(out));
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    (void)!write(ready[1], "x", 1);
    siginfo_t info = {};
    sigwaitinfo(&set, &info);
    const std::string text = Number(info.si_pid) + "," + Number(info.si_code);
    (void)!write(out[1], text.data(), text.size());
    _exit(0);
  }
  char byte;
  (void)!read(ready[0], &byte, 1);
  T(kill(static_cast<pid_t>(pid), SIGUSR1));
  close(out[1]);
  Record("info", Drain(out[0]));
  Record("end", WaitFor(pid));
}
CASE(signal_inside_has_inner_sender) {
  Record("inside", AsInit([] {
           sigset_t set;
           sigemptyset(&set);
           sigaddset(&set, SIGUSR1);
           sigprocmask(SIG_BLOCK, &set, nullptr);
           InChild([] { return kill(1, SIGUSR1); });
           siginfo_t info = {};
           sigwaitinfo(&set, &info);
           return Number(info.si_pid);
         }));
}
CASE(nested_twice) {
  Record("inside", AsInit([] {
           const pid_t other = fork();
           if (other == 0) {
             while (true) pause();
           }
           const long inner = Clone(CLONE_NEWPID);
           if (inner == 0) _exit(getpid() * 10 + getppid());
           std::string text = Number(inner) + ":" + WaitFor(inner);
           kill(other, SIGKILL);
           return text;
         }));
}
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
CASE(limits_and_scheduling_by_inner_number) {
  Record("inside", AsInit([] {
           rlimit limit;
           return ErrorOf(prlimit(1, RLIMIT_NOFILE, nullptr, &limit)) + "," +
                  ErrorOf(prlimit(4000, RLIMIT_NOFILE, nullptr, &limit)) + "," +
                  ErrorOf(sched_getscheduler(1)) + "," + ErrorOf(sched_getscheduler(4000));
         }));
}
CASE(threads_inside) {
  Record("inside", AsInit([] {
           static volatile pid_t seen;
           static char stack[65536] __attribute__((aligned(16)));
           static volatile pid_t tid_word;
           const long tid = clone(
               [](void*) {
                 seen = static_cast<pid_t>(syscall(SYS_gettid));
                 return 0;
               },
               stack + sizeof stack,
               CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                   CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
               nullptr, &tid_word, nullptr, &tid_word);
           for (int i = 0; i < 1000 && tid_word != 0; ++i) SleepMs(1);
           return Number(tid) + "," + Number(seen) + "," + Number(tid_word);
         }));
}
CASE(exec_inside_keeps_number) {
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) {
    execl("/bin/sh", "sh", "-c", "exit $$", nullptr);
    _exit(99);
  }
  Record("end", WaitFor(pid));
}
CASE(shell_inside) {
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) {
    execl("/bin/sh", "sh", "-c", "(exit 3); a=$?; true & wait $!; exit $((a * 10 + $?))", nullptr);
    _exit(99);
  }
  Record("end", WaitFor(pid));
}
CASE(setns_into_child_namespace) {
  int ready[2];
  MUST(pipe(ready));
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) {
    (void)!write(ready[1], "x", 1);
    while (true) pause();
  }
  char byte;
  (void)!read(ready[0], &byte, 1);
  const int fd = open(("/proc/" + Number(pid) + "/ns/pid").c_str(), O_RDONLY);
  const int own = open("/proc/self/ns/pid", O_RDONLY);
  T(setns(fd, CLONE_NEWPID));
  Record("child", InChild([] { return getpid() * 10 + getppid(); }));
  T(setns(own, CLONE_NEWPID));
  Record("back", InChild([] { return getppid() > 1 ? 1 : 0; }));
  kill(static_cast<pid_t>(pid), SIGKILL);
  Record("end", WaitFor(pid));
  T(setns(fd, CLONE_NEWPID));
  T(fork());
}
CASE(pid_namespace_depth) {
  // One level fewer than allowed would be the first to work; only the error
  // at the end is asked for.
  const long pid = Clone(CLONE_NEWPID);
  if (pid == 0) {
    for (int level = 2; level < 40; ++level) {
      const long next = Clone(CLONE_NEWPID);
      if (next < 0) _exit(errno == ENOSPC ? 77 : errno);
      if (next > 0) {
        int status = 0;
        waitpid(static_cast<pid_t>(next), &status, 0);
        _exit(WEXITSTATUS(status));
      }
    }
    _exit(0);
  }
  Record("end", WaitFor(pid));
}
CASE(with_user_namespace) {
  BecomeUser(1000, 1000);
  const long pid = Clone(CLONE_NEWUSER | CLONE_NEWPID);
  if (pid == 0) _exit(getpid());
  Record("end", WaitFor(pid));
}
CASE(subreaper_does_not_cross) {
  MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
  Record("inside", AsInit([] {
           int pipe_fds[2];
           if (pipe(pipe_fds) < 0) return std::string("pipe");
           const pid_t middle = fork();
           if (middle == 0) {
             if (fork() == 0) {
               SleepMs(80);
               const std::string parent = Number(getppid());
               (void)!write(pipe_fds[1], parent.data(), parent.size());
               _exit(0);
             }
             _exit(0);
           }
           close(pipe_fds[1]);
           WaitFor(middle);
           return Drain(pipe_fds[0]);
         }));
  T(waitpid(-1, nullptr, WNOHANG));
}
