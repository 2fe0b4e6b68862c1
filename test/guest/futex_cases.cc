// Futexes: every operation, priority inheritance, robust lists, several words,
// between processes, and mixed with signals and time-outs.
#include <linux/futex.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <atomic>
#include <thread>
#include <vector>

#include "test/guest/cases.h"

using namespace guest;

namespace {
constexpr long kWaitv = 449, kWake2 = 454, kWait2 = 455, kRequeue2 = 456;
constexpr unsigned kSize32 = 2, kPrivate2 = 128;
struct Waitv {
  unsigned long value;
  unsigned long address;
  unsigned flags;
  unsigned reserved;
};

long Futex(void* word, int operation, unsigned long value, const void* timeout = nullptr,
           void* second = nullptr, unsigned last = 0) {
  return syscall(SYS_futex, word, operation, value, timeout, second, last);
}
unsigned long Number(unsigned long value) { return value; }
const void* AsTimeout(unsigned long value) { return reinterpret_cast<const void*>(value); }
unsigned Tid() { return static_cast<unsigned>(syscall(SYS_gettid)); }
template <typename T>
T* Shared(size_t count = 1) {
  return static_cast<T*>(
      mmap(nullptr, sizeof(T) * count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}
timespec In(clockid_t clock, int milliseconds) {
  timespec time;
  clock_gettime(clock, &time);
  time.tv_nsec += milliseconds * 1000000L;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}
}  // namespace

CASE(futex_unknown_operations) {
  unsigned word = 0;
  for (const int op : {2, 14, 15, 100, 127}) T(Futex(&word, op, 0));
  T(Futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1));
  const timespec none = {0, 0};
  T(Futex(&word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, &none));
}
CASE(futex_wake_counts) {
  std::atomic<unsigned> word{0};
  std::atomic<int> woken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; i++) {
    threads.emplace_back([&] {
      Futex(&word, FUTEX_WAIT_PRIVATE, 0);
      woken++;
    });
  }
  SleepMs(100);
  T(Futex(&word, FUTEX_WAKE_PRIVATE, 2));
  SleepMs(50);
  Record("woken", woken);
  T(Futex(&word, FUTEX_WAKE_PRIVATE, 100));
  for (std::thread& thread : threads) thread.join();
  T(Futex(&word, FUTEX_WAKE_PRIVATE, 100));
}
CASE(futex_bitset_selects) {
  std::atomic<unsigned> word{0};
  std::atomic<int> order{0};
  std::thread one([&] {
    Futex(&word, FUTEX_WAIT_BITSET, 0, nullptr, nullptr, 1);
    order = order * 10 + 1;
  });
  std::thread two([&] {
    Futex(&word, FUTEX_WAIT_BITSET, 0, nullptr, nullptr, 2);
    order = order * 10 + 2;
  });
  SleepMs(80);
  T(Futex(&word, FUTEX_WAKE_BITSET, 9, nullptr, nullptr, 4));
  T(Futex(&word, FUTEX_WAKE_BITSET, 9, nullptr, nullptr, 2));
  two.join();
  T(Futex(&word, FUTEX_WAKE_BITSET, 9, nullptr, nullptr, 1));
  one.join();
  Record("order", order);
  T(Futex(&word, FUTEX_WAKE_BITSET, 1, nullptr, nullptr, 0));
  T(Futex(&word, FUTEX_WAIT_BITSET, 0, nullptr, nullptr, 0));
}
CASE(futex_absolute_timeouts) {
  unsigned word = 0;
  timespec until = In(CLOCK_MONOTONIC, 30);
  T(Futex(&word, FUTEX_WAIT_BITSET, 0, &until, nullptr, ~0u));
  T(Futex(&word, FUTEX_WAIT_BITSET, 0, &until, nullptr, ~0u));
  until = In(CLOCK_REALTIME, 30);
  T(Futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &until, nullptr, ~0u));
  until = {0, -1};
  T(Futex(&word, FUTEX_WAIT_BITSET, 0, &until, nullptr, ~0u));
  until = {-1, 0};
  T(Futex(&word, FUTEX_WAIT_BITSET, 0, &until, nullptr, ~0u));
  T(Futex(&word, FUTEX_WAIT, 0, BadPointer()));
}
CASE(futex_wake_op) {
  unsigned a = 0, b = 5;
  // b += 3, wake b's waiters if it was > 4.
  T(Futex(&a, FUTEX_WAKE_OP, 1, AsTimeout(1), &b, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_GT, 4)));
  Record("b", b);
  T(Futex(&a, FUTEX_WAKE_OP, 1, AsTimeout(1), &b, FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 0)));
  Record("b", b);
  T(Futex(&a, FUTEX_WAKE_OP, 1, AsTimeout(1), &b, FUTEX_OP(9, 0, 0, 0)));
  T(Futex(&a, FUTEX_WAKE_OP, 1, AsTimeout(1), BadPointer(), 0));
}
CASE(futex_requeue_errors) {
  unsigned a = 1, b = 1;
  T(Futex(&a, FUTEX_CMP_REQUEUE, 1, AsTimeout(1), &b, 2));
  T(Futex(&a, FUTEX_CMP_REQUEUE, 1, AsTimeout(1), &b, 1));
  T(Futex(&a, FUTEX_REQUEUE, 1, AsTimeout(1), &b, 0));
  T(Futex(&a, FUTEX_CMP_REQUEUE, Number(0xffffffff), AsTimeout(1), &b, 1));
  T(Futex(&a, FUTEX_CMP_REQUEUE, 1, AsTimeout(1), BadPointer(), 1));
  T(Futex(&a, FUTEX_CMP_REQUEUE, 1, AsTimeout(1), reinterpret_cast<char*>(&b) + 1, 1));
}
CASE(futex_pi_states) {
  unsigned word = 0;
  T(Futex(&word, FUTEX_LOCK_PI, 0));
  Record("mine", word == Tid());
  T(Futex(&word, FUTEX_LOCK_PI, 0));
  T(Futex(&word, FUTEX_TRYLOCK_PI, 0));
  T(Futex(&word, FUTEX_UNLOCK_PI, 0));
  Record("free", word == 0);
  T(Futex(&word, FUTEX_UNLOCK_PI, 0));
  T(Futex(&word, FUTEX_TRYLOCK_PI, 0));
  Record("mine", word == Tid());
  T(Futex(&word, FUTEX_UNLOCK_PI, 0));
}
CASE(futex_pi_errors) {
  unsigned word = 1;  // init's thread, in another process
  T(Futex(BadPointer(), FUTEX_LOCK_PI, 0));
  T(Futex(reinterpret_cast<char*>(&word) + 1, FUTEX_LOCK_PI, 0));
  word = 999999;
  T(Futex(&word, FUTEX_LOCK_PI, 0));
  T(Futex(&word, FUTEX_UNLOCK_PI, 0));
  T(Futex(&word, FUTEX_TRYLOCK_PI, 0));
  word = 0;
  const timespec bad = {0, -1};
  T(Futex(&word, FUTEX_LOCK_PI, 0, &bad));
  word = Tid() | FUTEX_WAITERS;
  T(Futex(&word, FUTEX_LOCK_PI, 0));
}
CASE(futex_pi_contended) {
  std::atomic<unsigned> word{0};
  std::atomic<long> sum{0};
  long plain = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&] {
      const unsigned me = Tid();
      for (int k = 0; k < 2000; k++) {
        unsigned expected = 0;
        if (!word.compare_exchange_strong(expected, me)) {
          if (Futex(&word, FUTEX_LOCK_PI_PRIVATE, 0) != 0) sum += 1000000;
        }
        plain++;
        sum++;
        expected = me;
        if (!word.compare_exchange_strong(expected, 0)) {
          if (Futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0) != 0) sum += 1000000;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Record("sum", sum);
  Record("plain", plain);
  Record("word", word);
}
CASE(futex_pi_timeouts) {
  std::atomic<unsigned> word{0};
  std::atomic<bool> stop{false};
  std::thread owner([&] {
    Futex(&word, FUTEX_LOCK_PI, 0);
    while (!stop) SleepMs(1);
    Futex(&word, FUTEX_UNLOCK_PI, 0);
  });
  while (word == 0) SleepMs(1);
  timespec until = In(CLOCK_REALTIME, 50);
  T(Futex(&word, FUTEX_LOCK_PI, 0, &until));
  until = In(CLOCK_MONOTONIC, 50);
  T(Futex(&word, FUTEX_LOCK_PI2, 0, &until));
  until = In(CLOCK_REALTIME, 50);
  T(Futex(&word, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, &until));
  T(Futex(&word, FUTEX_TRYLOCK_PI, 0));
  T(Futex(&word, FUTEX_UNLOCK_PI, 0));
  stop = true;
  owner.join();
}
CASE(futex_pi_owner_dies) {
  std::atomic<unsigned> word{0};
  std::thread([&] { Futex(&word, FUTEX_LOCK_PI, 0); }).join();
  T(Futex(&word, FUTEX_LOCK_PI, 0));
}
CASE(futex_pi_owner_dies_with_waiter) {
  std::atomic<unsigned> word{0};
  std::thread owner([&] {
    Futex(&word, FUTEX_LOCK_PI, 0);
    SleepMs(80);
  });
  while (word == 0) SleepMs(1);
  T(Futex(&word, FUTEX_LOCK_PI, 0));
  owner.join();
  Record("died", (word & FUTEX_OWNER_DIED) != 0);
}
CASE(futex_pi_interrupted_goes_on) {
  struct sigaction action = {};
  static volatile int hits;
  action.sa_handler = [](int) { hits = hits + 1; };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  std::atomic<unsigned> word{0};
  std::thread owner([&] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    Futex(&word, FUTEX_LOCK_PI, 0);
    SleepMs(50);
    kill(getpid(), SIGUSR1);
    SleepMs(50);
    Futex(&word, FUTEX_UNLOCK_PI, 0);
  });
  while (word == 0) SleepMs(1);
  T(Futex(&word, FUTEX_LOCK_PI, 0));
  Record("hits", hits);
  owner.join();
}
CASE(futex_pi_between_processes) {
  unsigned* word = Shared<unsigned>();
  const pid_t child = fork();
  if (child == 0) {
    if (Futex(word, FUTEX_LOCK_PI, 0) != 0) _exit(1);
    SleepMs(100);
    _exit(Futex(word, FUTEX_UNLOCK_PI, 0) == 0 ? 0 : 2);
  }
  while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0) SleepMs(1);
  T(Futex(word, FUTEX_LOCK_PI, 0));
  int status;
  MUST(waitpid(child, &status, 0));
  Record("child", StatusText(status));
  Record("mine", (*word & FUTEX_TID_MASK) == Tid());
}
CASE(futex_requeue_pi) {
  std::atomic<unsigned> condition{0}, mutex{0};
  std::atomic<int> results{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; i++) {
    threads.emplace_back([&] {
      const long got = Futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, nullptr, &mutex, 0);
      if (got == 0 && (mutex & FUTEX_TID_MASK) == Tid()) results++;
      Futex(&mutex, FUTEX_UNLOCK_PI, 0);
    });
  }
  SleepMs(100);
  T(Futex(&mutex, FUTEX_LOCK_PI, 0));
  T(Futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, AsTimeout(10), &mutex, 0));
  T(Futex(&mutex, FUTEX_UNLOCK_PI, 0));
  for (std::thread& thread : threads) thread.join();
  Record("results", results);
}
CASE(futex_requeue_pi_errors) {
  unsigned condition = 0, mutex = 0;
  T(Futex(&condition, FUTEX_CMP_REQUEUE_PI, 2, AsTimeout(0), &mutex, 0));
  T(Futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, AsTimeout(0), &mutex, 5));
  T(Futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, AsTimeout(0), &condition, 0));
  T(Futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, nullptr, &condition, 0));
  T(Futex(&condition, FUTEX_WAIT_REQUEUE_PI, 1, nullptr, &mutex, 0));
  const timespec until = In(CLOCK_MONOTONIC, 20);
  T(Futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, &until, &mutex, 0));
}
CASE(futex_pi_condition_variable) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
  int turn = 0;
  std::thread other([&] {
    for (int i = 0; i < 100; i++) {
      pthread_mutex_lock(&mutex);
      while (turn % 2 == 0) pthread_cond_wait(&changed, &mutex);
      turn++;
      pthread_cond_broadcast(&changed);
      pthread_mutex_unlock(&mutex);
    }
  });
  for (int i = 0; i < 100; i++) {
    pthread_mutex_lock(&mutex);
    while (turn % 2 == 1) pthread_cond_wait(&changed, &mutex);
    turn++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
  }
  other.join();
  Record("turn", turn);
}
CASE(futex_pi_robust_mutex) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_t mutex;
  T(pthread_mutex_init(&mutex, &attributes));
  std::thread([&] { pthread_mutex_lock(&mutex); }).join();
  Record("lock", strerrorname_np(pthread_mutex_lock(&mutex)));
  T(pthread_mutex_consistent(&mutex));
  T(pthread_mutex_unlock(&mutex));
  T(pthread_mutex_lock(&mutex));
}
CASE(futex_pi_error_checks) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  T(pthread_mutex_lock(&mutex));
  T(pthread_mutex_lock(&mutex));
  T(pthread_mutex_trylock(&mutex));
  T(pthread_mutex_unlock(&mutex));
  T(pthread_mutex_unlock(&mutex));
}
CASE(robust_list_of_oneself) {
  void* head = nullptr;
  size_t size = 0;
  T(syscall(SYS_get_robust_list, 0, &head, &size));
  Record("size", size);
  Record("set", head != nullptr);
  static robust_list_head mine = {{&mine.list}, 0, nullptr};
  T(syscall(SYS_set_robust_list, &mine, sizeof mine));
  T(syscall(SYS_get_robust_list, getpid(), &head, &size));
  Record("same", head == &mine);
  T(syscall(SYS_set_robust_list, &mine, sizeof mine - 1));
  T(syscall(SYS_get_robust_list, 0, BadPointer(), &size));
  T(syscall(SYS_get_robust_list, -1, &head, &size));
}
CASE(robust_list_of_others) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  void* head = nullptr;
  size_t size = 0;
  T(syscall(SYS_get_robust_list, child, &head, &size));
  Record("user", InChild([&] {
           BecomeUser(1000, 1000);
           return syscall(SYS_get_robust_list, child, &head, &size) < 0 ? errno : 0;
         }));
  MUST(kill(child, SIGKILL));
}
CASE(robust_list_walk) {
  struct Entry {
    robust_list list;
    unsigned word;
  };
  struct Page {
    robust_list_head head;
    Entry entries[3];
  };
  Page* page = Shared<Page>();
  Record("child", InChild([page] {
           page->head.futex_offset = offsetof(Entry, word);
           page->head.list.next = &page->entries[0].list;
           page->entries[0].list.next = &page->entries[1].list;
           page->entries[1].list.next = &page->head.list;
           page->head.list_op_pending = &page->entries[2].list;
           page->entries[0].word = Tid();
           page->entries[1].word = 12345;  // somebody else's
           page->entries[2].word = Tid() | FUTEX_WAITERS;
           syscall(SYS_set_robust_list, &page->head, sizeof page->head);
           syscall(SYS_exit, 0);
           return 1;
         }));
  SleepMs(50);
  Record("mine", static_cast<long long>(page->entries[0].word & ~FUTEX_TID_MASK));
  Record("other", page->entries[1].word);
  Record("pending", static_cast<long long>(page->entries[2].word & ~FUTEX_TID_MASK));
}
CASE(robust_list_walk_at_exec_and_kill) {
  struct Page {
    robust_list_head head;
    robust_list entry;
    unsigned word;
  };
  Page* page = Shared<Page>();
  const auto hold = [page] {
    page->head.futex_offset = sizeof(robust_list);
    page->head.list.next = &page->entry;
    page->entry.next = &page->head.list;
    page->head.list_op_pending = nullptr;
    page->word = Tid();
    syscall(SYS_set_robust_list, &page->head, sizeof page->head);
  };
  Record("exec", InChild([&] {
           hold();
           execl("/bin/sh", "sh", "-c", "exit 3", nullptr);
           return 1;
         }));
  SleepMs(50);
  Record("died", (page->word & FUTEX_OWNER_DIED) != 0);
  Record("kill", InChild([&] {
           hold();
           kill(getpid(), SIGKILL);
           return 1;
         }));
  SleepMs(50);
  Record("died", (page->word & FUTEX_OWNER_DIED) != 0);
}
CASE(robust_list_hostile) {
  Record("loop", InChild([] {
           static robust_list a, b;
           static robust_list_head head = {{&a}, 64, nullptr};
           a.next = &b;
           b.next = &a;
           syscall(SYS_set_robust_list, &head, sizeof head);
           return 4;
         }));
  Record("wild", InChild([] {
           static robust_list_head head = {{static_cast<robust_list*>(BadPointer())},
                                           -9999999,
                                           static_cast<robust_list*>(BadPointer())};
           syscall(SYS_set_robust_list, &head, sizeof head);
           return 5;
         }));
  Record("nowhere", InChild([] {
           syscall(SYS_set_robust_list, BadPointer(), sizeof(robust_list_head));
           return 6;
         }));
}
CASE(clear_child_tid_wakes) {
  static std::atomic<int> word{0};
  static char stack[65536];
  word = 77;
  const int tid = clone(
      [](void*) -> int {
        usleep(50000);
        return 0;
      },
      stack + sizeof stack,
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
          CLONE_CHILD_CLEARTID,
      nullptr, nullptr, nullptr, &word);
  Record("made", tid > 0);
  long waited = 0;
  while (word != 0) waited = Futex(&word, FUTEX_WAIT, 77);
  Record("word", word);
  Record("waited", waited);
}
CASE(clear_child_tid_bad_pointer) {
  Record("child", InChild([] {
           syscall(SYS_set_tid_address, BadPointer());
           return 8;
         }));
}
CASE(waitv_basics) {
  unsigned words[2] = {1, 2};
  Waitv wait[2] = {{1, reinterpret_cast<unsigned long>(&words[0]), kSize32 | kPrivate2, 0},
                   {2, reinterpret_cast<unsigned long>(&words[1]), kSize32 | kPrivate2, 0}};
  timespec until = In(CLOCK_MONOTONIC, 30);
  T(syscall(kWaitv, wait, 2, 0, &until, CLOCK_MONOTONIC));
  wait[1].value = 3;
  T(syscall(kWaitv, wait, 2, 0, &until, CLOCK_MONOTONIC));
  T(syscall(kWaitv, wait, 0, 0, nullptr, CLOCK_MONOTONIC));
  T(syscall(kWaitv, wait, 129, 0, nullptr, CLOCK_MONOTONIC));
  T(syscall(kWaitv, wait, 2, 1, nullptr, CLOCK_MONOTONIC));
  T(syscall(kWaitv, wait, 2, 0, &until, CLOCK_BOOTTIME));
  T(syscall(kWaitv, BadPointer(), 2, 0, nullptr, CLOCK_MONOTONIC));
  wait[0].reserved = 1;
  T(syscall(kWaitv, wait, 2, 0, nullptr, CLOCK_MONOTONIC));
}
CASE(waitv_tells_which) {
  std::atomic<unsigned> words[3] = {0, 0, 0};
  std::thread waker([&] {
    SleepMs(60);
    words[1] = 1;
    Futex(&words[1], FUTEX_WAKE_PRIVATE, 1);
  });
  Waitv wait[3] = {};
  for (int i = 0; i < 3; i++) {
    wait[i] = {0, reinterpret_cast<unsigned long>(&words[i]), kSize32 | kPrivate2, 0};
  }
  T(syscall(kWaitv, wait, 3, 0, nullptr, CLOCK_MONOTONIC));
  waker.join();
}
CASE(waitv_interrupted) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  MUST(sigaction(SIGUSR1, &action, nullptr));
  const pid_t me = getpid();
  if (fork() == 0) {
    SleepMs(60);
    _exit(kill(me, SIGUSR1));
  }
  unsigned word = 0;
  Waitv wait = {0, reinterpret_cast<unsigned long>(&word), kSize32, 0};
  T(syscall(kWaitv, &wait, 1, 0, nullptr, CLOCK_MONOTONIC));
}
CASE(futex2_wait_wake_requeue) {
  std::atomic<unsigned> a{0}, b{0};
  T(syscall(kWake2, &a, ~0ul, 1, kSize32 | kPrivate2));
  T(syscall(kWait2, &a, 1ul, ~0ul, kSize32 | kPrivate2, nullptr, CLOCK_MONOTONIC));
  timespec until = In(CLOCK_MONOTONIC, 30);
  T(syscall(kWait2, &a, 0ul, ~0ul, kSize32 | kPrivate2, &until, CLOCK_MONOTONIC));
  std::thread waiter(
      [&] { syscall(kWait2, &a, 0ul, ~0ul, kSize32 | kPrivate2, nullptr, CLOCK_MONOTONIC); });
  SleepMs(60);
  Waitv pair[2] = {{0, reinterpret_cast<unsigned long>(&a), kSize32 | kPrivate2, 0},
                   {0, reinterpret_cast<unsigned long>(&b), kSize32 | kPrivate2, 0}};
  T(syscall(kRequeue2, pair, 0, 0, 1));
  T(syscall(kWake2, &b, ~0ul, 1, kSize32 | kPrivate2));
  waiter.join();
  T(syscall(kWake2, &a, ~0ul, 1, 0x40));
  T(syscall(kRequeue2, pair, 1, 0, 1));
}
CASE(futex_shared_file_between_processes) {
  Make("f", std::string(4096, '\0'));
  const auto map = [] {
    const int fd = open("f", O_RDWR);
    return static_cast<unsigned*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  };
  unsigned* word = map();
  const pid_t child = fork();
  if (child == 0) {
    unsigned* mine = map();
    SleepMs(60);
    __atomic_store_n(mine, 1, __ATOMIC_SEQ_CST);
    _exit(static_cast<int>(Futex(mine, FUTEX_WAKE, 1)));
  }
  long result = 0;
  while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0) result = Futex(word, FUTEX_WAIT, 0);
  Record("wait", result);
  int status;
  MUST(waitpid(child, &status, 0));
  Record("child", StatusText(status));
}
CASE(futex_shared_memfd_between_processes) {
  const int fd = memfd_create("m", 0);
  MUST(ftruncate(fd, 4096));
  unsigned* word =
      static_cast<unsigned*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  const pid_t child = fork();
  if (child == 0) {
    unsigned* mine =
        static_cast<unsigned*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    SleepMs(60);
    __atomic_store_n(mine, 1, __ATOMIC_SEQ_CST);
    _exit(static_cast<int>(Futex(mine, FUTEX_WAKE, 1)));
  }
  while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0) Futex(word, FUTEX_WAIT, 0);
  int status;
  MUST(waitpid(child, &status, 0));
  Record("child", StatusText(status));
}
CASE(futex_private_is_not_shared) {
  unsigned* word = Shared<unsigned>();
  const pid_t child = fork();
  if (child == 0) {
    SleepMs(30);
    _exit(static_cast<int>(Futex(word, FUTEX_WAKE_PRIVATE, 1)));
  }
  const timespec time = {0, 100000000};
  T(Futex(word, FUTEX_WAIT_PRIVATE, 0, &time));
  int status;
  MUST(waitpid(child, &status, 0));
  Record("child", StatusText(status));
}
// Wakes from handlers, requeues, time-outs and signals at once: every token that
// is put must be taken, so the sum must come out and nobody may sleep for ever.
CASE(futex_no_wake_up_is_lost) {
  static std::atomic<unsigned> tokens{0}, taken{0}, other{0};
  static std::atomic<bool> stop{false};
  struct sigaction action = {};
  action.sa_handler = [](int) {
    tokens++;
    Futex(&tokens, FUTEX_WAKE_PRIVATE, 1);
  };
  MUST(sigaction(SIGUSR1, &action, nullptr));
  action.sa_handler = [](int) {};
  MUST(sigaction(SIGUSR2, &action, nullptr));
  std::vector<std::thread> takers;
  for (int i = 0; i < 4; i++) {
    takers.emplace_back([i] {
      while (true) {
        unsigned now = tokens;
        if (now > 0) {
          if (tokens.compare_exchange_weak(now, now - 1)) taken++;
          continue;
        }
        if (stop) return;
        const timespec until = In(CLOCK_MONOTONIC, 5);
        const timespec brief = {0, 3000000};
        switch (i % 3) {
          case 0:
            Futex(&tokens, FUTEX_WAIT_PRIVATE, 0);
            break;
          case 1:
            Futex(&tokens, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, nullptr, ~0u);
            break;
          default:
            Futex(&tokens, FUTEX_WAIT_PRIVATE, 0, &brief);
        }
      }
    });
  }
  std::thread mover([] {
    while (!stop) {
      Futex(&tokens, FUTEX_CMP_REQUEUE_PRIVATE, 0, AsTimeout(1), &other, tokens);
      Futex(&other, FUTEX_WAKE_PRIVATE, 100);
      usleep(700);
    }
  });
  std::thread noise([&] {
    for (int i = 0; !stop; i++) {
      pthread_kill(takers[static_cast<size_t>(i) % takers.size()].native_handle(), SIGUSR2);
      usleep(900);
    }
  });
  constexpr unsigned kTokens = 600;
  for (unsigned i = 0; i < kTokens; i++) {
    if (i % 2 == 0) {
      tokens++;
      Futex(&tokens, FUTEX_WAKE_PRIVATE, 1);
    } else {
      const size_t which = i / 2 % takers.size();
      const unsigned before = tokens + taken;
      pthread_kill(takers[which].native_handle(), SIGUSR1);
      for (int k = 0; k < 20000 && tokens + taken == before; k++) usleep(100);
    }
  }
  for (int i = 0; i < 5000 && taken < kTokens; i++) usleep(1000);
  Record("taken", taken);
  stop = true;
  mover.join();
  noise.join();
  for (int i = 0; i < 50; i++) {
    Futex(&tokens, FUTEX_WAKE_PRIVATE, 100);
    Futex(&other, FUTEX_WAKE_PRIVATE, 100);
    usleep(1000);
  }
  // A token each, for those that still sleep.
  tokens += 4;
  Futex(&tokens, FUTEX_WAKE_PRIVATE, 100);
  for (std::thread& taker : takers) taker.join();
}
