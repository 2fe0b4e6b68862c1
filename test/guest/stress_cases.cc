// Many things at once: what breaks when the kernel's parts meet.
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>
#include <vector>

#include "test/guest/cases.h"

using namespace guest;

namespace {
bool SmallThread(pthread_t* thread, void* (*body)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 << 10);
  return pthread_create(thread, &attributes, body, argument) == 0;
}
}  // namespace

CASE(stress_thousand_blocked_threads) {
  static int p[2];
  static std::atomic<int> woken{0};
  MUST(pipe(p));
  std::vector<pthread_t> threads(1000);
  int started = 0;
  for (auto& thread : threads) {
    started += SmallThread(
        &thread,
        [](void*) -> void* {
          char c;
          woken += read(p[0], &c, 1);
          return nullptr;
        },
        nullptr);
  }
  Record("started", started);
  // Others still make calls while all of these wait.
  for (int i = 0; i < 1000; i++) getppid();
  const std::string bytes(started, 'x');
  MUST(write(p[1], bytes.data(), bytes.size()));
  for (int i = 0; i < started; i++) pthread_join(threads[i], nullptr);
  Record("woken", woken);
}
CASE(stress_fork_from_many_threads) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; i++) {
    threads.emplace_back([&good] {
      for (int k = 0; k < 20; k++) {
        const pid_t child = fork();
        if (child == 0) _exit(k);
        int status;
        if (waitpid(child, &status, 0) == child && WEXITSTATUS(status) == k) good++;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  Record("good", good);
}
CASE(stress_exec_from_many_threads) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&good] {
      for (int k = 0; k < 10; k++) {
        const pid_t child = vfork();
        if (child == 0) {
          execl("/bin/true", "true", nullptr);
          _exit(9);
        }
        int status;
        if (waitpid(child, &status, 0) == child && status == 0) good++;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  Record("good", good);
}
CASE(stress_signals_during_calls) {
  static std::atomic<int> handled{0};
  struct sigaction action = {};
  action.sa_handler = [](int) { handled++; };
  action.sa_flags = SA_RESTART;
  MUST(sigaction(SIGUSR1, &action, nullptr));
  const pthread_t target = pthread_self();
  std::atomic<bool> stop{false};
  std::thread sender([&] {
    while (!stop) {
      pthread_kill(target, SIGUSR1);
      SleepMs(1);
    }
  });
  int p[2];
  MUST(pipe(p));
  long errors = 0;
  for (int i = 0; i < 20000; i++) {
    char c = static_cast<char>(i), back = 0;
    if (write(p[1], &c, 1) != 1 || read(p[0], &back, 1) != 1 || back != c) errors++;
  }
  while (handled == 0) SleepMs(1);
  stop = true;
  sender.join();
  Record("errors", errors);
}
CASE(stress_signals_during_computation) {
  static std::atomic<int> handled{0};
  signal(SIGUSR1, [](int) { handled++; });
  const pthread_t target = pthread_self();
  std::atomic<bool> stop{false};
  std::thread sender([&] {
    for (int i = 0; i < 100; i++) {
      pthread_kill(target, SIGUSR1);
      SleepMs(1);
    }
    stop = true;
  });
  double sum = 0;
  long wrong = 0;
  while (!stop) {
    sum = 0;
    for (int i = 1; i <= 1000; i++) sum += 1.0 / i;
    if (sum < 7.485470860550 || sum > 7.485470860551) wrong++;
  }
  sender.join();
  Record("handled", handled > 0);
  Record("wrong", wrong);
}
CASE(stress_signal_storm_to_children) {
  std::vector<pid_t> children;
  for (int i = 0; i < 20; i++) {
    const pid_t child = fork();
    if (child == 0) {
      signal(SIGUSR1, [](int) {});
      signal(SIGTERM, [](int) { _exit(7); });
      while (true) getppid();
    }
    children.push_back(child);
  }
  SleepMs(100);
  for (int round = 0; round < 20; round++) {
    for (const pid_t child : children) kill(child, SIGUSR1);
  }
  int good = 0;
  for (const pid_t child : children) {
    kill(child, SIGTERM);
    int status;
    // SIGUSR1 may have arrived before its handler was there.
    good += waitpid(child, &status, 0) == child;
  }
  Record("ended", good);
}
CASE(stress_stop_and_continue) {
  const pid_t child = fork();
  if (child == 0) {
    while (true) getppid();
  }
  int good = 0;
  for (int i = 0; i < 30; i++) {
    int status;
    kill(child, SIGSTOP);
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status)) break;
    kill(child, SIGCONT);
    if (waitpid(child, &status, WCONTINUED) != child || !WIFCONTINUED(status)) break;
    good++;
  }
  kill(child, SIGKILL);
  Record("good", good);
}
CASE(stress_kill_threads_in_calls) {
  int good = 0;
  for (int i = 0; i < 20; i++) {
    const pid_t child = fork();
    if (child == 0) {
      for (int t = 0; t < 6; t++) {
        std::thread([t] {
          while (true) {
            if (t % 3 == 0) getppid();
            if (t % 3 == 1) SleepMs(1);
            if (t % 3 == 2) {
              void* map =
                  mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              memset(map, 1, 65536);
              munmap(map, 65536);
            }
          }
        }).detach();
      }
      pause();
    }
    SleepMs(5 + i);
    kill(child, SIGKILL);
    int status;
    good += waitpid(child, &status, 0) == child && WIFSIGNALED(status);
  }
  Record("good", good);
}
CASE(stress_exit_while_threads_call) {
  int good = 0;
  for (int i = 0; i < 20; i++) {
    good += InChild([i] {
              for (int t = 0; t < 8; t++) {
                std::thread([] {
                  while (true) close(open("/dev/null", O_RDONLY));
                }).detach();
              }
              SleepMs(i % 5);
              _exit(33);
              return 0;
            }) == "exit 33";
  }
  Record("good", good);
}
CASE(stress_exec_while_threads_call) {
  int good = 0;
  for (int i = 0; i < 10; i++) {
    good += InChild([i] {
              for (int t = 0; t < 8; t++) {
                std::thread([] {
                  while (true) close(open("/dev/null", O_RDONLY));
                }).detach();
              }
              SleepMs(i % 5);
              execl("/bin/sh", "sh", "-c", "exit 34", nullptr);
              return 0;
            }) == "exit 34";
  }
  Record("good", good);
}
CASE(stress_memory_calls_in_threads) {
  std::atomic<long> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; t++) {
    threads.emplace_back([&wrong, t] {
      for (int i = 0; i < 200; i++) {
        const size_t size = 4096 * (1 + (i + t) % 16);
        auto* map = static_cast<unsigned char*>(
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (map == MAP_FAILED) {
          wrong++;
          continue;
        }
        memset(map, t + 1, size);
        mprotect(map, size, PROT_READ);
        for (size_t at = 0; at < size; at += 512) wrong += map[at] != t + 1;
        munmap(map, size);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  Record("wrong", wrong);
}
CASE(stress_files_in_threads) {
  std::atomic<long> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; t++) {
    threads.emplace_back([&wrong, t] {
      const std::string name = "t" + std::to_string(t), other = name + ".new";
      for (int i = 0; i < 60; i++) {
        const std::string text = name + ":" + std::to_string(i);
        const int fd = open(other.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644);
        wrong += write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size());
        close(fd);
        wrong += rename(other.c_str(), name.c_str()) != 0;
        wrong += Content(name.c_str()) != text;
      }
      wrong += unlink(name.c_str()) != 0;
    });
  }
  for (auto& thread : threads) thread.join();
  Record("wrong", wrong);
}
CASE(stress_one_name_from_many_processes) {
  int good = 0;
  std::vector<pid_t> children;
  for (int i = 0; i < 8; i++) {
    const pid_t child = fork();
    if (child == 0) {
      for (int k = 0; k < 100; k++) {
        const int fd = open("same", O_CREAT | O_RDWR, 0644);
        if (fd < 0) _exit(1);
        close(fd);
        if (unlink("same") < 0 && errno != ENOENT) _exit(2);
      }
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status;
    good += waitpid(child, &status, 0) == child && status == 0;
  }
  Record("good", good);
}
CASE(stress_append_from_many_processes) {
  Make("log");
  for (int i = 0; i < 5; i++) {
    if (fork() == 0) {
      const int fd = open("log", O_WRONLY | O_APPEND);
      for (int k = 0; k < 200; k++) {
        if (write(fd, "12345678\n", 9) != 9) _exit(1);
      }
      _exit(0);
    }
  }
  int status, bad = 0;
  while (wait(&status) > 0) bad += status != 0;
  struct stat st;
  MUST(stat("log", &st));
  Record("bad", bad);
  Record("size", st.st_size);
}
CASE(stress_epoll_with_many_writers) {
  const int e = epoll_create1(0);
  std::vector<std::thread> writers;
  constexpr int kPipes = 50, kBytes = 100;
  for (int i = 0; i < kPipes; i++) {
    int p[2];
    MUST(pipe2(p, O_NONBLOCK));
    epoll_event event = {EPOLLIN, {.fd = p[0]}};
    MUST(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event));
    writers.emplace_back([fd = p[1]] {
      for (int k = 0; k < kBytes; k++) {
        while (write(fd, "x", 1) != 1) SleepMs(1);
      }
      close(fd);
    });
  }
  long total = 0;
  int closed = 0;
  while (closed < kPipes) {
    epoll_event out[16];
    const int count = epoll_wait(e, out, 16, 5000);
    if (count <= 0) break;
    for (int i = 0; i < count; i++) {
      char buffer[64];
      const ssize_t length = read(out[i].data.fd, buffer, sizeof buffer);
      if (length > 0) total += length;
      if (length == 0) {
        closed++;
        close(out[i].data.fd);
      }
    }
  }
  for (auto& writer : writers) writer.join();
  Record("total", total);
  Record("closed", closed);
}
CASE(stress_socket_pairs_between_processes) {
  int good = 0;
  for (int i = 0; i < 20; i++) {
    int s[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    const pid_t child = fork();
    if (child == 0) {
      close(s[0]);
      const std::string data(100000, static_cast<char>('a' + i));
      _exit(write(s[1], data.data(), data.size()) == 100000 ? 0 : 1);
    }
    close(s[1]);
    good += Drain(s[0]).size() >= 65536;
    close(s[0]);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  Record("good", good);
}
CASE(stress_zombies_and_orphans) {
  for (int i = 0; i < 30; i++) {
    if (fork() == 0) {
      if (fork() == 0) {
        SleepMs(20);
        _exit(0);
      }
      _exit(0);
    }
  }
  int ended = 0, status;
  while (wait(&status) > 0) ended++;
  Record("ended", ended);
}
CASE(stress_deep_recursion_grows_the_stack) {
  Record("child", InChild([] {
           std::function<long(int)> down = [&](int depth) -> long {
             volatile char frame[4096];
             frame[0] = static_cast<char>(depth);
             return depth == 0 ? 0 : down(depth - 1) + (frame[0] == static_cast<char>(depth));
           };
           return down(1200) == 1200 ? 0 : 1;
         }));
}
