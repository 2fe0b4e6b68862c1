#include "bin/runsc-boot/kernel/task.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bin/runsc-boot/ipc_sysv/semaphores.h"
#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot {

namespace {

constexpr size_t kNameLength = 15;
// kAsleepKillable: only the end of the process interrupts it.
constexpr uint32_t kIdle = 0, kAsleep = 1, kWoken = 2, kAsleepKillable = 3;

bool IsAsleep(uint32_t state) { return state == kAsleep || state == kAsleepKillable; }

// Who makes a user namespace has had all rights in it before.
bool GainsCapabilities(const Credentials& old, const Credentials& now) {
  if (old.user_namespace == now.user_namespace) return (now.permitted & ~old.permitted) != 0;
  for (const UserNamespace* space = now.user_namespace.get(); space->parent() != nullptr;
       space = space->parent().get()) {
    if (space->parent() == old.user_namespace && space->owner_uid() == old.euid) return false;
  }
  return true;
}

}  // namespace

Task::Task(Key, Kernel& kernel, ThreadGroupRef group)
    : kernel_(kernel),
      group_(std::move(group)),
      namespaces_(kernel.namespaces()),
      start_ns_(MonotonicNow()) {}

Task::~Task() {
  // A child that the host did not make.
  if (semaphore_undo_ != nullptr) semaphore_undo_->Leave(group_->pid());
}

pid_t Task::tgid() const { return group_->pid(); }

std::string Task::name() const {
  absl::MutexLock lock(&state_mutex_);
  return name_;
}

void Task::set_name(std::string_view name) {
  absl::MutexLock lock(&state_mutex_);
  name_ = name.substr(0, kNameLength);
}

std::shared_ptr<MemoryManager> Task::memory_ref() const {
  absl::MutexLock lock(&state_mutex_);
  return memory_;
}

std::shared_ptr<FdTable> Task::fds_ref() const {
  absl::MutexLock lock(&state_mutex_);
  return fds_;
}

std::shared_ptr<FsContext> Task::fs_ref() const {
  absl::MutexLock lock(&state_mutex_);
  return fs_;
}

void Task::set_fds(std::shared_ptr<FdTable> fds) {
  absl::MutexLock lock(&state_mutex_);
  fds_.swap(fds);
}

void Task::set_fs(std::shared_ptr<FsContext> fs) {
  absl::MutexLock lock(&state_mutex_);
  fs_.swap(fs);
}

Vfs& Task::vfs() const { return kernel_.vfs(); }

CredentialsRef Task::credentials() const {
  absl::MutexLock lock(&state_mutex_);
  return credentials_;
}

void Task::set_credentials(Credentials credentials) {
  if (credentials.user_namespace == nullptr) credentials.user_namespace = kernel_.user_namespace();
  CredentialsRef fresh = std::make_shared<const Credentials>(std::move(credentials));
  {
    absl::MutexLock lock(&state_mutex_);
    credentials_.swap(fresh);
    if (fresh == nullptr) return;
    const Credentials &old = *fresh, &now = *credentials_;
    const bool same = old.euid == now.euid && old.egid == now.egid && old.fsuid == now.fsuid &&
                      old.fsgid == now.fsgid && !GainsCapabilities(old, now);
    if (same) return;
  }
  if (const auto memory = memory_ref(); memory != nullptr) memory->set_dumpable(0);
  set_parent_death_signal(0);
}

Scheduling Task::scheduling() const {
  absl::MutexLock lock(&state_mutex_);
  return scheduling_;
}

void Task::set_scheduling(Scheduling scheduling) {
  absl::MutexLock lock(&state_mutex_);
  scheduling_ = std::move(scheduling);
}

