// Random programs: each is refused or runs within its bounds (asan looks), and
// Linux agrees on both counts. The seeds are fixed.
//
// What Linux says is found out in a child, which installs the program and makes
// some calls. The programs only refuse calls, so none has an effect; but none
// works any more either, so the child leaves its results in memory and ends by a
// trap.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <memory>
#include <random>

#include "bin/runsc-boot/seccomp/bpf.h"
#include "bin/runsc-boot/seccomp/filter.h"

// long ProbeCall(long number, const uint64_t args[6]): a system call whose
// address, as filters see it, is that of ProbeReturn.
asm(R"(
  .text
  .globl ProbeCall
  .globl ProbeReturn
ProbeCall:
  mov %rdi, %rax
  mov %rsi, %r11
  mov 0(%r11), %rdi
  mov 8(%r11), %rsi
  mov 16(%r11), %rdx
  mov 24(%r11), %r10
  mov 32(%r11), %r8
  mov 40(%r11), %r9
  syscall
ProbeReturn:
  ret
)");
extern "C" long ProbeCall(long number, const uint64_t* args);
extern "C" const char ProbeReturn[];

namespace runsc::boot::seccomp {
namespace {

using Code = std::vector<sock_filter>;
using Random = std::mt19937;

constexpr uint32_t kErrnoMask = 0xfff;
constexpr size_t kProbes = 6;

uint32_t Below(Random& random, uint32_t limit) {
  return std::uniform_int_distribution<uint32_t>(0, limit - 1)(random);
}

uint32_t Value(Random& random) {
  switch (Below(random, 4)) {
    case 0:
      return Below(random, 40);
    case 1:
      return uint32_t{1} << Below(random, 32);
    case 2:
      return ~Below(random, 40);
    default:
      return static_cast<uint32_t>(random());
  }
}

constexpr uint16_t kComputations[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND,
                                      BPF_OR,  BPF_XOR, BPF_LSH, BPF_RSH, BPF_NEG};
constexpr uint16_t kConditions[] = {BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JSET};
constexpr uint16_t kLoads[] = {
    BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_W | BPF_LEN, BPF_LD | BPF_IMM,
    BPF_LDX | BPF_IMM,        BPF_LD | BPF_MEM,         BPF_LDX | BPF_MEM};
constexpr uint16_t kMoves[] = {BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA, BPF_ST, BPF_STX};

template <size_t N>
uint16_t OneOf(Random& random, const uint16_t (&codes)[N]) {
  return codes[Below(random, N)];
}

// An instruction that is valid by itself, with `left` others that it may jump
// to. A scratch word may be read that has never been written.
sock_filter ValidInstruction(Random& random, uint32_t left) {
  sock_filter i{};
  switch (Below(random, 8)) {
    case 0:
    case 1:
      i.code = OneOf(random, kLoads);
      i.k = Value(random);
      if (BPF_MODE(i.code) == BPF_ABS) i.k = 4 * Below(random, sizeof(seccomp_data) / 4);
      if (BPF_MODE(i.code) == BPF_MEM) i.k = Below(random, BPF_MEMWORDS);
      break;
    case 2:
      i.code = OneOf(random, kMoves);
      i.k = Below(random, BPF_MEMWORDS);
      break;
    case 3:
    case 4:
    case 5: {
      const uint16_t operation = OneOf(random, kComputations);
      const bool by_register = operation != BPF_NEG && Below(random, 2) == 0;
      i.code = static_cast<uint16_t>(BPF_ALU | operation | (by_register ? BPF_X : BPF_K));
      i.k = Value(random);
      if (operation == BPF_LSH || operation == BPF_RSH) i.k %= 32;
      if (operation == BPF_DIV) i.k |= 1;
      break;
    }
    case 6:
      i.code = static_cast<uint16_t>(BPF_JMP | OneOf(random, kConditions) |
                                     (Below(random, 2) == 0 ? BPF_X : BPF_K));
      i.jt = static_cast<uint8_t>(Below(random, std::min<uint32_t>(left, 255)));
      i.jf = static_cast<uint8_t>(Below(random, std::min<uint32_t>(left, 255)));
      i.k = Value(random);
      break;
    default:
      if (Below(random, 4) == 0) {
        i.code = BPF_RET | BPF_K;
        i.k = SECCOMP_RET_ERRNO | (Value(random) & kErrnoMask);
      } else {
        i.code = BPF_JMP | BPF_JA;
        i.k = Below(random, std::min<uint32_t>(left, 4));
      }
  }
  return i;
}

// A program that does nothing but refuse calls. Its end turns the accumulator
// into an error number; no jump goes beyond the end's first instruction.
Code RefusingProgram(Random& random) {
  Code code;
  // Most scratch words have a value, so that not too many programs are invalid.
  for (uint32_t word = Below(random, 3); word < BPF_MEMWORDS; ++word) {
    code.push_back({BPF_ST, 0, 0, word});
  }
  const uint32_t size = 1 + Below(random, 40);
  for (uint32_t at = 0; at < size; ++at) code.push_back(ValidInstruction(random, size - at));
  code.push_back({BPF_ALU | BPF_AND | BPF_K, 0, 0, kErrnoMask});
  code.push_back({BPF_ALU | BPF_OR | BPF_K, 0, 0, SECCOMP_RET_ERRNO});
  code.push_back({BPF_RET | BPF_A, 0, 0, 0});
  return code;
}

// The same with some bits changed.
Code BrokenProgram(Random& random) {
  Code code = RefusingProgram(random);
  for (uint32_t changes = 1 + Below(random, 3); changes > 0; --changes) {
    sock_filter& i = code[Below(random, static_cast<uint32_t>(code.size()))];
    switch (Below(random, 5)) {
      case 0:
        i.code = static_cast<uint16_t>(random());
        break;
      case 1:
        i.code ^= static_cast<uint16_t>(1u << Below(random, 8));
        break;
      case 2:
        i.k = Value(random);
        break;
      case 3:
        i.jt = static_cast<uint8_t>(random());
        break;
      default:
        i.jf = static_cast<uint8_t>(random());
    }
  }
  if (Below(random, 8) == 0) code.resize(Below(random, static_cast<uint32_t>(code.size())) + 1);
  return code;
}

seccomp_data RandomCall(Random& random) {
  seccomp_data data{};
  // Linux shows uretprobe and uprobe to no filter.
  constexpr uint32_t kUretprobe = 335;
  data.nr = static_cast<int>(Below(random, kUretprobe));
  data.arch = AUDIT_ARCH_X86_64;
  data.instruction_pointer = reinterpret_cast<uint64_t>(ProbeReturn);
  for (auto& arg : data.args) arg = uint64_t{Value(random)} << 32 | Value(random);
  return data;
}

std::string Text(const Code& code) {
  std::string text;
  for (const sock_filter& i : code) {
    char line[64];
    snprintf(line, sizeof(line), "{%#x, %u, %u, %#x}, ", i.code, i.jt, i.jf, i.k);
    text += line;
  }
  return text;
}

// What the host says of a program.
struct HostVerdict {
  bool installed = false;
  size_t answered = 0;  // calls that came back
  std::array<long, kProbes> results{};
  int status = 0;  // of the child's end
};

class Host {
 public:
  HostVerdict Ask(const Code& code, std::span<const seccomp_data> calls) {
    Question question{code, calls, {}};
    // On the caller's memory and while it sleeps, as vfork(2) does it: cheap
    // also where a sanitizer's shadow would have to be copied.
    const pid_t child =
        clone(Answer, stack_.get() + kStackSize, CLONE_VM | CLONE_VFORK | SIGCHLD, &question);
    EXPECT_EQ(waitpid(child, &question.verdict.status, 0), child);
    return question.verdict;
  }

