#include "bin/runsc-boot/kernel/load_average.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/thread_group.h"

namespace runsc::boot {

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kPeriod = 5 * kSecond;
// Beyond it, one sample would stand for a time that it knows nothing of.
constexpr int64_t kLongestSample = kPeriod * 3 / 2;
// Whoever asks more often than that gets the same answer.
constexpr int64_t kShortest = kSecond / 10;
// How long samples are taken for somebody who does not come back.
constexpr int64_t kInterest = 900 * kSecond;
constexpr std::array<double, 3> kSpansNs = {60e9, 300e9, 900e9};
constexpr double kIdle = 0.005;  // rounds to nothing

// What the host says of a thread that is out of boot's sight.
bool RunsOnHost(const platform::ThreadRef& thread) {
  std::ifstream file(
      absl::StrCat("/proc/", thread->process()->host_pid(), "/task/", thread->host_tid(), "/stat"));
  std::string line;
  if (!std::getline(file, line)) return false;
  // The name before it may hold anything.
  const size_t name_end = line.rfind(')');
  return name_end != std::string::npos && line.compare(name_end, 3, ") R") == 0;
}

}  // namespace

LoadAverage::LoadAverage(Kernel& kernel)
    : kernel_(kernel),
      updated_ns_(kernel.boot_time_monotonic_ns()),
      timer_(kernel.timers(), [this] { OnTimer(); }) {}

size_t LoadAverage::Running(const Task* reader) const {
  size_t running = 0;
  for (const ThreadGroupRef& group : kernel_.Groups()) {
    for (const TaskRef& task : group->tasks()) {
      if (task.get() == reader || task->run_state() != 'R') continue;
      if (!task->in_application()) {
        ++running;
        continue;
      }
      const platform::ThreadRef thread = task->thread_ref();
      if (thread != nullptr && RunsOnHost(thread)) ++running;
    }
  }
  return running;
}

LoadAverage::CpuTime LoadAverage::TotalCpuTime() const {
  CpuTime total;
  for (const ThreadGroupRef& group : kernel_.Groups()) {
    Usage usage = group->usage();
    usage.Add(group->children_usage());
    total.user_ns += usage.user_ns;
    total.system_ns += usage.system_ns;
  }
  return total;
}

bool LoadAverage::Update(const Task* reader) {
  const int64_t now = MonotonicNow();
  if (now - updated_ns_ < kShortest) return true;
  const auto passed = static_cast<double>(now - updated_ns_);
  const CpuTime total = TotalCpuTime();
  const uint64_t cpu_ns = total.user_ns + total.system_ns;
  // It may shrink, by a process that nobody waited for.
  const double busy = static_cast<double>(cpu_ns - std::min(cpu_ns_, cpu_ns)) / passed;
  const double active =
      now - updated_ns_ > kLongestSample ? busy : static_cast<double>(Running(reader));
  for (size_t i = 0; i < averages_.size(); ++i) {
    const double weight = std::exp(-passed / kSpansNs[i]);
    averages_[i] = averages_[i] * weight + active * (1 - weight);
  }
  updated_ns_ = now;
  cpu_ns_ = cpu_ns;
  return active > 0 || busy > kIdle;
}

LoadAverage::Averages LoadAverage::Read(const Task* reader) {
  absl::MutexLock lock(&mutex_);
  Update(reader);
  read_ns_ = updated_ns_;
  if (!sampling_) timer_.Arm(updated_ns_ + kPeriod);
  sampling_ = true;
  return averages_;
}

void LoadAverage::OnTimer() {
  absl::MutexLock lock(&mutex_);
  sampling_ = Update(nullptr) && updated_ns_ - read_ns_ < kInterest;
  if (sampling_) timer_.Arm(updated_ns_ + kPeriod);
}

}  // namespace runsc::boot
