// Programs for the platform's tests; argv[1] chooses one. Exit status 0 is
// success, anything else the line that failed (modulo 200, plus 1).
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                \
  do {                                                                  \
    if (!(condition)) {                                                 \
      fprintf(stderr, "line %d: %s errno %d\n", __LINE__, #condition, errno); \
      _exit(__LINE__ % 200 + 1);                                        \
    }                                                                   \
  } while (0)

enum { NOTHING = 1000, IN_STUB, BLOCK, RELEASE, BLOCKED, SIGNAL, NATIVE, KILL, FAULTS };

static int Plain(void) {
  for (long i = 0; i < 1000; ++i) CHECK(syscall(NOTHING, i) == i + 1);
  CHECK(getpid() == 1);
  CHECK(write(1, "hello\n", 6) == 6);
  CHECK(syscall(999) == -1 && errno == ENOSYS);
  return 0;
}

static int InStub(void) {
  double x = 1.5;
  for (long i = 0; i < 1000; ++i) {
    x *= 1.0001;
    CHECK(syscall(IN_STUB, i) == i + 1);
  }
  CHECK(x > 1.65 && x < 1.66);
  return 0;
}

static int Fork(void) {
  volatile int mine = 1;
  for (int i = 0; i < 20; ++i) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      mine = 2;
      CHECK(syscall(NOTHING, 5) == 6);
      CHECK(syscall(IN_STUB, 5) == 6);
      CHECK(getpid() != 1);
      _exit(40 + i);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 40 + i);
    CHECK(mine == 1);
  }
  return 0;
}

static int ManyForks(int count) {
  for (int i = 0; i < count; ++i) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) _exit(1);
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 1);
  }
  return 0;
}

static int WaitForDeath(void) {
  pid_t pid = fork();
  if (pid == 0) {
    for (;;) syscall(NOTHING, 1);
  }
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  return 0;
}

static int KillChild(void) {
  for (int i = 0; i < 50; ++i) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      for (;;) syscall(i % 2 ? IN_STUB : NOTHING, 1);
    }
    struct timespec moment = {0, 1000 * i};
    nanosleep(&moment, NULL);
    CHECK(syscall(KILL, pid) == 0);
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }
  return 0;
}

static int Processes(int count) {
  pid_t pids[1000];
  for (int i = 0; i < count; ++i) {
    pids[i] = fork();
    CHECK(pids[i] >= 0);
    if (pids[i] == 0) {
      CHECK(syscall(BLOCK, 1) == 2);
      _exit(7);
    }
  }
  while (syscall(BLOCKED) < count) sched_yield();
  CHECK(syscall(RELEASE) == count);
  for (int i = 0; i < count; ++i) {
    int status = 0;
    CHECK(waitpid(pids[i], &status, 0) == pids[i]);
    CHECK(WEXITSTATUS(status) == 7);
  }
  return 0;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;
static __thread int own;

static void* Count(void* argument) {
  own = (int)(long)argument;
  for (int i = 0; i < 200; ++i) {
    pthread_mutex_lock(&mutex);
    ++counter;
    pthread_mutex_unlock(&mutex);
    CHECK(syscall(NOTHING, i) == i + 1);
  }
  CHECK(own == (int)(long)argument);
  return argument;
}

static int Threads(void) {
  for (int round = 0; round < 5; ++round) {
    pthread_t threads[8];
    for (long i = 0; i < 8; ++i) CHECK(pthread_create(&threads[i], NULL, Count, (void*)i) == 0);
    for (long i = 0; i < 8; ++i) {
      void* result = NULL;
      CHECK(pthread_join(threads[i], &result) == 0);
      CHECK(result == (void*)i);
    }
  }
  CHECK(counter == 5 * 8 * 200);
  return 0;
}

static void* Block(void* argument) {
  CHECK(syscall(BLOCK, 1) == 2);
  return argument;
}

static int Blocked(int count) {
  static pthread_t threads[5000];
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  for (long i = 0; i < count; ++i) {
    CHECK(pthread_create(&threads[i], &attributes, Block, (void*)i) == 0);
  }
  while (syscall(BLOCKED) < count) sched_yield();
  for (long i = 0; i < 100; ++i) CHECK(syscall(NOTHING, i) == i + 1);
  CHECK(syscall(RELEASE) == count);
  for (long i = 0; i < count; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  return 0;
}

static int Vfork(void) {
  for (int i = 0; i < 20; ++i) {
    volatile int seen = 0;
    pid_t pid = vfork();
    CHECK(pid >= 0);
    if (pid == 0) {
      seen = 1;
      syscall(NOTHING, 1);
      _exit(3);
    }
    CHECK(seen == 1);
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WEXITSTATUS(status) == 3);
  }
  return 0;
}

static int ForkExec(int use_vfork) {
  for (int i = 0; i < 10; ++i) {
    pid_t pid = use_vfork ? vfork() : fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      char* arguments[] = {"guest", "exit", "55", NULL};
      execve("/guest", arguments, NULL);
      _exit(1);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 55);
  }
  return 0;
}

static void* ExecFromThread(void* argument) {
  char* arguments[] = {"guest", "exit", "56", NULL};
  execve("/guest", arguments, NULL);
  _exit(1);
}

static void* Spin(void* argument) {
  for (;;) syscall(NOTHING, 1);
  return NULL;
}

static int BusyProcesses(void) {
  for (int i = 0; i < 4; ++i) {
    if (fork() == 0) {
      pthread_t thread;
      pthread_create(&thread, NULL, Spin, NULL);
      pthread_create(&thread, NULL, Block, NULL);
      for (;;) syscall(IN_STUB, 1);
    }
  }
  for (;;) {
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    waitpid(pid, NULL, 0);
  }
}

