// Attacks on the platform by application code. Each runs in a child process
// that is killed after a moment; the first process must not notice. Exit
// status 0: the platform still works.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

enum { NOTHING = 1000, IN_STUB, BLOCK, RELEASE, BLOCKED, SIGNAL, NATIVE, KILL, FAULTS };

// Microseconds for an attacker on a busy machine; those that end take less.
enum { kEnough = 2000000 };

#define IMAGE 0x7e2fffff0000ul
#define REGION 0x7e1000000000ul
#define REGION_SIZE (65536ul * 16384)
#define ENTER 30000
#define DONE 30001
#define SELF_TRAP 30002

static unsigned seed = 1;
static unsigned Random(void) { return seed = seed * 1103515245 + 12345, seed >> 8; }

static void Sleep(long us) {
  struct timespec time = {0, us * 1000};
  nanosleep(&time, NULL);
}

// In the image: syscall; test %rax,%rax; jz; pop %rbx; ret.
__attribute__((used)) static char* site;
static void FindSite(void) {
  for (char* p = (char*)IMAGE; p < (char*)IMAGE + 4000; ++p) {
    if (!memcmp(p, "\x0f\x05\x48\x85\xc0", 5) && !memcmp(p + 7, "\x5b\xc3", 2)) site = p;
  }
  if (site == NULL) _exit(98);
}