void Task::FollowAffinity() const {
  const std::vector<uint8_t> mask = scheduling().affinity;
  if (mask.empty()) return;
  const platform::ThreadRef thread = thread_ref();
  if (thread == nullptr || thread->host_tid() == 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (size_t cpu = 0; cpu < mask.size() * 8 && cpu < CPU_SETSIZE; ++cpu) {
    if ((mask[cpu / 8] >> cpu % 8 & 1) != 0) CPU_SET(cpu, &set);
  }
  (void)sched_setaffinity(thread->host_tid(), sizeof(set), &set);
}

uint64_t Task::file_size_limit() const { return group_->limit(RLIMIT_FSIZE).rlim_cur; }

Status Task::CopyIn(uint64_t address, void* buffer, size_t size) {
  if (memory_ == nullptr) return Error(EFAULT);
  return memory_->CopyIn(address, buffer, size);
}

Status Task::CopyOut(uint64_t address, const void* buffer, size_t size) {
  if (memory_ == nullptr) return Error(EFAULT);
  return memory_->CopyOut(address, buffer, size);
}

Result<std::string> Task::CopyInPath(uint64_t address) {
  return memory_->CopyInString(address, PATH_MAX - 1);
}

void Task::Wake() {
  if (IsAsleep(sleep_.exchange(kWoken))) {
    syscall(SYS_futex, &sleep_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
}

Status Task::Sleep(Deadline deadline) { return SleepOnFutex(deadline, kSignalWork | kKilled); }

bool Task::SleepUninterruptibly() { return SleepOnFutex(std::nullopt, kKilled).ok(); }

void Task::SleepAtEnd() { (void)SleepOnFutex(std::nullopt, 0).ok(); }

Status Task::SleepOnFutex(Deadline deadline, uint32_t stop_on) {
  const uint32_t asleep = (stop_on & kSignalWork) != 0 ? kAsleep : kAsleepKillable;
  uint32_t state = kIdle;
  if (!sleep_.compare_exchange_strong(state, asleep)) {
    sleep_.exchange(kIdle);
    return Ok();
  }
  if ((work_.load() & stop_on) != 0) {
    sleep_.exchange(kIdle);
    return Error(kRestartSys);
  }
  kernel_.platform().WillBlock(*thread_);
  timespec until{};
  if (deadline.has_value()) {
    const int64_t ns = std::max<int64_t>(*deadline, 0);
    until = {ns / 1'000'000'000, ns % 1'000'000'000};
  }
  while (sleep_.load() == asleep) {
    // FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC.
    const long result =
        syscall(SYS_futex, &sleep_, FUTEX_WAIT_BITSET_PRIVATE, asleep,
                deadline.has_value() ? &until : nullptr, nullptr, FUTEX_BITSET_MATCH_ANY);
    if (result < 0 && errno == ETIMEDOUT) {
      return sleep_.exchange(kIdle) == kWoken ? Ok() : Status(Error(ETIMEDOUT));
    }
  }
  sleep_.exchange(kIdle);
  return (work_.load() & stop_on) != 0 ? Status(Error(kRestartSys)) : Ok();
}

Status Task::AwaitStart(platform::AddressSpace& memory) {
  constexpr int kSliceMs = 10, kSlices = 100;
  if (memory.AwaitStart(0)) return Ok();
  kernel_.platform().WillBlock(*thread_);
  for (int i = 0; i < kSlices && !killed(); ++i) {
    if (memory.AwaitStart(kSliceMs)) return Ok();
  }
  return Error(EFAULT);
}

bool Task::exiting() const { return killed(); }

int Task::parent_death_signal() const { return parent_death_signal_.load(); }
void Task::set_parent_death_signal(int signo) { parent_death_signal_.store(signo); }
bool Task::keep_capabilities() const { return keep_capabilities_.load(); }
void Task::set_keep_capabilities(bool keep) { keep_capabilities_.store(keep); }

bool Task::in_application() const {
  absl::MutexLock lock(&state_mutex_);
  return where_ == Where::kApplication;
}

std::optional<platform::SyscallInfo> Task::current_call() const {
  absl::MutexLock lock(&state_mutex_);
  if (dead_ || where_ != Where::kKernel || call_ == nullptr) return std::nullopt;
  return *call_;
}

std::vector<pid_t> Task::children() const {
  std::vector<pid_t> pids;
  absl::MutexLock lock(&kernel_.tree_mutex());
  for (const ThreadGroupRef& child : group_->children_) {
    if (child->parent_task_ == this) pids.push_back(child->pid());
  }
  return pids;
}

void IoCounters::Add(const IoCounters& other) {
  bytes_read += other.bytes_read.load();
  bytes_written += other.bytes_written.load();
  reads += other.reads.load();
  writes += other.writes.load();
}

char Task::run_state() const {
  absl::MutexLock lock(&state_mutex_);
  if (dead_) return 'Z';
  if (parked_.load()) return 'T';
  switch (sleep_.load()) {
    case kAsleep:
      return 'S';
    case kAsleepKillable:
      return 'D';
    default:
      return 'R';
  }
}

}  // namespace runsc::boot
