// Measures the platform's primitives from inside. argv[1]: "bench" under the
// platform, "native" on the host (the cases that exist there), "nothing".
#define _GNU_SOURCE
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

enum { NOTHING = 1000, IN_STUB, BLOCK, RELEASE, BLOCKED, SIGNAL, NATIVE, KILL, FAULTS, WORK };

static int native;
static char* self;

static uint64_t Now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int Compare(const void* a, const void* b) {
  uint64_t x = *(uint64_t*)a, y = *(uint64_t*)b;
  return x < y ? -1 : x > y;
}

static const char* only;

static void Measure(const char* name, int count, void (*run)(void)) {
  if (only != NULL && strncmp(name, only, strlen(only)) != 0) return;
  static uint64_t values[10000];
  for (int i = 0; i < count / 10 + 1; ++i) run();
  for (int i = 0; i < count; ++i) {
    uint64_t start = Now();
    run();
    values[i] = Now() - start;
  }
  qsort(values, count, sizeof *values, Compare);
  char line[128];
  int size = snprintf(line, sizeof line, "%-44s %9.2f %9.2f\n", name, values[0] / 1000.0,
                      values[count / 2] / 1000.0);
  write(1, line, size);
}

static void Nothing(void) { native ? syscall(SYS_getppid) : syscall(NOTHING, 1); }
static void InStub(void) { syscall(IN_STUB, 1); }
static void Trap(void) { syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNET, 0, 0, 0, 0); }
static void RunNative(void) { syscall(NATIVE, SYS_sched_yield, 0, 0, 0, 0); }
static void Yield(void) { sched_yield(); }
static int file = 77;
static void MapFile(void) {
  char* p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
  munmap(p, 4096);
}
static void MapAnonymous(void) {
  char* p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *p = 1;
  munmap(p, 4096);
}
static void Fork(void) {
  int status;
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  waitpid(pid, &status, 0);
}
static void Vfork(void) {
  int status;
  pid_t pid = vfork();
  if (pid == 0) _exit(0);
  waitpid(pid, &status, 0);
}
static void VforkExec(void) {
  int status;
  pid_t pid = vfork();
  if (pid == 0) {
    char* arguments[] = {self, "nothing", NULL};
    execve(self, arguments, NULL);
    _exit(1);
  }
  waitpid(pid, &status, 0);
}
static void* Thread(void* argument) { return argument; }
static void CreateJoin(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, Thread, NULL);
  pthread_join(thread, NULL);
}
static long work;
static void* Caller(void* argument) {
  for (int i = 0; i < 20000; ++i) syscall(WORK, work);
  return NULL;
}
// Per call, over all threads.
static void Throughput(const char* name, int count, long ns) {
  if (only != NULL && strncmp(name, only, strlen(only)) != 0) return;
  pthread_t threads[8];
  work = ns;
  uint64_t start = Now();
  for (int i = 0; i < count; ++i) pthread_create(&threads[i], NULL, Caller, NULL);
  for (int i = 0; i < count; ++i) pthread_join(threads[i], NULL);
  char line[128];
  int size = snprintf(line, sizeof line, "%-44s %19.2f\n", name,
                      (Now() - start) / 1000.0 / 20000 / count);
  write(1, line, size);
}
static void Handler(int signal) {}
static void Signal(void) {
  if (native) {
    raise(SIGUSR1);
  } else {
    syscall(SIGNAL, 1, SIGUSR1);
  }
}

int main(int argc, char** argv) {
  if (argc < 2 || !strcmp(argv[1], "nothing")) return 0;
  native = !strcmp(argv[1], "native");
  self = argc > 2 ? argv[2] : "/guest";
  only = argc > 3 ? argv[3] : NULL;
  signal(SIGUSR1, Handler);
  if (native) file = 0;
  Measure(native ? "getppid" : "notified call", 5000, Nothing);
  if (!native) Measure("trapped call", 3000, Trap);
  if (!native) Measure("notified call finished in the stub", 3000, InStub);
  if (!native) Measure("the same with one native call by the stub", 3000, RunNative);
  Measure("sched_yield", 3000, Yield);
  Measure("mmap, touch, munmap of 4 KiB", 3000, MapAnonymous);
  Measure("mmap, munmap of a file", 3000, MapFile);
  Measure("signal to oneself and back", 3000, Signal);
  Measure("thread create and join", 1000, CreateJoin);
  Measure("fork, exit, wait", 500, Fork);
  Measure("vfork, exit, wait", 500, Vfork);
  Measure("vfork, exec, exit, wait (static program)", 300, VforkExec);
  if (!native) {
    Throughput("throughput, 1 thread", 1, 0);
    Throughput("throughput, 2 threads", 2, 0);
    Throughput("throughput, 4 threads", 4, 0);
    Throughput("throughput, 1 thread, 5 us of work", 1, 5000);
    Throughput("throughput, 2 threads, 5 us of work", 2, 5000);
    Throughput("throughput, 4 threads, 5 us of work", 4, 5000);
  }
  return 0;
}
