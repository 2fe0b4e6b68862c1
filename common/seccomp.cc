#include "common/seccomp.h"

#include <seccomp.h>

#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace runsc {
namespace {

using Context = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

std::string CallName(int call) {
  std::unique_ptr<char, void (*)(void*)> name(
      seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call), free);
  return name ? std::string(name.get()) : absl::StrCat("call ", call);
}

scmp_arg_cmp ToLibrary(const ArgCheck& check) {
  switch (check.op()) {
    case ArgCheck::Operator::kEqual:
      return {check.index(), SCMP_CMP_EQ, check.value(), 0};
    case ArgCheck::Operator::kNotEqual:
      return {check.index(), SCMP_CMP_NE, check.value(), 0};
    case ArgCheck::Operator::kLess:
      return {check.index(), SCMP_CMP_LT, check.value(), 0};
    case ArgCheck::Operator::kGreaterOrEqual:
      return {check.index(), SCMP_CMP_GE, check.value(), 0};
    case ArgCheck::Operator::kMaskedEqual:
      return {check.index(), SCMP_CMP_MASKED_EQ, check.mask(), check.value()};
  }
  abort();
}

}  // namespace

std::string ArgCheck::Describe() const {
  switch (operator_) {
    case Operator::kEqual:
      return absl::StrFormat("arg%d == %#x", index_, value_);
    case Operator::kNotEqual:
      return absl::StrFormat("arg%d != %#x", index_, value_);
    case Operator::kLess:
      return absl::StrFormat("arg%d < %#x", index_, value_);
    case Operator::kGreaterOrEqual:
      return absl::StrFormat("arg%d >= %#x", index_, value_);
    case Operator::kMaskedEqual:
      return absl::StrFormat("(arg%d & %#x) == %#x", index_, mask_, value_);
  }
  abort();
}

FilterBuilder& FilterBuilder::Allow(int call, std::initializer_list<ArgCheck> checks,
                                    std::string reason) {
  rules_.push_back({call, 0, checks, std::move(reason)});
  return *this;
}

FilterBuilder& FilterBuilder::Refuse(int call, int error, std::string reason) {
  rules_.push_back({call, error, {}, std::move(reason)});
  return *this;
}

Status FilterBuilder::Install() const {
  Context context(seccomp_init(SCMP_ACT_KILL_PROCESS), seccomp_release);
  if (!context) return MakeError(ENOMEM, "make seccomp filter");
  for (const Rule& rule : rules_) {
    std::vector<scmp_arg_cmp> checks;
    for (const ArgCheck& check : rule.checks) checks.push_back(ToLibrary(check));
    uint32_t action = rule.refuse_with ? SCMP_ACT_ERRNO(rule.refuse_with) : SCMP_ACT_ALLOW;
    int result = seccomp_rule_add_array(context.get(), action, rule.call,
                                        static_cast<unsigned>(checks.size()), checks.data());
    if (result < 0) return MakeError(-result, "add seccomp rule for", CallName(rule.call));
  }
  int result = seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  if (result == 0) result = seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_NNP, 1);
  if (result == 0) result = seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  // A binary tree instead of a list: the cost of a call does not depend on
  // its place in the filter.
  if (result == 0) result = seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (result == 0) result = seccomp_load(context.get());
  if (result < 0) return MakeError(-result, "install seccomp filter");
  return Ok();
}

std::string FilterBuilder::Describe() const {
  std::string text;
  for (const Rule& rule : rules_) {
    std::string checks;
    for (const ArgCheck& check : rule.checks) {
      absl::StrAppend(&checks, checks.empty() ? "" : ", ", check.Describe());
    }
    if (rule.refuse_with) checks = absl::StrCat("refused with errno ", rule.refuse_with);
    absl::StrAppend(&text, CallName(rule.call), checks.empty() ? "" : " if ", checks, ": ",
                    rule.reason, "\n");
  }
  return text;
}

}  // namespace runsc
