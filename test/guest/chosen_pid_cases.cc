// clone3(2) with set_tid: processes and threads whose numbers their maker chooses.
#include <linux/capability.h>

#include <vector>

#include "test/guest/cloning.h"
#include "test/guest/pid_namespaces.h"
#include "test/guest/time_namespaces.h"

using namespace guest;

namespace {

Clone3 Choosing(const std::vector<pid_t>& pids, uint64_t flags = 0) {
  Clone3 args;
  args.flags = flags;
  args.exit_signal = SIGCHLD;
  args.set_tid = reinterpret_cast<uint64_t>(pids.data());
  args.set_tid_size = pids.size();
  return args;
}
// Makes a child that ends at once: its number, or the error.
std::string Made(const std::vector<pid_t>& pids, uint64_t flags = 0) {
  Clone3 args = Choosing(pids, flags);
  const long child = DoClone3(args);
  if (child == 0) _exit(getpid() % 100);
  return child < 0 ? strerrorname_np(errno) : Number(child) + "/" + WaitFor(child);
}
void KeepOnly(int capability) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  data[capability / 32].permitted = data[capability / 32].effective = 1u << capability % 32;
  MUST(syscall(SYS_capset, &header, data));
}
std::string AsUser(const std::function<std::string()>& body) {
  return AsInit([&] {
    BecomeUser(1000, 1000);
    return body();
  });
}

}  // namespace

CASE(chosen_number) {
  Record("inside", AsInit([] { return Made({77}) + " " + Made({4000}) + " " + Made({3}); }));
}
CASE(chosen_number_is_free_again) {
  Record("inside", AsInit([] { return Made({50}) + " " + Made({50}); }));
}
CASE(chosen_numbers_do_not_move_the_next) {
  Record("inside", AsInit([] {
           std::string text = Made({500});
           for (int i = 0; i < 2; ++i) text += " " + InChild([] { return getpid(); });
           return text;
         }));
}
CASE(numbers_in_use) {
  Record("inside", AsInit([] {
           const pid_t child = fork();
           if (child == 0) {
             pause();
             _exit(0);
           }
           const std::string text = Made({child}) + " " + Made({1}) + " " + Made({getpid()});
           kill(child, SIGKILL);
           siginfo_t info;
           waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
           const std::string zombie = Made({child});
           const std::string end = WaitFor(child);
           return text + " zombie " + zombie + " " + end + " " + Made({child});
         }));
}
CASE(number_of_a_session_in_use) {
  Record("inside", AsInit([] {
           int p[2];
           MUST(pipe(p));
           const pid_t leader = fork();
           if (leader == 0) {
             setsid();
             if (fork() == 0) {
               pause();
               _exit(0);
             }
             _exit(0);
           }
           const std::string end = WaitFor(leader);
           return end + " " + Made({leader});
         }));
}
CASE(numbers_out_of_range) {
  Record("inside", AsInit([] {
           return Made({0}) + " " + Made({-1}) + " " + Made({1 << 22}) + " " + Made({INT32_MAX}) +
                  " " + Made({(1 << 22) - 1}).substr(0, 7);
         }));
}
CASE(first_number_of_a_namespace) {
  Record("not_one", Made({5}, CLONE_NEWPID));
  Record("one", [] {
    Clone3 args = Choosing({1}, CLONE_NEWPID);
    const std::vector<pid_t> pids = {1};
    args.set_tid = reinterpret_cast<uint64_t>(pids.data());
    const long child = DoClone3(args);
    if (child == 0) _exit(getpid());
    return child < 0 ? std::string(strerrorname_np(errno)) : WaitFor(child);
  }());
  Record("after_unshare", Said([] {
           MUST(unshare(CLONE_NEWPID));
           const std::string refused = Made({9});
           const std::vector<pid_t> pids = {1};
           Clone3 args = Choosing(pids);
           const long child = DoClone3(args);
           if (child == 0) {
             _exit(InChild([] { return getpid(); }) == "exit 2" ? 2 : 3);
           }
           return refused + " " + WaitFor(child);
         }));
}
CASE(numbers_of_two_levels) {
  Record("inside", AsInit([] {
           const std::vector<pid_t> pids = {1, 60};
           Clone3 args = Choosing(pids, CLONE_NEWPID);
           const long child = DoClone3(args);
           if (child == 0) _exit(getpid() * 10 + getppid());
           const std::string outer = Number(child) + "/" + WaitFor(child);
           return outer + " " + Made({2, 60}, CLONE_NEWPID) + " " + Made({1, 1}, CLONE_NEWPID) +
                  " " + Made({1, 0}, CLONE_NEWPID);
         }));
}
CASE(status_shows_chosen_numbers) {
  Record("inside", AsInit([] {
           if (!MountProc()) return std::string("no proc");
           const std::vector<pid_t> pids = {1, 60};
           Clone3 args = Choosing(pids, CLONE_NEWPID);
           const long child = DoClone3(args);
           if (child == 0) {
             pause();
             _exit(0);
           }
           const std::string numbers = FieldOf("/proc/60/status", "NSpid");
           kill(60, SIGKILL);
           return numbers + " " + WaitFor(child);
         }));
}
CASE(threads_with_chosen_numbers) {
  Record("inside", AsInit([] {
           alignas(16) static char stack[16384];
           static std::atomic<int> seen;
           const std::vector<pid_t> pids = {321};
           Clone3 args = Choosing(pids, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                            CLONE_THREAD | CLONE_SYSVSEM);
           args.exit_signal = 0;
           args.stack = reinterpret_cast<uint64_t>(stack);
           args.stack_size = sizeof stack;
           // The thread has no frame to return to.
           long result;
           register std::atomic<int>* number asm("r12") = &seen;
           asm volatile(
               "syscall\n"
               "test %%rax, %%rax\n"
               "jnz 1f\n"
               "mov $186, %%eax\n"
               "syscall\n"
               "mov %%eax, (%%r12)\n"
               "xor %%edi, %%edi\n"
               "mov $60, %%eax\n"
               "syscall\n"
               "1:"
               : "=a"(result)
               : "a"(SYS_clone3), "D"(&args), "S"(sizeof args), "r"(number)
               : "rcx", "r11", "memory");
           while (result > 0 && seen == 0) SleepMs(1);
           if (result < 0) return std::string(strerrorname_np(static_cast<int>(-result)));
           return Number(result) + " " + Number(seen) + " " + Made({321}).substr(0, 6);
         }));
}
CASE(without_privilege) {
  Record("user", AsUser([] { return Made({70}) + " " + Made({0}) + " " + Made({2, 2, 2, 2, 2}); }));
}
CASE(with_one_capability) {
  for (int capability : {CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, CAP_KILL}) {
    Record("capability", AsInit([&] {
             KeepOnly(capability);
             return Made({70});
           }));
  }
}
CASE(in_a_user_namespace) {
  Record("inside", Said([] {
           EnterMapped();
           return AsInit([] { return Made({70}); });
         }));
  Record("outer_namespace", Said([] {
           return AsInit([] {
             EnterMapped();
             const std::vector<pid_t> pids = {1, 80};
             return Made({70}) + " " + Made(pids, CLONE_NEWPID) + " " + Made({1}, CLONE_NEWPID);
           });
         }));
}
