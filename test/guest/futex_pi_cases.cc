// Futexes with priority inheritance.
#include <linux/futex.h>
#include <pthread.h>

#include <atomic>
#include <thread>
#include <vector>

#include "test/guest/futexes.h"

using namespace guest;

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
