// ptrace(2): PTRACE_EVENT_EXIT of tasks that others end, and the order in which
// the ends of a process's threads are seen.
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <vector>

#include "test/guest/ptracing.h"

using namespace guest;

namespace {

constexpr unsigned long kOptions = PTRACE_O_TRACEEXIT | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
constexpr int kThreads = 2;

std::atomic<int> g_ready;
bool g_spins = false;

void* Stay(void* spins) {
  ++g_ready;
  while (spins != nullptr) {
  }
  while (true) pause();
}

// A traced process: its leader runs `body` when two threads are there, the second
// of which runs its own code all the time if `g_spins`.
pid_t Crowd(const std::function<int()>& body, unsigned long options = kOptions) {
  const pid_t pid = Traced([&] {
    for (int i = 0; i < kThreads; ++i) {
      pthread_t thread;
      const bool spins = g_spins && i == 1;
      pthread_create(&thread, nullptr, Stay, spins ? &thread : nullptr);
    }
    while (g_ready < kThreads) SleepMs(1);
    SleepMs(20);
    return body();
  });
  MUST(Ptrace(PTRACE_SETOPTIONS, pid, 0, options));
  MUST(Ptrace(PTRACE_CONT, pid));
  return pid;
}

// What a tracer sees of one of the tasks.
using Log = std::map<pid_t, std::string>;

std::string Seen(pid_t tid, int status) {
  if (!WIFSTOPPED(status)) return StatusText(status);
  const int event = status >> 16;
  if (event == 0) return "stopped " + std::to_string(WSTOPSIG(status));
  std::string text = "event " + std::to_string(event);
  unsigned long message = 0;
  if (event == PTRACE_EVENT_EXIT && Ptrace(PTRACE_GETEVENTMSG, tid, 0, At(&message)) == 0) {
    text += " of " + StatusText(static_cast<int>(message));
  }
  return text;
}

// Lets everything go on until all has ended; signals are passed on. The last
// word is that of the leader.
Log Follow() {
  Log log;
  pid_t last = 0;
  while (true) {
    int status = 0;
    const pid_t tid = waitpid(-1, &status, __WALL);
    if (tid < 0) break;
    last = tid;
    log[tid] += (log[tid].empty() ? "" : ", ") + Seen(tid, status);
    if (!WIFSTOPPED(status)) continue;
    const int signo = WSTOPSIG(status);
    const bool passes = status >> 16 == 0 && signo != SIGSTOP && signo != SIGTRAP;
    Ptrace(PTRACE_CONT, tid, 0, passes ? static_cast<unsigned long>(signo) : 0);
  }
  if (last != log.begin()->first) log[log.begin()->first] += ", not last";
  return log;
}

void RecordLog(const Log& log) {
  std::vector<std::string> threads;
  for (const auto& [tid, text] : log) threads.push_back(text);
  Record("leader", threads.front());
  // Which of them is stopped first is chance.
  std::sort(threads.begin() + 1, threads.end());
  for (size_t i = 1; i < threads.size(); ++i) Record("thread", threads[i]);
}

void ShowEnd(const std::function<int()>& body, unsigned long options = kOptions) {
  Crowd(body, options);
  RecordLog(Follow());
}

int Execute() {
  char* args[] = {const_cast<char*>("/bin/true"), nullptr};
  execv(args[0], args);
  return 99;
}

}  // namespace