static int ThreadExec(void) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, Block, NULL) == 0);
  CHECK(pthread_create(&thread, NULL, Spin, NULL) == 0);
  CHECK(pthread_create(&thread, NULL, ExecFromThread, NULL) == 0);
  for (;;) pause();
}

static volatile sig_atomic_t handled;
static void Handler(int signal) { handled = signal; }

static int SelfSignal(void) {
  signal(SIGUSR1, Handler);
  register double x asm("xmm5") = 3.25;
  asm volatile("" : "+x"(x));
  for (int i = 0; i < 100; ++i) {
    handled = 0;
    CHECK(syscall(SIGNAL, 1, SIGUSR1) == 0);
    CHECK(handled == SIGUSR1);
  }
  return 0;
}

static int started;
static void* Busy(void* argument) {
  __atomic_store_n(&started, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
  while (!handled) {
  }
  return NULL;
}

static int OtherSignal(void) {
  signal(SIGUSR1, Handler);
  for (int i = 0; i < 20; ++i) {
    handled = 0;
    started = 0;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, Busy, NULL) == 0);
    while (!__atomic_load_n(&started, __ATOMIC_ACQUIRE)) sched_yield();
    CHECK(syscall(SIGNAL, started, SIGUSR1) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(handled == SIGUSR1);
  }
  return 0;
}

static int FaultHandler(void) {
  signal(SIGSEGV, Handler);
  signal(SIGFPE, Handler);
  syscall(FAULTS, 3);
  uint64_t value = 1;
  // Three bytes: mov (%rax), %rax.
  asm volatile("xor %%eax, %%eax; mov (%%rax), %%rax" : "=a"(value)::"memory");
  CHECK(value == 0);
  syscall(FAULTS, 0);
  return 0;
}

static int Fault(void) {
  *(volatile int*)16 = 1;
  return 0;
}

static int MapFile(void) {
  for (int i = 0; i < 100; ++i) {
    char* p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 77, 0);
    CHECK(p != MAP_FAILED);
    CHECK(memcmp(p, "\177ELF", 4) == 0);
    CHECK(munmap(p, 4096) == 0);
  }
  char* p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, 77, 0);
  CHECK(p != MAP_FAILED);
  CHECK(mprotect(p, 4096, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
  return 0;
}

static int NativeMemory(void) {
  char* p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(p != MAP_FAILED);
  memset(p, 1, 1 << 20);
  CHECK(madvise(p, 1 << 20, MADV_DONTNEED) == 0);
  CHECK(p[4096] == 0);
  p = mremap(p, 1 << 20, 2 << 20, MREMAP_MAYMOVE);
  CHECK(p != MAP_FAILED);
  CHECK(mprotect(p, 4096, PROT_NONE) == 0);
  CHECK(munmap(p, 2 << 20) == 0);
  void* old = sbrk(1 << 20);
  CHECK(old != (void*)-1);
  memset(old, 1, 1 << 20);
  struct timespec moment = {0, 1000000};
  CHECK(nanosleep(&moment, NULL) == 0);
  return 0;
}

static int Sleepers(void) {
  // Interrupts a native futex wait; it must go on afterwards.
  signal(SIGUSR1, Handler);
  pthread_mutex_lock(&mutex);
  pthread_t thread;
  started = 0;
  CHECK(pthread_create(&thread, NULL, Count, (void*)0) == 0);
  struct timespec moment = {0, 20000000};
  nanosleep(&moment, NULL);
  for (int i = 0; i < 5; ++i) {
    CHECK(syscall(SIGNAL, 2, SIGUSR1) == 0);
    nanosleep(&moment, NULL);
    CHECK(handled == SIGUSR1);
    handled = 0;
  }
  pthread_mutex_unlock(&mutex);
  CHECK(pthread_join(thread, NULL) == 0);
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 2) return 250;
  const char* what = argv[1];
  int number = argc > 2 ? atoi(argv[2]) : 0;
  if (!strcmp(what, "exit")) return number;
  if (!strcmp(what, "plain")) return Plain();
  if (!strcmp(what, "in-stub")) return InStub();
  if (!strcmp(what, "fork")) return Fork();
  if (!strcmp(what, "many-forks")) return ManyForks(number);
  if (!strcmp(what, "wait-for-death")) return WaitForDeath();
  if (!strcmp(what, "kill-child")) return KillChild();
  if (!strcmp(what, "busy")) return BusyProcesses();
  if (!strcmp(what, "processes")) return Processes(number);
  if (!strcmp(what, "threads")) return Threads();
  if (!strcmp(what, "blocked")) return Blocked(number);
  if (!strcmp(what, "vfork")) return Vfork();
  if (!strcmp(what, "fork-exec")) return ForkExec(0);
  if (!strcmp(what, "vfork-exec")) return ForkExec(1);
  if (!strcmp(what, "thread-exec")) return ThreadExec();
  if (!strcmp(what, "self-signal")) return SelfSignal();
  if (!strcmp(what, "other-signal")) return OtherSignal();
  if (!strcmp(what, "fault-handler")) return FaultHandler();
  if (!strcmp(what, "fault")) return Fault();
  if (!strcmp(what, "map-file")) return MapFile();
  if (!strcmp(what, "native-memory")) return NativeMemory();
  if (!strcmp(what, "sleepers")) return Sleepers();
  return 251;
}
