// Futexes: every operation, several words, between processes, lost wake-ups.
#include <linux/futex.h>
#include <pthread.h>

#include <atomic>
#include <thread>
#include <vector>

#include "test/guest/futexes.h"

using namespace guest;

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
