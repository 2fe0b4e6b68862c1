// Threads and futexes.
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "test/guest/cases.h"

using namespace guest;

namespace {
long Futex(void* word, int operation, unsigned value, const timespec* timeout = nullptr,
           void* second = nullptr, unsigned last = 0) {
  return syscall(SYS_futex, word, operation, value, timeout, second, last);
}
long long ThreadId() { return syscall(SYS_gettid); }
void Nothing(int) {}
}  // namespace

CASE(thread_join_returns_value) {
  pthread_t thread;
  T(pthread_create(&thread, nullptr, [](void* x) { return x; }, reinterpret_cast<void*>(42)));
  void* result = nullptr;
  T(pthread_join(thread, &result));
  Record("value", reinterpret_cast<long>(result));
}
CASE(thread_shares_everything) {
  int value = 0;
  int fd = -1;
  std::thread([&] {
    value = 7;
    fd = open("/dev/null", O_RDONLY);
    if (chdir("/proc") < 0) value = 0;
    umask(0123);
  }).join();
  Record("value", value);
  T(fcntl(fd, F_GETFD));
  char buffer[256];
  Record("cwd", getcwd(buffer, sizeof buffer));
  Record("umask", umask(0));
}
CASE(thread_ids) {
  const pid_t process = getpid();
  Record("main", ThreadId() == process);
  bool differs = false, same = false;
  std::thread([&] {
    differs = ThreadId() != process;
    same = getpid() == process;
  }).join();
  Record("differs", differs);
  Record("same_pid", same);
}
CASE(thread_hundred) {
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 100; i++) threads.emplace_back([&sum, i] { sum += i; });
  for (auto& thread : threads) thread.join();
  Record("sum", sum);
}
CASE(thread_thousand_in_turn) {
  int count = 0;
  for (int i = 0; i < 1000; i++) std::thread([&] { count++; }).join();
  Record("count", count);
}
CASE(thread_local_storage) {
  static thread_local int mine = 5;
  mine = 6;
  int seen = 0;
  std::thread([&] { seen = mine; }).join();
  Record("main", mine);
  Record("other", seen);
}
CASE(thread_mutex_counts) {
  std::mutex mutex;
  long count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20000; k++) {
        std::lock_guard<std::mutex> lock(mutex);
        count++;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  Record("count", count);
}
CASE(thread_condition_variable) {
  std::mutex mutex;
  std::condition_variable changed;
  int turn = 0;
  std::thread other([&] {
    for (int i = 0; i < 200; i++) {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [&] { return turn % 2 == 1; });
      turn++;
      changed.notify_all();
    }
  });
  for (int i = 0; i < 200; i++) {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return turn % 2 == 0; });
    turn++;
    changed.notify_all();
  }
  other.join();
  Record("turn", turn);
}
CASE(thread_blocked_in_read_does_not_stop_others) {
  int p[2];
  MUST(pipe(p));
  std::atomic<int> got{0};
  std::thread reader([&] {
    char c;
    got = read(p[0], &c, 1);
  });
  SleepMs(20);
  T(write(p[1], "x", 1));
  reader.join();
  Record("got", got);
}
CASE(thread_hundred_blocked) {
  int p[2];
  MUST(pipe(p));
  std::atomic<int> got{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 100; i++) {
    readers.emplace_back([&] {
      char c;
      got += read(p[0], &c, 1);
    });
  }
  SleepMs(50);
  for (int i = 0; i < 100; i++) MUST(write(p[1], "x", 1));
  for (auto& reader : readers) reader.join();
  Record("got", got);
}
CASE(thread_exit_group_ends_all) {
  Record("child", InChild([] {
           std::thread([] { pause(); }).detach();
           std::thread([] { _exit(17); }).detach();
           pause();
           return 1;
         }));
}
CASE(thread_main_exits_first) {
  Record("child", InChild([] {
           std::thread([] {
             SleepMs(50);
             _exit(18);
           }).detach();
           syscall(SYS_exit, 3);
           return 1;
         }));
}
CASE(thread_last_exit_code_wins) {
  Record("child", InChild([] {
           std::thread([] { SleepMs(30); }).detach();
           syscall(SYS_exit, 5);
           return 1;
         }));
}
CASE(thread_fault_kills_process) {
  Record("child", InChild([] {
           std::thread([] { *static_cast<volatile char*>(BadPointer()) = 1; }).join();
           return 0;
         }));
}
CASE(thread_exec_replaces_all) {
  Record("child", InChild([] {
           std::thread([] { pause(); }).detach();
           std::thread([] { execl("/bin/sh", "sh", "-c", "exit 19", nullptr); }).detach();
           pause();
           return 1;
         }));
}
CASE(thread_exec_keeps_process_id) {
  int p[2];
  MUST(pipe(p));
  const pid_t child = fork();
  if (child == 0) {
    dup2(p[1], 1);
    std::thread([] { execl("/bin/sh", "sh", "-c", "echo $$", nullptr); }).detach();
    pause();
  }
  close(p[1]);
  Record("same", atoi(Drain(p[0]).c_str()) == child);
}
CASE(thread_fork_copies_only_caller) {
  std::atomic<bool> stop{false};
  std::atomic<long> ticks{0};
  std::thread other([&] {
    while (!stop) {
      ticks++;
      SleepMs(1);
    }
  });
  Record("child", InChild([&] {
           const long before = ticks;
           SleepMs(30);
           return ticks == before ? 4 : 1;
         }));
  stop = true;
  other.join();
}
CASE(thread_fork_from_second_thread) {
  std::string status;
  std::thread([&] { status = InChild([] { return ThreadId() == getpid() ? 6 : 1; }); }).join();
  Record("child", status);
}
CASE(thread_signal_goes_to_the_one_asked) {
  static std::atomic<long long> handled{0};
  signal(SIGUSR1, [](int) { handled = ThreadId(); });
  std::atomic<bool> stop{false};
  std::atomic<long long> id{0};
  std::thread other([&] {
    id = ThreadId();
    while (!stop) SleepMs(1);
  });
  while (id == 0) SleepMs(1);
  T(syscall(SYS_tgkill, getpid(), id.load(), SIGUSR1));
  while (handled == 0) SleepMs(1);
  Record("right", handled == id);
  stop = true;
  other.join();
}
CASE(thread_process_signal_finds_unblocked_thread) {
  static std::atomic<long long> handled{0};
  signal(SIGUSR1, [](int) { handled = ThreadId(); });
  std::atomic<bool> stop{false};
  std::atomic<long long> id{0};
  std::thread other([&] {
    id = ThreadId();
    while (!stop) SleepMs(1);
  });
  while (id == 0) SleepMs(1);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  MUST(pthread_sigmask(SIG_BLOCK, &set, nullptr));
  MUST(kill(getpid(), SIGUSR1));
  while (handled == 0) SleepMs(1);
  Record("right", handled == id);
  stop = true;
  other.join();
}
CASE(thread_names) {
  std::string name;
  std::thread([&] {
    prctl(PR_SET_NAME, "worker");
    char text[32] = {};
    prctl(PR_GET_NAME, text);
    name = text;
  }).join();
  Record("thread", name);
}
CASE(thread_listed_in_proc) {
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) SleepMs(1);
  });
  struct stat st;
  T(stat("/proc/self/task", &st));
  Record("links", st.st_nlink);
  const std::string status = Content("/proc/self/status");
  const size_t at = status.find("Threads:");
  Record("threads", status.substr(at, status.find('\n', at) - at));
  stop = true;
  other.join();
}
CASE(futex_wait_value_changed) {
  unsigned word = 1;
  T(Futex(&word, FUTEX_WAIT, 2));
  T(Futex(&word, FUTEX_WAKE, 1));
}
CASE(futex_wait_times_out) {
  unsigned word = 1;
  const timespec wait = {0, 10000000};
  T(Futex(&word, FUTEX_WAIT, 1, &wait));
  const timespec bad = {0, 2000000000};
  T(Futex(&word, FUTEX_WAIT, 1, &bad));
}
CASE(futex_errors) {
  unsigned words[2] = {};
  T(Futex(reinterpret_cast<char*>(words) + 1, FUTEX_WAIT, 0));
  T(Futex(BadPointer(), FUTEX_WAIT, 0));
  T(Futex(words, 99, 0));
}
CASE(futex_wakes_thread) {
  std::atomic<unsigned> word{0};
  std::thread other([&] {
    SleepMs(30);
    word = 1;
    Futex(&word, FUTEX_WAKE, 1);
  });
  while (word == 0) Futex(&word, FUTEX_WAIT, 0);
  other.join();
  Record("word", word);
}
CASE(futex_between_processes) {
  unsigned* word = static_cast<unsigned*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const pid_t child = fork();
  if (child == 0) {
    SleepMs(50);
    __atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
    _exit(Futex(word, FUTEX_WAKE, 1) == 1 ? 0 : 1);
  }
  T(Futex(word, FUTEX_WAIT, 0));
  int status;
  MUST(waitpid(child, &status, 0));
  Record("child", StatusText(status));
}
CASE(futex_interrupted_by_signal) {
  struct sigaction action = {};
  action.sa_handler = Nothing;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  const pid_t parent = getpid();
  if (fork() == 0) {
    SleepMs(50);
    _exit(kill(parent, SIGUSR1));
  }
  unsigned word = 0;
  const timespec wait = {5, 0};
  T(Futex(&word, FUTEX_WAIT, 0, &wait));
}
CASE(futex_bitset_and_requeue) {
  std::atomic<unsigned> a{0}, b{0};
  std::atomic<int> woken{0};
  std::vector<std::thread> waiters;
  for (int i = 0; i < 3; i++) {
    waiters.emplace_back([&] {
      Futex(&a, FUTEX_WAIT, 0);
      woken++;
    });
  }
  SleepMs(100);
  Record("requeued", Futex(&a, FUTEX_CMP_REQUEUE, 1, reinterpret_cast<timespec*>(10), &b, 0));
  SleepMs(50);
  Record("woken", woken);
  Record("rest", Futex(&b, FUTEX_WAKE, 10));
  for (auto& waiter : waiters) waiter.join();
}
CASE(futex_priority_inheritance_mutex) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  T(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
  pthread_mutex_t mutex;
  T(pthread_mutex_init(&mutex, &attributes));
  T(pthread_mutex_lock(&mutex));
  std::thread other([&] {
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
  });
  SleepMs(30);
  T(pthread_mutex_unlock(&mutex));
  other.join();
}
CASE(robust_mutex_owner_died) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  std::thread([&] { pthread_mutex_lock(&mutex); }).join();
  Record("lock", strerrorname_np(pthread_mutex_lock(&mutex)));
  T(pthread_mutex_consistent(&mutex));
  T(pthread_mutex_unlock(&mutex));
}
CASE(robust_mutex_between_processes) {
  pthread_mutex_t* mutex = static_cast<pthread_mutex_t*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(mutex, &attributes);
  Record("child", InChild([&] { return pthread_mutex_lock(mutex); }));
  Record("lock", strerrorname_np(pthread_mutex_lock(mutex)));
}
CASE(set_tid_address_and_robust_list) {
  int word = 0;
  Record("tid", syscall(SYS_set_tid_address, &word) == ThreadId());
  T(syscall(SYS_set_robust_list, &word, 5));
  T(syscall(SYS_get_robust_list, 99999, &word, &word));
}
CASE(thread_arch_prctl_fs) {
  unsigned long base = 0;
  T(syscall(SYS_arch_prctl, 0x1003, &base));
  Record("set", base != 0);
  T(syscall(SYS_arch_prctl, 0x9999, &base));
}
