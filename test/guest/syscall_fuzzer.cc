// Throws system calls with random numbers and arguments at the kernel, from
// several processes, and says at the end that it is still there. Only for the
// sandbox: on a host this could do anything.
//
//   syscall_fuzzer SEED SECONDS
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <map>
#include <random>

namespace {

constexpr int kCalls = 470;
constexpr size_t kChildren = 4;
// It may wait for ever in one of its calls.
constexpr int kSecondsOfChild = 2;
// A child lives this many calls; new ones find a clean table again.
constexpr int kCallsOfChild = 3000;

// These would only end or stall the child that makes them.
bool Skipped(long number) {
  switch (number) {
    case SYS_exit:
    case SYS_exit_group:
    case SYS_pause:
    case SYS_rt_sigreturn:
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait:
    case SYS_vfork:
    case SYS_fork:
    case SYS_clone:
    case SYS_clone3:
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
      return true;
    default:
      return false;
  }
}

class Arguments {
 public:
  explicit Arguments(unsigned seed) : random_(seed) {
    memory_ = static_cast<char*>(
        mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (size_t i = 0; i < kSize; i++) memory_[i] = static_cast<char>(random_());
    snprintf(memory_, 32, "/tmp/fuzz");
    snprintf(memory_ + 64, 32, "/proc/self/status");
    snprintf(memory_ + 128, 32, "/data");
  }

  long Next() {
    switch (random_() % 12) {
      case 0:
        return 0;
      case 1:
        return -1;
      case 2:
        return random_() % 16;
      case 3:
        return 1L << random_() % 63;
      case 4:
        return static_cast<long>(random_());
      case 5:
        return reinterpret_cast<long>(memory_ + kSize - random_() % 32);
      case 6:
        return reinterpret_cast<long>(memory_ + random_() % 3 * 64);
      case 7:
        return -100;  // AT_FDCWD
      case 8:
        return 4096 * (random_() % 64);
      default:
        return reinterpret_cast<long>(memory_ + random_() % kSize / 8 * 8);
    }
  }
  long Number() { return random_() % kCalls; }

 private:
  static constexpr size_t kSize = 64 << 10;
  std::mt19937_64 random_;
  char* memory_;
};

[[noreturn]] void Fuzz(unsigned seed) {
  Arguments arguments(seed);
  // Standard descriptors stay the parent's own.
  const int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; fd++) dup2(null, fd);
  for (int i = 0; i < kCallsOfChild; i++) {
    const long number = arguments.Number();
    if (Skipped(number)) continue;
    syscall(number, arguments.Next(), arguments.Next(), arguments.Next(), arguments.Next(),
            arguments.Next(), arguments.Next());
  }
  _exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  unsigned seed = atoi(argv[1]);
  const time_t end = time(nullptr) + atoi(argv[2]);
  std::map<pid_t, time_t> running;  // with the time of their end
  long started = 0;
  while (time(nullptr) < end || !running.empty()) {
    if (running.size() < kChildren && time(nullptr) < end) {
      const pid_t child = fork();
      if (child == 0) Fuzz(seed);
      if (child > 0) running[child] = time(nullptr) + kSecondsOfChild;
      seed++;
      started++;
      continue;
    }
    const pid_t ended = waitpid(-1, nullptr, WNOHANG);
    if (ended > 0) {
      running.erase(ended);
      continue;
    }
    // From outside: a child may undo every alarm of its own.
    for (const auto& [child, limit] : running) {
      if (time(nullptr) > limit) kill(child, SIGKILL);
    }
    usleep(1000);
  }
  fprintf(stderr, "%ld processes\n", started);
  puts("still here");
  return 0;
}