 private:
  static constexpr size_t kStackSize = 256 << 10;
  static constexpr unsigned kChildSeconds = 10;
  struct Question {
    const Code& code;
    std::span<const seccomp_data> calls;
    HostVerdict verdict;
  };

  static int Answer(void* argument) {
    auto& [code, calls, verdict] = *static_cast<Question*>(argument);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGILL, SIG_DFL);
    alarm(kChildSeconds);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const sock_fprog program{static_cast<uint16_t>(code.size()),
                             const_cast<sock_filter*>(code.data())};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) {
      verdict.installed = true;
      for (const seccomp_data& call : calls) {
        verdict.results[verdict.answered] =
            ProbeCall(call.nr, reinterpret_cast<const uint64_t*>(call.args));
        // Even if the next one is the last.
        std::atomic_signal_fence(std::memory_order_seq_cst);
        ++verdict.answered;
        std::atomic_signal_fence(std::memory_order_seq_cst);
      }
    }
    asm volatile("ud2");
    return 0;
  }

  const std::unique_ptr<char[]> stack_ = std::make_unique<char[]>(kStackSize);
};

// Neither when the machine lets nobody install filters, nor under tsan, which
// takes a child on the caller's memory for the caller.
bool HostCanBeAsked() {
#if defined(__SANITIZE_THREAD__)
  return false;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
  return false;
#endif
#endif
  Host host;
  return host.Ask({{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | 1}}, {}).installed;
}

