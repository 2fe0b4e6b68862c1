// Many tasks, for the robustness tests:
//
//   crowd threads N     N threads at once, all alive at the same moment
//   crowd processes N   N processes at once
//   crowd forks N       N forks, one after the other, for each line on stdin
//
// Prints one line for each thing done: "threads 1000", "forks 1000".
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <vector>

namespace {

std::atomic<int> g_alive{0};
std::atomic<bool> g_end{false};

void* Wait(void*) {
  ++g_alive;
  while (!g_end) usleep(20000);
  return nullptr;
}

int Threads(int count) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 << 10);
  std::vector<pthread_t> threads(static_cast<size_t>(count));
  for (pthread_t& thread : threads) {
    const int error = pthread_create(&thread, &attributes, Wait, nullptr);
    if (error != 0) return printf("thread %d: %s\n", g_alive.load(), strerror(error)), 1;
  }
  while (g_alive < count) usleep(1000);
  g_end = true;
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  printf("threads %d\n", g_alive.load());
  return 0;
}

int Processes(int count) {
  int p[2];
  if (pipe(p) != 0) return 1;
  std::vector<pid_t> children;
  for (int i = 0; i < count; i++) {
    const pid_t child = fork();
    if (child < 0) return perror("fork"), 1;
    if (child == 0) {
      close(p[1]);
      char c;
      _exit(read(p[0], &c, 1) == 0 ? 7 : 1);
    }
    children.push_back(child);
  }
  close(p[1]);
  int ended = 0;
  for (const pid_t child : children) {
    int status = 0;
    ended += waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7;
  }
  printf("processes %d\n", ended);
  return 0;
}

int Forks(int count) {
  char line[64];
  while (fgets(line, sizeof line, stdin) != nullptr) {
    int ended = 0;
    for (int i = 0; i < count; i++) {
      const pid_t child = fork();
      if (child < 0) return perror("fork"), 1;
      if (child == 0) _exit(3);
      int status = 0;
      ended += waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3;
    }
    printf("forks %d\n", ended);
    fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int count = atoi(argv[2]);
  if (strcmp(argv[1], "threads") == 0) return Threads(count);
  if (strcmp(argv[1], "processes") == 0) return Processes(count);
  if (strcmp(argv[1], "forks") == 0) return Forks(count);
  return 2;
}
