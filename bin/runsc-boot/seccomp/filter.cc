#include "bin/runsc-boot/seccomp/filter.h"

#include <linux/audit.h>
#include <sys/syscall.h>

#include <algorithm>
#include <utility>

#include "bin/runsc-boot/seccomp/bpf.h"

namespace runsc::boot::seccomp {
namespace {

// Newer than the C library's headers.
constexpr uint32_t kFutexWaitv = 449, kFutexWake = 454, kFutexWait = 455, kFutexRequeue = 456;

constexpr size_t kMaxChain = 32768;
constexpr size_t kCostPerFilter = 4;

// Linux compares actions as signed numbers: the smallest is the strongest.
int32_t Strength(uint32_t action) { return static_cast<int32_t>(action & SECCOMP_RET_ACTION_FULL); }

}  // namespace

const std::array<uint32_t, kNativeCallCount> kNativeCalls = {
    SYS_mmap,        SYS_munmap,        SYS_mprotect,        SYS_mremap,       SYS_madvise,
    SYS_brk,         SYS_futex,         kFutexWaitv,         kFutexWake,       kFutexWait,
    kFutexRequeue,   SYS_clock_gettime, SYS_clock_getres,    SYS_gettimeofday, SYS_time,
    SYS_sched_yield, SYS_rseq,          SYS_set_robust_list, SYS_arch_prctl,   SYS_set_tid_address,
    SYS_getpid,      SYS_gettid,        SYS_getrandom,       SYS_getcpu,
};

NativeCallSet NativeCallsOf(std::initializer_list<uint32_t> numbers) {
  NativeCallSet calls = 0;
  for (size_t i = 0; i < kNativeCallCount; ++i) {
    if (std::find(numbers.begin(), numbers.end(), kNativeCalls[i]) != numbers.end()) {
      calls |= NativeCallSet{1} << i;
    }
  }
  return calls;
}

Result<FilterRef> Filter::Create(std::vector<sock_filter> program, FilterRef previous,
                                 Options options) {
  TRY(CheckProgram(program));
  size_t total = program.size();
  for (const Filter* f = previous.get(); f != nullptr; f = f->previous()) {
    total += f->program_.size() + kCostPerFilter;
  }
  if (total > kMaxChain) return Error(ENOMEM);
  auto filter = std::make_shared<Filter>(Key(), std::move(previous));
  filter->program_ = std::move(program);
  filter->options_ = std::move(options);
  filter->Prepare();
  return FilterRef(std::move(filter));
}

FilterRef Filter::Strict() {
  auto filter = std::make_shared<Filter>(Key(), nullptr);
  filter->strict_ = true;
  for (long number : {SYS_read, SYS_write, SYS_exit, SYS_rt_sigreturn}) {
    filter->always_allowed_.set(static_cast<size_t>(number));
  }
  filter->native_calls_ = (NativeCallSet{1} << kNativeCallCount) - 1;
  return filter;
}

Filter::~Filter() {
  if (options_.notifier != nullptr) options_.notifier->FilterGone();
  // Not by recursion: a chain may have thousands.
  FilterRef next = std::move(const_cast<FilterRef&>(previous_));
  while (next != nullptr && next.use_count() == 1) {
    FilterRef after = std::move(const_cast<FilterRef&>(next->previous_));
    next = std::move(after);
  }
}

void Filter::Prepare() {
  count_ = previous_ == nullptr ? 1 : previous_->count_ + 1;
  for (size_t number = 0; number < kNumbers; ++number) {
    if (previous_ != nullptr && !previous_->always_allowed_[number]) continue;
    const auto value = RunOnNumber(program_, static_cast<uint32_t>(number), AUDIT_ARCH_X86_64);
    always_allowed_[number] =
        value.has_value() && (*value & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW;
  }
  for (size_t i = 0; i < kNativeCallCount; ++i) {
    if (!always_allowed_[kNativeCalls[i]]) native_calls_ |= NativeCallSet{1} << i;
  }
}

bool Filter::DescendsFrom(const Filter* other) const {
  if (other == nullptr) return true;
  const Filter* f = this;
  while (f != nullptr && f != other) f = f->previous();
  return f != nullptr;
}

bool Filter::HasNotifier() const {
  const Filter* f = this;
  while (f != nullptr && f->options_.notifier == nullptr) f = f->previous();
  return f != nullptr;
}

Filter::Verdict Filter::Evaluate(const seccomp_data& data) const {
  if (strict_) return {SECCOMP_RET_KILL_THREAD, this};
  Verdict verdict{SECCOMP_RET_ALLOW, this};
  for (const Filter* f = this; f != nullptr; f = f->previous()) {
    const uint32_t action = Run(f->program_, data);
    if (Strength(action) < Strength(verdict.action)) verdict = {action, f};
  }
  return verdict;
}

}  // namespace runsc::boot::seccomp
