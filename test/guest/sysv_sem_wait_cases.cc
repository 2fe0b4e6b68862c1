// Waiting for semaphores, and what ends it.
#include "test/guest/ipc.h"

using namespace guest;

CASE(sem_wait_for_more) {
  FreshIpc();
  const int id = NewSet(1);
  std::thread waker([id] {
    AwaitWaiters(id, 0, GETNCNT, 1);
    Op(id, 0, 1);
    SleepMs(30);
    Op(id, 0, 1);
  });
  T(Op(id, 0, -2));
  T(Value(id));
  waker.join();
  T(semctl(id, 0, GETPID) == getpid());
}
CASE(sem_wait_for_zero) {
  FreshIpc();
  const int id = NewSet(1);
  T(SetValue(id, 0, 2));
  std::thread waker([id] {
    AwaitWaiters(id, 0, GETZCNT, 1);
    Op(id, 0, -2);
  });
  T(Op(id, 0, 0));
  waker.join();
  T(semctl(id, 0, GETZCNT));
}
CASE(sem_wait_time_out) {
  FreshIpc();
  const int id = NewSet(1);
  sembuf down = {0, -1, 0};
  timespec time = {0, 80'000'000};
  const long long begun = NowMs();
  T(semtimedop(id, &down, 1, &time));
  Record("waited", NowMs() - begun >= 79);
  T(semctl(id, 0, GETNCNT));
}
CASE(sem_wait_interrupted) {
  FreshIpc();
  const int id = NewSet(1);
  OnSignal(SIGUSR1);
  SignalLater(SIGUSR1);
  T(Op(id, 0, -1));
  OnSignal(SIGUSR1, SA_RESTART);
  SignalLater(SIGUSR1);
  T(Op(id, 0, -1));
  T(semctl(id, 0, GETNCNT));
}
CASE(sem_timed_wait_interrupted) {
  FreshIpc();
  const int id = NewSet(1);
  OnSignal(SIGUSR1, SA_RESTART);
  SignalLater(SIGUSR1);
  sembuf down = {0, -1, 0};
  timespec time = {20, 0};
  T(semtimedop(id, &down, 1, &time));
}
CASE(sem_wait_stopped_and_continued) {
  FreshIpc();
  const int id = NewSet(1);
  const pid_t child = fork();
  if (child == 0) _exit(Op(id, 0, -1) == 0 ? 0 : errno);
  AwaitWaiters(id, 0, GETNCNT, 1);
  kill(child, SIGSTOP);
  int status = 0;
  waitpid(child, &status, WUNTRACED);
  Record("stopped", StatusText(status));
  kill(child, SIGCONT);
  waitpid(child, &status, 0);
  Record("ended", WIFEXITED(status) ? strerrorname_np(WEXITSTATUS(status)) : "signal");
}
CASE(sem_wait_ends_by_removal) {
  FreshIpc();
  const int id = NewSet(1);
  std::thread remover([id] {
    AwaitWaiters(id, 0, GETNCNT, 1);
    semctl(id, 0, IPC_RMID);
  });
  T(Op(id, 0, -1));
  remover.join();
  T(Op(id, 0, -1));
}
CASE(sem_wait_ends_by_setval) {
  FreshIpc();
  const int id = NewSet(1);
  std::thread setter([id] {
    AwaitWaiters(id, 0, GETNCNT, 1);
    SetValue(id, 0, 5);
  });
  T(Op(id, 0, -3));
  setter.join();
  T(Value(id));
}
CASE(sem_wait_ends_by_setall) {
  FreshIpc();
  const int id = NewSet(2);
  std::thread setter([id] {
    AwaitWaiters(id, 1, GETNCNT, 1);
    unsigned short all[2] = {4, 4};
    semctl(id, 0, SETALL, all);
  });
  sembuf both[2] = {{1, -1, 0}, {0, -2, 0}};
  T(semop(id, both, 2));
  setter.join();
  T(Value(id, 0));
  T(Value(id, 1));
}
CASE(sem_wait_ends_by_undo) {
  FreshIpc();
  const int id = NewSet(1);
  T(SetValue(id, 0, 1));
  const pid_t holder = fork();
  if (holder == 0) {
    Op(id, 0, -1, SEM_UNDO);
    AwaitWaiters(id, 0, GETNCNT, 1);
    _exit(0);
  }
  while (Value(id) != 0) SleepMs(5);
  T(Op(id, 0, -1));
  waitpid(holder, nullptr, 0);
  T(Value(id));
}
CASE(sem_counts_first_blocked) {
  FreshIpc();
  const int id = NewSet(3);
  T(SetValue(id, 2, 1));
  const pid_t child = fork();
  if (child == 0) {
    sembuf all[3] = {{2, -1, 0}, {1, -1, 0}, {0, -1, 0}};
    semop(id, all, 3);
    _exit(0);
  }
  AwaitWaiters(id, 1, GETNCNT, 1);
  Record("counts", std::to_string(semctl(id, 0, GETNCNT)) + std::to_string(semctl(id, 1, GETNCNT)) +
                       std::to_string(semctl(id, 2, GETNCNT)));
  T(Op(id, 1, 1));
  AwaitWaiters(id, 0, GETNCNT, 1);
  Record("counts", std::to_string(semctl(id, 0, GETNCNT)) + std::to_string(semctl(id, 1, GETNCNT)) +
                       std::to_string(semctl(id, 2, GETNCNT)));
  T(Op(id, 0, 1));
  waitpid(child, nullptr, 0);
  Record("values", std::to_string(Value(id, 0)) + std::to_string(Value(id, 1)) +
                       std::to_string(Value(id, 2)));
}
CASE(sem_waiters_in_order) {
  FreshIpc();
  const int id = NewSet(2);
  std::vector<std::thread> threads;
  std::atomic<int> order{0};
  int places[3] = {};
  for (int i = 0; i < 3; i++) {
    threads.emplace_back([&, i] {
      Op(id, 0, -1);
      places[i] = ++order;
      Op(id, 1, 1);
    });
    AwaitWaiters(id, 0, GETNCNT, i + 1);
  }
  for (int i = 0; i < 3; i++) {
    Op(id, 0, 1);
    Op(id, 1, -1);
  }
  for (std::thread& thread : threads) thread.join();
  Record("places",
         std::to_string(places[0]) + std::to_string(places[1]) + std::to_string(places[2]));
}
CASE(sem_small_waiter_passes_large_one) {
  FreshIpc();
  const int id = NewSet(1);
  const pid_t large = fork();
  if (large == 0) {
    Op(id, 0, -5);
    _exit(0);
  }
  AwaitWaiters(id, 0, GETNCNT, 1);
  T(Op(id, 0, 2));
  T(Op(id, 0, -1));
  T(Value(id));
  T(semctl(id, 0, GETNCNT));
  T(Op(id, 0, 4));
  waitpid(large, nullptr, 0);
  T(Value(id));
}
CASE(sem_zero_waiters_see_zero_first) {
  FreshIpc();
  const int id = NewSet(2);
  T(SetValue(id, 0, 1));
  const pid_t down = fork();
  if (down == 0) {
    sembuf both[2] = {{0, 0, 0}, {0, 3, 0}};
    semop(id, both, 2);
    _exit(0);
  }
  AwaitWaiters(id, 0, GETZCNT, 1);
  const pid_t zero = fork();
  if (zero == 0) {
    Op(id, 0, 0);
    _exit(0);
  }
  AwaitWaiters(id, 0, GETZCNT, 2);
  T(Op(id, 0, -1));
  waitpid(zero, nullptr, 0);
  waitpid(down, nullptr, 0);
  T(Value(id));
}
CASE(sem_killed_waiter_is_forgotten) {
  FreshIpc();
  const int id = NewSet(1);
  const pid_t child = fork();
  if (child == 0) {
    Op(id, 0, -1);
    _exit(0);
  }
  AwaitWaiters(id, 0, GETNCNT, 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  T(semctl(id, 0, GETNCNT));
  T(Op(id, 0, 1));
  T(Value(id));
}
CASE(sem_ping_pong) {
  FreshIpc();
  const int id = NewSet(2);
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 300; i++) {
      Op(id, 0, -1);
      Op(id, 1, 1);
    }
    _exit(0);
  }
  for (int i = 0; i < 300; i++) {
    Op(id, 0, 1);
    Op(id, 1, -1);
  }
  waitpid(child, nullptr, 0);
  Record("values", std::to_string(Value(id, 0)) + std::to_string(Value(id, 1)));
}
CASE(sem_many_wait_with_undo) {
  FreshIpc();
  const int id = NewSet(1);
  T(SetValue(id, 0, 1));
  for (int i = 0; i < 6; i++) {
    if (fork() != 0) continue;
    for (int j = 0; j < 30; j++) {
      Op(id, 0, -1, SEM_UNDO);
      Op(id, 0, 1, SEM_UNDO);
    }
    Op(id, 0, -1, SEM_UNDO);
    _exit(0);
  }
  while (wait(nullptr) > 0) {
  }
  T(Value(id));
}