// A call whose instruction lies in the stub's image.
__attribute__((naked, noinline)) static long Jump(long number, long a, long b, long c, long d,
                                                  long e, long f) {
  asm("push %rbx; push %r12; mov site(%rip), %r12; mov %rdi, %rax; mov %rsi, %rdi; mov %rdx, %rsi;"
      "mov %rcx, %rdx; mov %r8, %r10; mov %r9, %r8; mov 24(%rsp), %r9;"
      "lea 1f(%rip), %rcx; push %rcx; push %rbx; jmp *%r12; 1: pop %r12; pop %rbx; ret");
}
#define STUB(n, a, b, c, d, e, f) \
  Jump((long)(n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static void JumpAnywhere(int offset) {
  unsigned long target = IMAGE + offset;
  unsigned long values[6];
  for (int i = 0; i < 6; ++i) {
    values[i] = Random() % 3 ? Random() : REGION + Random() % (4 * 65536);
  }
  asm volatile("jmp *%%rax" ::"a"(target), "D"(values[0]), "S"(values[1]), "d"(values[2]),
               "b"(values[3])
               : "memory");
}

static void EnterWithBadFrames(int i) {
  long frames[] = {0,
                   -1,
                   8,
                   REGION,
                   REGION + 4096,
                   REGION + 4096 - 8,
                   REGION + 65536 - 8,
                   REGION + 65536 - 304,
                   REGION + 65536 - 300,
                   REGION + 2 * 65536,
                   REGION + REGION_SIZE - 8,
                   (long)0x8000000000000000ul,
                   REGION + 32768};
  int signals[] = {0, 4, 5, 7, 8, 11, 16, 31, 9, 64, -1, 1 << 20};
  // A frame of nonsense where one is plausible.
  memset((void*)(REGION + 8192), 0xff, 65536 - 8192 - 4096);
  STUB(ENTER, frames[i % 13], signals[i / 13 % 12], i % 2 ? REGION + 5000 : -8, -1, Random(),
       Random());
  for (int k = 0; k < 10; ++k) syscall(NOTHING, k);
}

// A frame that boot accepts, with contents that it must not trust.
static void EnterWithPlausibleFrame(int i) {
  unsigned long context = REGION + 16384, fp = REGION + 32768;
  unsigned long* words = (unsigned long*)context;
  for (int k = 0; k < 38; ++k) words[k] = Random() * 0x100010001ul;
  words[28] = fp;
  unsigned* extended = (unsigned*)(fp + 464);
  unsigned sizes[] = {0, 512, 575, 576, 2696, 32000, 32763, 32764, 32768, 65536, 0x7fffffff, -1};
  extended[0] = 0x46505853;
  extended[1] = sizes[i % 12] + 4;
  extended[4] = sizes[i % 12];
  memset(extended + 2, 0xff, 8);
  int signals[] = {4, 5, 7, 8, 11, 16, 31};
  STUB(ENTER, context, signals[i / 12 % 7], context + 304, 0x1234567812345678, 0, 0);
  syscall(NOTHING, 1);
}

static void StrayMessages(int i) {
  switch (i % 10) {
    case 0:
      STUB(DONE, 1ul << 40, 0, 0, 0, 0, 0);
      break;
    case 1:
      STUB(DONE, -EAGAIN, 0, 0, 0, 0, 0);
      break;
    case 2:  // a region for a token
      STUB(SYS_mmap, REGION, REGION_SIZE, 3, MAP_SHARED | MAP_FIXED, 3ul | (long)Random() << 32, 0);
      break;
    case 3:  // a region as after exec
      STUB(SYS_mmap, REGION, REGION_SIZE, 3, MAP_SHARED | MAP_FIXED, 3, 0);
      break;
    case 4:
      STUB(SYS_execveat, 3, "", NULL, NULL, AT_EMPTY_PATH, 0);
      break;
    case 5:
      STUB(SYS_exit, 0, 0, 0, 0, 0, 0);
      break;
    case 6:
      STUB(SELF_TRAP, 0, 0, 0, 0, 0, 0);
      break;
    case 7:
      syscall(ENTER, REGION + 8192, 31, 0, 0, 0, 0);
      break;
    case 8:  // a file mapping by the stub's instruction
      STUB(SYS_mmap, 0, 4096, 1, MAP_PRIVATE, 0, 0);
      break;
    case 9:
      STUB(SYS_openat, AT_FDCWD, "/", O_RDONLY, 0, 0, 0);
      break;
  }
  for (int k = 0; k < 10; ++k) syscall(NOTHING, k);
}

static void HiddenClone(int i) {
  unsigned long flags[] = {SIGCHLD, CLONE_VM | SIGCHLD, SIGCHLD | CLONE_PARENT_SETTID};
  long stack = 0;
  static char area[65536];
  if (flags[i % 3] & CLONE_VM) stack = (long)(area + 32768);
  // The child goes on in the stub with whatever it finds.
  STUB(SYS_clone, flags[i % 3], stack, area, 0, 0, 0);
  // So does a child that asks to be somebody.
  if (i % 2) STUB(ENTER, REGION + 16384, 0, 0, 0, Random(), 77);
  syscall(NOTHING, 1);
}

static void* Scribble(void* argument) {
  for (;;) {
    unsigned long* p = (unsigned long*)(REGION + Random() % (6 * 65536 / 8) * 8);
    *p = Random() % 2 ? Random() : REGION + Random() % (6 * 65536);
  }
  return NULL;
}

static void ScribbleWhileWorking(int i) {
  pthread_t thread;
  pthread_create(&thread, NULL, Scribble, NULL);
  for (int k = 0; k < 1000; ++k) {
    if (k % 3 == 0) syscall(IN_STUB, k);
    if (k % 7 == 0 && fork() == 0) _exit(0);
    if (k % 50 == 49) {
      char* arguments[] = {"attacker", "nothing", NULL};
      if (vfork() == 0) execve("/x", arguments, NULL);
    }
    syscall(NATIVE, SYS_sched_yield, 0, 0, 0, 0);
  }
}

static void OverwriteControl(int i) {
  memset((void*)REGION, i % 2 ? 0xff : Random(), 4096);
  syscall(IN_STUB, 1);
  fork();
  syscall(NATIVE, SYS_sched_yield, 0, 0, 0, 0);
  memset((void*)REGION, 0, 65536);
  syscall(IN_STUB, 1);
}

static void RemoveStub(int i) {
  switch (i % 4) {
    case 0:
      syscall(NATIVE, SYS_munmap, IMAGE, 0x10000, 0, 0);
      break;
    case 1:
      syscall(NATIVE, SYS_munmap, REGION, REGION_SIZE, 0, 0);
      break;
    case 2:
      syscall(NATIVE, SYS_mprotect, REGION, REGION_SIZE, PROT_READ, 0);
      break;
    case 3:
      munmap((void*)IMAGE, 0x10000);
      munmap((void*)REGION, REGION_SIZE);
      break;
  }
  syscall(IN_STUB, 1);
  fork();
  syscall(NOTHING, 1);
}

static void RewriteStub(int i) {
  syscall(NATIVE, SYS_mprotect, IMAGE, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC, 0);
  for (int k = 0; k < 200; ++k) {
    ((char*)IMAGE)[Random() % 0x900] = Random();
    syscall(IN_STUB, 1);
    if (k % 10 == 0) syscall(NATIVE, SYS_sched_yield, 0, 0, 0, 0);
    if (k % 20 == 0) fork();
  }
}

static void* Park(void* argument) {
  syscall(BLOCK, 1);
  syscall(NOTHING, 1);
  return NULL;
}

// Threads that sleep in the stub are let out by forging their pages.
static void WakeParked(int i) {
  pthread_t thread;
  for (int k = 0; k < 40; ++k) pthread_create(&thread, NULL, Park, NULL);
  Sleep(5000);
  for (int k = 0; k < 42; ++k) {
    unsigned* wake = (unsigned*)(REGION + k * 65536ul);
    ((long*)wake)[1] = Random() % 9;
    wake[0] = Random();
    syscall(SYS_futex, wake, 1, 1, NULL, NULL, 0);
  }
  for (int k = 0; k < 10; ++k) syscall(NOTHING, k);
}

typedef void (*Attack)(int);

static int Run(Attack attack, int count, int start, int step, long patience) {
  for (int i = 0; i < count; ++i) {
    seed = (unsigned)(start + i) * 7919 + 1;
    pid_t pid = fork();
    if (pid < 0) return 1;
    if (pid == 0) {
      attack(start + i * step);
      _exit(99);
    }
    // Most attackers die of what they do.
    int status = 0;
    pid_t ended = 0;
    for (long waited = 0; waited < patience && ended == 0; waited += 300) {
      Sleep(300);
      ended = waitpid(pid, &status, WNOHANG);
    }
    if (ended == 0) {
      syscall(KILL, pid);
      ended = waitpid(pid, &status, 0);
    }
    if (ended != pid) return 2;
    if (syscall(NOTHING, i) != i + 1) return 3;
    if (syscall(IN_STUB, i) != i + 1) return 4;
  }
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 2) return 250;
  FindSite();
  const char* what = argv[1];
  int start = argc > 2 ? atoi(argv[2]) : 0;
  int count = argc > 3 ? atoi(argv[3]) : 1;
  if (!strcmp(what, "nothing")) return 0;
  if (!strcmp(what, "jump")) return Run(JumpAnywhere, count, start, 1, 300);
  if (!strcmp(what, "bad-frames")) return Run(EnterWithBadFrames, count, start, 1, kEnough);
  if (!strcmp(what, "plausible-frames"))
    return Run(EnterWithPlausibleFrame, count, start, 1, kEnough);
  if (!strcmp(what, "stray")) return Run(StrayMessages, count, start, 1, kEnough);
  if (!strcmp(what, "hidden-clone")) return Run(HiddenClone, count, start, 1, kEnough);
  if (!strcmp(what, "scribble")) return Run(ScribbleWhileWorking, count, start, 1, kEnough);
  if (!strcmp(what, "control")) return Run(OverwriteControl, count, start, 1, kEnough);
  if (!strcmp(what, "remove")) return Run(RemoveStub, count, start, 1, kEnough);
  if (!strcmp(what, "rewrite")) return Run(RewriteStub, count, start, 1, kEnough);
  if (!strcmp(what, "wake-parked")) return Run(WakeParked, count, start, 1, kEnough / 2);
  return 251;
}