CASE(by_exec_of_the_leader) { ShowEnd(Execute); }
CASE(by_exec_without_the_event) { ShowEnd(Execute, PTRACE_O_TRACECLONE); }
CASE(by_exec_of_a_thread) {
  const pid_t pid = Traced([] {
    pthread_t thread;
    pthread_create(&thread, nullptr, Stay, nullptr);
    while (g_ready < 1) SleepMs(1);
    pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
          SleepMs(20);
          Execute();
          return nullptr;
        },
        nullptr);
    while (true) pause();
    return 0;
  });
  MUST(Ptrace(PTRACE_SETOPTIONS, pid, 0, kOptions));
  MUST(Ptrace(PTRACE_CONT, pid));
  RecordLog(Follow());
}
CASE(by_exit_group) {
  ShowEnd([] {
    _exit(5);
    return 0;
  });
}
CASE(by_exit_group_while_one_computes) {
  g_spins = true;
  ShowEnd([] {
    _exit(5);
    return 0;
  });
}
CASE(by_sigkill) {
  ShowEnd([] { return kill(getpid(), SIGKILL); });
}
CASE(by_a_fatal_signal) {
  ShowEnd([] { return kill(getpid(), SIGTERM); });
}
CASE(by_a_fault) {
  ShowEnd([] {
    *static_cast<volatile int*>(BadPointer()) = 1;
    return 0;
  });
}
CASE(without_the_event) {
  ShowEnd([] { return 6; }, PTRACE_O_TRACECLONE);
}
CASE(memory_and_registers_at_the_end) {
  const pid_t pid = Traced([] {
    g_word = 99;
    syscall(SYS_pause);
    return 0;
  });
  MUST(Ptrace(PTRACE_SETOPTIONS, pid, 0, kOptions));
  MUST(Ptrace(PTRACE_CONT, pid));
  SleepMs(20);
  MUST(kill(pid, SIGKILL));
  Record("stop", WaitText(pid));
  long word = 0;
  T(Ptrace(PTRACE_PEEKDATA, pid, At(&g_word), At(&word)));
  Record("word", word);
  const user_regs_struct registers = Registers(pid);
  Record("call", static_cast<long long>(registers.orig_rax));
  Record("rax", static_cast<long long>(registers.rax));
  T(Ptrace(PTRACE_CONT, pid));
  Record("end", WaitText(pid));
}
CASE(a_stopped_tracee_is_killed) {
  const pid_t pid = Traced([] { return 0; });
  MUST(Ptrace(PTRACE_SETOPTIONS, pid, 0, kOptions));
  MUST(kill(pid, SIGKILL));
  Record("stop", WaitText(pid));
  // The process is about to end: more of it changes nothing.
  MUST(kill(pid, SIGKILL));
  SleepMs(20);
  Record("again", WaitText(pid, __WALL | WNOHANG));
  T(Ptrace(PTRACE_DETACH, pid));
  Record("end", WaitText(pid));
}
CASE(killed_while_it_exits) {
  const pid_t pid = Crowd([] {
    syscall(SYS_exit, 3);
    return 0;
  });
  std::string stop;
  while (stop.rfind("event 6", 0) != 0) {
    int status = 0;
    const pid_t tid = waitpid(-1, &status, __WALL);
    stop = Seen(tid, status);
    if (tid == pid && stop.rfind("event 6", 0) == 0) break;
    Ptrace(PTRACE_CONT, tid);
  }
  Record("stop", stop);
  MUST(kill(pid, SIGKILL));
  RecordLog(Follow());
}
CASE(a_tracer_ends_while_they_are_stopped) {
  int ready[2];
  MUST(pipe(ready));
  const pid_t tracer = fork();
  if (tracer == 0) {
    const pid_t pid = Crowd([] { return 7; });
    for (int ends = 0; ends <= kThreads;) {
      int status = 0;
      const pid_t tid = waitpid(-1, &status, __WALL);
      if (WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_EXIT) {
        ++ends;
      } else {
        Ptrace(PTRACE_CONT, tid);
      }
    }
    (void)!write(ready[1], &pid, sizeof(pid));
    _exit(0);
  }
  pid_t pid = 0;
  MUST(read(ready[0], &pid, sizeof(pid)));
  Record("tracer", WaitText(tracer));
  while (kill(pid, 0) == 0) SleepMs(1);
  Record("gone", strerrorname_np(errno));
}
CASE(exec_waits_for_its_threads_to_be_waited_for) {
  const pid_t pid = Crowd(Execute, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC);
  int threads = 0;
  std::vector<pid_t> tids;
  while (threads < 2 * kThreads) {
    int status = 0;
    const pid_t tid = waitpid(-1, &status, __WALL);
    ++threads;
    if (tid != pid) tids.push_back(tid);
    Ptrace(PTRACE_CONT, tid);
  }
  SleepMs(100);
  Record("before", WaitText(pid, __WALL | WNOHANG));
  for (pid_t tid : tids) Record("thread", WaitText(tid));
  Record("after", WaitText(pid));
  T(Ptrace(PTRACE_CONT, pid));
  Record("end", WaitText(pid));
}
CASE(a_process_ends_after_its_threads) {
  const pid_t pid = Crowd([] { return 8; }, PTRACE_O_TRACECLONE);
  std::vector<pid_t> tids;
  for (int stops = 0; stops < 2 * kThreads; ++stops) {
    int status = 0;
    const pid_t tid = waitpid(-1, &status, __WALL);
    if (tid != pid) tids.push_back(tid);
    Ptrace(PTRACE_CONT, tid);
  }
  SleepMs(100);
  Record("before", WaitText(pid, __WALL | WNOHANG));
  for (pid_t tid : tids) Record("thread", WaitText(tid));
  Record("after", WaitText(pid));
}
