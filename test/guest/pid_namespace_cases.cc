// Pid namespaces: init, numbers, orphans, nesting.
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "test/guest/pid_namespaces.h"

using namespace guest;

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
