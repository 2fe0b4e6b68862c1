// Builds the allow-list of system calls that a process may make, with the
// reason for each.
//
//   FilterBuilder filter;
//   filter.Allow(SYS_pread64, "read a donated descriptor")
//       .Allow(SYS_socket, {Arg(0).Is(AF_UNIX)}, "connect to the host's sockets");
//   TRY(filter.Install());
//
// Whatever is not allowed kills the process.
#ifndef RUNSC_COMMON_SECCOMP_H_
#define RUNSC_COMMON_SECCOMP_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "common/result.h"

namespace runsc {

// A condition on one argument of a system call. Comparisons are of 64 bits;
// for a 32-bit argument use MaskedIs(0xffffffff, ...) if its upper half may
// be anything.
class ArgCheck {
 public:
  enum class Operator { kEqual, kNotEqual, kLess, kGreaterOrEqual, kMaskedEqual };
  ArgCheck(unsigned index, Operator op, uint64_t value, uint64_t mask = ~uint64_t{0})
      : index_(index), operator_(op), value_(value), mask_(mask) {}

  unsigned index() const { return index_; }
  Operator op() const { return operator_; }
  uint64_t value() const { return value_; }
  uint64_t mask() const { return mask_; }
  // "arg1 & 0x3 == 0x0"
  std::string Describe() const;

 private:
  unsigned index_;
  Operator operator_;
  uint64_t value_, mask_;
};

// Names an argument in a rule: Arg(2).Is(O_RDONLY).
class Arg {
 public:
  explicit Arg(unsigned index) : index_(index) {}
  ArgCheck Is(uint64_t value) const { return {index_, ArgCheck::Operator::kEqual, value}; }
  ArgCheck IsNot(uint64_t value) const { return {index_, ArgCheck::Operator::kNotEqual, value}; }
  ArgCheck IsBelow(uint64_t value) const { return {index_, ArgCheck::Operator::kLess, value}; }
  ArgCheck IsAtLeast(uint64_t value) const {
    return {index_, ArgCheck::Operator::kGreaterOrEqual, value};
  }
  // (argument & mask) == value
  ArgCheck MaskedIs(uint64_t mask, uint64_t value) const {
    return {index_, ArgCheck::Operator::kMaskedEqual, value, mask};
  }
  // No bits besides these are set.
  ArgCheck HasOnly(uint64_t bits) const { return MaskedIs(~bits, 0); }
  // An int argument, whose upper half the kernel ignores.
  ArgCheck IsInt(int value) const { return MaskedIs(0xffffffff, static_cast<uint32_t>(value)); }

 private:
  unsigned index_;
};

class FilterBuilder {
 public:
  FilterBuilder& Allow(int call, std::string reason) { return Allow(call, {}, std::move(reason)); }
  // All checks must hold. Several rules for one call are alternatives.
  FilterBuilder& Allow(int call, std::initializer_list<ArgCheck> checks, std::string reason);
  // Makes `call` fail with `error` instead of killing the process.
  FilterBuilder& Refuse(int call, int error, std::string reason);

  // Sets no_new_privs and installs the filter on all threads. Errors: EINVAL
  // for a rule that cannot be built, else those of seccomp(2).
  Status Install() const;
  // One line per rule: name, checks and reason, for --print-privileges.
  std::string Describe() const;

 private:
  struct Rule {
    int call;
    int refuse_with;  // 0: allowed
    std::vector<ArgCheck> checks;
    std::string reason;
  };
  std::vector<Rule> rules_;
};

}  // namespace runsc

#endif  // RUNSC_COMMON_SECCOMP_H_
