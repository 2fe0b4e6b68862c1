#include "bin/runsc-boot/platform/host_process.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace runsc::boot::platform {
namespace {

// The clocks of another process: see clock_getcpuclockid(3) for the encoding.
constexpr int kSampledClock = 0;  // user and system
constexpr int kUserClock = 1;
constexpr int kTotalClock = 2;

uint64_t ProcessClock(pid_t host_pid, int kind) {
  auto clock = static_cast<clockid_t>((~static_cast<unsigned>(host_pid) << 3) | kind);
  timespec time{};
  if (host_pid == 0) return 0;
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

void StubProcess::Kill() {
  killed_.store(true, std::memory_order_release);
  KillForMisbehaviour();
}

void StubProcess::Signal(int signo) {
  absl::MutexLock lock(&mutex_);
  if (pidfd_) syscall(SYS_pidfd_send_signal, pidfd_.get(), signo, nullptr, 0);
}

void StubProcess::Adopt(pid_t host_pid, FileDescriptor pidfd) {
  {
    absl::MutexLock lock(&mutex_);
    pidfd_ = std::move(pidfd);
  }
  host_pid_.store(host_pid, std::memory_order_release);
  if (killed()) KillForMisbehaviour();
}

int StubProcess::pidfd() {
  absl::MutexLock lock(&mutex_);
  return pidfd_.get();
}

// The host samples by ticks who runs, and knows the sum exactly: as for its own
// getrusage(2), the samples only divide it.
uint64_t StubProcess::UserTimeNs() const {
  const uint64_t sampled = ProcessClock(host_pid(), kSampledClock);
  const uint64_t user = ProcessClock(host_pid(), kUserClock), total = TotalTimeNs();
  if (user >= sampled) return total;
  return static_cast<uint64_t>(static_cast<double>(total) * static_cast<double>(user) /
                               static_cast<double>(sampled));
}
uint64_t StubProcess::TotalTimeNs() const { return ProcessClock(host_pid(), kTotalClock); }

bool StubProcess::AddThread(std::shared_ptr<StubThread> thread) {
  absl::MutexLock lock(&mutex_);
  if (ended_) return false;
  threads_.push_back(std::move(thread));
  return true;
}

std::vector<std::shared_ptr<StubThread>> StubProcess::End() {
  absl::MutexLock lock(&mutex_);
  ended_ = true;
  exec_thread_ = nullptr;
  return std::exchange(threads_, {});
}

void StubProcess::RemoveThread(const StubThread* thread) {
  absl::MutexLock lock(&mutex_);
  std::erase_if(threads_, [&](const auto& entry) { return entry.get() == thread; });
}

std::vector<std::shared_ptr<StubThread>> StubProcess::TakeThreads() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(threads_, {});
}

bool StubProcess::BeginExec(std::shared_ptr<StubThread> thread) {
  absl::MutexLock lock(&mutex_);
  if (exec_thread_ != nullptr) return false;
  exec_thread_ = std::move(thread);
  return true;
}

std::shared_ptr<StubThread> StubProcess::EndExec() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(exec_thread_, nullptr);
}

std::shared_ptr<StubThread> StubProcess::exec_thread() {
  absl::MutexLock lock(&mutex_);
  return exec_thread_;
}

}  // namespace runsc::boot::platform
