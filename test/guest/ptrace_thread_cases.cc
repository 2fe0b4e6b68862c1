// ptrace(2): which thread is the tracer, and what PTRACE_TRACEME asks of it.
#include <linux/capability.h>
#include <linux/ptrace.h>
#include <pthread.h>

#include "test/guest/ptracing.h"

using namespace guest;

namespace {

// A process that a thread has made, which asks to be traced and stops.
class TracingThread {
 public:
  // `body` runs in the thread once the child's stop is known, but has not been
  // waited for.
  explicit TracingThread(std::function<void(pid_t)> body) : body_(std::move(body)) {
    MUST(pipe(go_));
    MUST(pipe(ready_));
    if (pthread_create(&thread_, nullptr, Run, this) != 0) Broken("pthread_create");
    char byte;
    MUST(read(ready_[0], &byte, 1));
  }
  ~TracingThread() {
    if (!joined_) Finish();
  }
  pid_t child() const { return child_; }
  pid_t tid() const { return tid_; }
  // Lets the body run and waits for the thread's end.
  void Finish() {
    MUST(write(go_[1], "x", 1));
    pthread_join(thread_, nullptr);
    joined_ = true;
  }

 private:
  static void* Run(void* self) {
    static_cast<TracingThread*>(self)->InThread();
    return nullptr;
  }
  void InThread() {
    tid_ = gettid();
    child_ = fork();
    if (child_ == 0) {
      if (Ptrace(PTRACE_TRACEME, 0) != 0) _exit(99);
      raise(SIGSTOP);
      _exit(5);
    }
    siginfo_t info = {};
    syscall(SYS_waitid, P_PID, child_, &info, WSTOPPED | WNOWAIT | __WALL, nullptr);
    (void)!write(ready_[1], "x", 1);
    char byte;
    (void)!read(go_[0], &byte, 1);
    body_(child_);
  }

  const std::function<void(pid_t)> body_;
  int go_[2], ready_[2];
  pthread_t thread_;
  pid_t child_ = -1, tid_ = -1;
  bool joined_ = false;
};

}  // namespace
CASE(ptrace_traceme_is_traced_by_the_thread_that_forked) {
  std::string seen, end;
  TracingThread tracer([&](pid_t child) {
    seen = "cont=" + std::to_string(Ptrace(PTRACE_CONT, child));
    end = WaitText(child, __WALL | __WNOTHREAD);
  });
  Record("tracer",
         StatusField("TracerPid", std::to_string(tracer.child())) == std::to_string(tracer.tid())
             ? "thread"
             : "other");
  Record("without_thread", WaitText(tracer.child(), __WALL | __WNOTHREAD | WNOHANG));
  T(Ptrace(PTRACE_CONT, tracer.child()));
  T(Ptrace(PTRACE_PEEKDATA, tracer.child(), At(&g_word), At(&g_word)));
  Record("by_other_thread", WaitText(tracer.child(), __WALL));
  tracer.Finish();
  Record("thread", seen);
  Record("end", end);
}
CASE(ptrace_tracing_thread_waits_alone) {
  std::string stop, end;
  TracingThread tracer([&](pid_t child) {
    stop = WaitText(child, __WALL | __WNOTHREAD);
    Ptrace(PTRACE_CONT, child);
    siginfo_t info = {};
    syscall(SYS_waitid, P_PID, child, &info, WEXITED | WNOWAIT | __WALL, nullptr);
  });
  Record("before", WaitText(tracer.child(), __WALL | __WNOTHREAD | WNOHANG));
  tracer.Finish();
  Record("stop", stop);
  Record("end", WaitText(tracer.child(), __WALL));
}
CASE(ptrace_tracing_thread_ends) {
  // Its tracee goes on, and is passed on to another thread.
  std::string stop;
  TracingThread tracer([&](pid_t child) { stop = WaitText(child); });
  tracer.Finish();
  Record("stop", stop);
  Record("end", WaitText(tracer.child(), __WALL | __WNOTHREAD));
}
CASE(ptrace_traceme_after_the_thread_has_ended) {
  int go[2];
  MUST(pipe(go));
  struct Shared {
    int* go;
    pid_t child;
  } shared = {go, -1};
  pthread_t thread;
  if (pthread_create(
          &thread, nullptr,
          [](void* argument) -> void* {
            auto& shared = *static_cast<Shared*>(argument);
            shared.child = fork();
            if (shared.child != 0) return nullptr;
            char byte;
            (void)!read(shared.go[0], &byte, 1);
            if (Ptrace(PTRACE_TRACEME, 0) != 0) _exit(99);
            raise(SIGSTOP);
            _exit(5);
          },
          &shared) != 0) {
    Broken("pthread_create");
  }
  pthread_join(thread, nullptr);
  SleepMs(20);  // until the thread is gone for the kernel as well
  MUST(write(go[1], "x", 1));
  Record("stop", WaitText(shared.child, __WALL | __WNOTHREAD));
  T(Ptrace(PTRACE_CONT, shared.child));
  Record("end", WaitText(shared.child));
}
namespace {

// Whether a child may ask to be traced by a parent that keeps `kept` only.
void TraceMeByParentWith(uint64_t kept) {
  int go[2];
  MUST(pipe(go));
  const pid_t pid = fork();
  if (pid == 0) {
    char byte;
    (void)!read(go[0], &byte, 1);
    _exit(Ptrace(PTRACE_TRACEME, 0) == 0 ? 0 : errno);
  }
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  data[0].permitted = data[0].effective = static_cast<unsigned>(kept);
  MUST(syscall(SYS_capset, &header, data));
  MUST(write(go[1], "x", 1));
  Record("child", WaitText(pid));
}

}  // namespace
CASE(ptrace_traceme_by_more_than_the_parent_has) { TraceMeByParentWith(0); }
CASE(ptrace_traceme_of_a_parent_that_may_trace) {
  TraceMeByParentWith(uint64_t{1} << CAP_SYS_PTRACE);
}

// --- Threads of one memory
CASE(ptrace_writes_to_text_while_a_thread_runs) {
  static int pipes[2];
  MUST(pipe(pipes));
  const pid_t pid = fork();
  if (pid == 0) {
    pthread_t thread;
    const auto body = [](void*) -> void* {
      const pid_t tid = gettid();
      (void)!write(pipes[1], &tid, sizeof(tid));
      while (true) pause();
    };
    pthread_create(&thread, nullptr, body, nullptr);
    while (true) pause();
  }
  pid_t tid = 0;
  MUST(read(pipes[0], &tid, sizeof(tid)));
  T(Ptrace(PTRACE_SEIZE, pid));
  T(Ptrace(PTRACE_SEIZE, tid));
  const int memory = open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR);
  T(Ptrace(PTRACE_INTERRUPT, tid));
  Record("stop", WaitText(tid));
  T(pwrite(memory, "\xcc", 1, static_cast<off_t>(At(&Answer))));
  unsigned char byte = 0;
  T(pread(memory, &byte, 1, static_cast<off_t>(At(&Answer))));
  Record("byte", byte);
  kill(pid, SIGKILL);
  Record("thread", WaitText(tid));
  Record("end", WaitText(pid));
}