// On the heap, where asan sees a step too far.
uint32_t RunOnHeap(const Code& code, const seccomp_data& call) {
  const Code exact(code);
  const auto data = std::make_unique<seccomp_data>(call);
  return seccomp::Run(exact, *data);
}

TEST(RandomPrograms, AreRefusedOrRunWithinBounds) {
  Random random(1);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    const Code code = i % 2 == 0 ? RefusingProgram(random) : BrokenProgram(random);
    if (!CheckProgram(code).ok()) continue;
    ++accepted;
    for (int probe = 0; probe < 4; ++probe) (void)RunOnHeap(code, RandomCall(random));
  }
  EXPECT_GT(accepted, 5000);
}

TEST(RandomPrograms, OfNoiseAreRefusedOrRunWithinBounds) {
  Random random(2);
  for (int i = 0; i < 100000; ++i) {
    Code code(1 + Below(random, 3));
    for (sock_filter& instruction : code) {
      instruction = {static_cast<uint16_t>(Below(random, 256)),
                     static_cast<uint8_t>(Below(random, 4)), static_cast<uint8_t>(Below(random, 4)),
                     Value(random)};
    }
    if (CheckProgram(code).ok()) (void)RunOnHeap(code, RandomCall(random));
  }
}

TEST(RandomPrograms, DoNotDependOnArgumentsWhenTheNumberDecides) {
  Random random(3);
  int decided = 0;
  for (int i = 0; i < 5000; ++i) {
    const Code code = RefusingProgram(random);
    if (!CheckProgram(code).ok()) continue;
    const seccomp_data call = RandomCall(random);
    const auto value = RunOnNumber(code, static_cast<uint32_t>(call.nr), call.arch);
    if (!value.has_value()) continue;
    ++decided;
    for (int probe = 0; probe < 4; ++probe) {
      seccomp_data other = RandomCall(random);
      other.nr = call.nr;
      ASSERT_EQ(RunOnHeap(code, other), *value) << Text(code);
    }
  }
  EXPECT_GT(decided, 100);
}

TEST(RandomPrograms, AreAcceptedWhereLinuxAccepts) {
  if (!HostCanBeAsked()) GTEST_SKIP() << "the host does not show what it thinks of filters";
  Random random(4);
  Host host;
  int accepted = 0, refused = 0;
  for (int i = 0; i < 1500; ++i) {
    const Code code = BrokenProgram(random);
    const bool valid = CheckProgram(code).ok();
    ASSERT_EQ(valid, host.Ask(code, {}).installed) << Text(code);
    ++(valid ? accepted : refused);
  }
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 100);
}

TEST(RandomPrograms, AnswerAsOnLinux) {
  if (!HostCanBeAsked()) GTEST_SKIP() << "the host does not show what it thinks of filters";
  Random random(5);
  Host host;
  int answers = 0, kills = 0;
  for (int i = 0; i < 1500; ++i) {
    const Code code = RefusingProgram(random);
    std::vector<seccomp_data> calls;
    std::generate_n(std::back_inserter(calls), kProbes, [&] { return RandomCall(random); });
    const bool valid = CheckProgram(code).ok();
    const HostVerdict verdict = host.Ask(code, calls);
    ASSERT_EQ(valid, verdict.installed) << Text(code);
    if (!valid) continue;
    for (size_t probe = 0; probe < kProbes; ++probe) {
      const uint32_t action = RunOnHeap(code, calls[probe]);
      if (action == SECCOMP_RET_KILL_THREAD) {
        ASSERT_EQ(verdict.answered, probe) << Text(code);
        ASSERT_TRUE(WIFSIGNALED(verdict.status) && WTERMSIG(verdict.status) == SIGSYS);
        ++kills;
        break;
      }
      ASSERT_EQ(action & ~kErrnoMask, SECCOMP_RET_ERRNO) << Text(code);
      ASSERT_GT(verdict.answered, probe) << Text(code);
      ASSERT_EQ(verdict.results[probe], -static_cast<long>(action & kErrnoMask)) << Text(code);
      ++answers;
    }
  }
  EXPECT_GT(answers, 1000);
  EXPECT_GT(kills, 5);
}

}  // namespace
}  // namespace runsc::boot::seccomp
