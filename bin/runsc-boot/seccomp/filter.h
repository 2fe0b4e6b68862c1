// A filter of seccomp(2) and those that were installed before it. Filters are
// immutable and shared by the threads that inherited them.
//
//   TRY_ASSIGN(FilterRef filter, Filter::Create(std::move(program), old, {}));
//   if (!filter->AlwaysAllows(number)) verdict = filter->Evaluate(data);
#ifndef RUNSC_BOOT_SECCOMP_FILTER_H_
#define RUNSC_BOOT_SECCOMP_FILTER_H_

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/result.h"

// Newer than Debian 12's headers.
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace runsc::boot::seccomp {

// The calls that the host may execute for the application without asking
// (platform/stub_filter.cc has the rules). A filter that has an opinion on one
// of them makes it trap from then on. restart_syscall(2) stays the host's: it
// only continues what was allowed.
inline constexpr size_t kNativeCallCount = 24;
extern const std::array<uint32_t, kNativeCallCount> kNativeCalls;
// Bit n for kNativeCalls[n].
using NativeCallSet = uint32_t;
NativeCallSet NativeCallsOf(std::initializer_list<uint32_t> numbers);

// The other side of SECCOMP_FILTER_FLAG_NEW_LISTENER, as the filter knows it.
class Notifier {
 public:
  virtual ~Notifier() = default;
  // Nobody has the filter any more: no notification will come.
  virtual void FilterGone() = 0;
};

class Filter;
using FilterRef = std::shared_ptr<const Filter>;

class Filter {
  struct Key {
    explicit Key() = default;
  };

 public:
  struct Options {
    bool log = false;
    bool wait_killable = false;
    std::shared_ptr<Notifier> notifier;
  };
  struct Verdict {
    uint32_t action = SECCOMP_RET_ALLOW;  // with its data
    const Filter* filter = nullptr;       // the one that decided
  };

  // Puts `program` before `previous`. EINVAL: not a valid program; ENOMEM: more
  // than 32,768 instructions in the chain (four added per filter).
  static Result<FilterRef> Create(std::vector<sock_filter> program, FilterRef previous,
                                  Options options);
  // SECCOMP_MODE_STRICT: read, write, exit and rt_sigreturn only.
  static FilterRef Strict();

  Filter(Key, FilterRef previous) : previous_(std::move(previous)) {}
  ~Filter();

  bool strict() const { return strict_; }
  // As PR_GET_SECCOMP and /proc/PID/status show it.
  int mode() const { return strict_ ? SECCOMP_MODE_STRICT : SECCOMP_MODE_FILTER; }
  // How many filters there are, this one included; 0 in strict mode.
  size_t count() const { return count_; }
  // As it was installed; empty in strict mode.
  std::span<const sock_filter> program() const { return program_; }
  const Filter* previous() const { return previous_.get(); }
  const Options& options() const { return options_; }
  // Whether this is `other` or has it further back; null is before all.
  bool DescendsFrom(const Filter* other) const;
  // Whether one of the chain has a listener.
  bool HasNotifier() const;

  // True for calls of x86-64 that all filters allow whatever their arguments.
  bool AlwaysAllows(uint64_t number) const {
    return number < always_allowed_.size() && always_allowed_[number];
  }
  // Native calls that some filter does not always allow.
  NativeCallSet native_calls() const { return native_calls_; }
  // The strongest action of all filters; the youngest filter's among equals.
  Verdict Evaluate(const seccomp_data& data) const;

 private:
  // Table numbers end well below.
  static constexpr size_t kNumbers = 512;
  void Prepare();

  const FilterRef previous_;
  std::vector<sock_filter> program_;
  Options options_;
  bool strict_ = false;
  size_t count_ = 0;
  std::bitset<kNumbers> always_allowed_;
  NativeCallSet native_calls_ = 0;
};

}  // namespace runsc::boot::seccomp

#endif  // RUNSC_BOOT_SECCOMP_FILTER_H_
