// Prints the cost of each primitive of the platform, in microseconds, beside
// the host's own where there is one. --one-core pins everything to one CPU;
// --only=PREFIX measures the cases whose names begin so.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/platform/testing/test_kernel.h"

namespace runsc::boot::platform {
namespace {

constexpr char kGuest[] = "bin/runsc-boot/platform/testing/bench_guest";

int Main(int argc, char** argv) {
  std::string only;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "--one-core") {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(0, &set);
      sched_setaffinity(0, sizeof set, &set);
    } else if (argument.rfind("--only=", 0) == 0) {
      only = argument.substr(7);
    }
  }
  // As in boot: the library's own builds look for deadlocks.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  std::printf("%-44s %9s %9s\n-- platform\n", "microseconds", "min", "median");
  testing::TestKernel kernel(kGuest);
  int status = kernel.Run({"bench", "/guest", only});
  std::printf("%s-- host\n", kernel.output().c_str());
  std::fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    (void)!freopen(kGuest, "r", stdin);
    execl(kGuest, kGuest, "native", kGuest, only.c_str(), nullptr);
    _exit(127);
  }
  waitpid(pid, nullptr, 0);
  return status;
}

}  // namespace
}  // namespace runsc::boot::platform

int main(int argc, char** argv) { return runsc::boot::platform::Main(argc, argv); }
