#include "bin/runsc-boot/loader/stack.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

namespace runsc::boot {
namespace {

constexpr uint64_t kTop = 0x7ff000800000;

class StackView {
 public:
  explicit StackView(const InitialStack& stack) : stack_(stack) {}
  uint64_t Word(size_t index) const {
    uint64_t word;
    memcpy(&word, stack_.bytes.data() + index * 8, 8);
    return word;
  }
  std::string String(uint64_t address) const {
    return reinterpret_cast<const char*>(stack_.bytes.data() + (address - stack_.stack_pointer));
  }

 private:
  const InitialStack& stack_;
};

TEST(Stack, HasArgumentsEnvironmentAndAuxiliaryVector) {
  for (size_t count : {1u, 2u, 3u}) {
    const std::vector<std::string> args(count, "arg");
    const std::vector<std::string> env = {"A=1", "B=2"};
    const std::string filename = "/bin/x";
    const InitialStack stack = BuildStack({args, env, filename, {}, {{AT_PAGESZ, 4096}}}, kTop);
    StackView view(stack);
    EXPECT_EQ(stack.stack_pointer % 16, 0u);
    EXPECT_EQ(stack.stack_pointer + stack.bytes.size(), kTop);
    EXPECT_EQ(view.Word(0), count);
    EXPECT_EQ(view.String(view.Word(count)), "arg");
    EXPECT_EQ(view.Word(count + 1), 0u);
    EXPECT_EQ(view.String(view.Word(count + 2)), "A=1");
    EXPECT_EQ(view.Word(count + 4), 0u);
    EXPECT_EQ(view.Word(count + 5), static_cast<uint64_t>(AT_PAGESZ));
    bool found = false;
    for (size_t i = count + 5; view.Word(i) != AT_NULL; i += 2) {
      if (view.Word(i) == AT_EXECFN) found = view.String(view.Word(i + 1)) == filename;
    }
    EXPECT_TRUE(found);
    EXPECT_EQ(stack.arg_end - stack.arg_start, 4 * count);
    EXPECT_EQ(stack.env_end - stack.env_start, 8u);
  }
}

TEST(Stack, LimitsOfArguments) {
  constexpr uint64_t k8MiB = 8 << 20;
  EXPECT_EQ(MaxArgBytes(k8MiB), 2u << 20);
  EXPECT_EQ(MaxArgBytes(0), 131072u);
  EXPECT_EQ(MaxArgBytes(~uint64_t{0}), 6u << 20);
  EXPECT_TRUE(CheckArgLimits({std::string(kMaxArgString - 1, 'x')}, {}, k8MiB).ok());
  EXPECT_EQ(CheckArgLimits({std::string(kMaxArgString, 'x')}, {}, k8MiB).code(), E2BIG);
  const std::vector<std::string> many(17, std::string(100000, 'x'));
  EXPECT_TRUE(CheckArgLimits(many, {}, k8MiB).ok());
  EXPECT_EQ(CheckArgLimits(many, many, k8MiB).code(), E2BIG);
}

}  // namespace
}  // namespace runsc::boot
