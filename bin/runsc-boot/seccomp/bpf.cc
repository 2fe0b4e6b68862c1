#include "bin/runsc-boot/seccomp/bpf.h"

#include <array>
#include <cstring>
#include <vector>

namespace runsc::boot::seccomp {
namespace {

constexpr uint32_t kDataSize = sizeof(seccomp_data);

bool IsConditionalJump(uint16_t code) {
  switch (code) {
    case BPF_JMP | BPF_JEQ | BPF_K:
    case BPF_JMP | BPF_JEQ | BPF_X:
    case BPF_JMP | BPF_JGE | BPF_K:
    case BPF_JMP | BPF_JGE | BPF_X:
    case BPF_JMP | BPF_JGT | BPF_K:
    case BPF_JMP | BPF_JGT | BPF_X:
    case BPF_JMP | BPF_JSET | BPF_K:
    case BPF_JMP | BPF_JSET | BPF_X:
      return true;
    default:
      return false;
  }
}

// One instruction by itself; `left` is the number of those behind it.
bool IsAcceptable(const sock_filter& i, size_t left) {
  if (IsConditionalJump(i.code)) return i.jt < left && i.jf < left;
  switch (i.code) {
    case BPF_LD | BPF_W | BPF_ABS:
      return i.k % 4 == 0 && i.k < kDataSize;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
      return i.k < BPF_MEMWORDS;
    case BPF_ALU | BPF_DIV | BPF_K:
      return i.k != 0;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
      return i.k < 32;
    case BPF_JMP | BPF_JA:
      return i.k < left;
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
    case BPF_ALU | BPF_NEG:
    case BPF_ALU | BPF_ADD | BPF_K:
    case BPF_ALU | BPF_ADD | BPF_X:
    case BPF_ALU | BPF_SUB | BPF_K:
    case BPF_ALU | BPF_SUB | BPF_X:
    case BPF_ALU | BPF_MUL | BPF_K:
    case BPF_ALU | BPF_MUL | BPF_X:
    case BPF_ALU | BPF_DIV | BPF_X:
    case BPF_ALU | BPF_AND | BPF_K:
    case BPF_ALU | BPF_AND | BPF_X:
    case BPF_ALU | BPF_OR | BPF_K:
    case BPF_ALU | BPF_OR | BPF_X:
    case BPF_ALU | BPF_XOR | BPF_K:
    case BPF_ALU | BPF_XOR | BPF_X:
    case BPF_ALU | BPF_LSH | BPF_X:
    case BPF_ALU | BPF_RSH | BPF_X:
      return true;
    default:
      return false;
  }
}

// Whether every scratch word is written before it is read, on each path.
bool ScratchIsWrittenFirst(Program program) {
  // What has been written on all paths that lead to an instruction.
  std::vector<uint16_t> written_at(program.size(), 0xffff);
  uint16_t written = 0;
  for (size_t pc = 0; pc < program.size(); ++pc) {
    const sock_filter& i = program[pc];
    written &= written_at[pc];
    const auto bit = static_cast<uint16_t>(1u << (i.k % BPF_MEMWORDS));
    if (i.code == BPF_ST || i.code == BPF_STX) {
      written |= bit;
    } else if (i.code == (BPF_LD | BPF_MEM) || i.code == (BPF_LDX | BPF_MEM)) {
      if ((written & bit) == 0) return false;
    } else if (i.code == (BPF_JMP | BPF_JA)) {
      written_at[pc + 1 + i.k] &= written;
      written = 0xffff;
    } else if (IsConditionalJump(i.code)) {
      written_at[pc + 1 + i.jt] &= written;
      written_at[pc + 1 + i.jf] &= written;
      written = 0xffff;
    }
  }
  return true;
}

uint32_t Compute(uint16_t operation, uint32_t a, uint32_t operand) {
  switch (operation) {
    case BPF_ADD:
      return a + operand;
    case BPF_SUB:
      return a - operand;
    case BPF_MUL:
      return a * operand;
    case BPF_DIV:
      return a / operand;
    case BPF_AND:
      return a & operand;
    case BPF_OR:
      return a | operand;
    case BPF_XOR:
      return a ^ operand;
    case BPF_LSH:
      return a << (operand & 31);
    case BPF_RSH:
      return a >> (operand & 31);
    default:  // BPF_NEG
      return -a;
  }
}

bool Holds(uint16_t condition, uint32_t a, uint32_t operand) {
  switch (condition) {
    case BPF_JEQ:
      return a == operand;
    case BPF_JGE:
      return a >= operand;
    case BPF_JGT:
      return a > operand;
    default:  // BPF_JSET
      return (a & operand) != 0;
  }
}

// Loads at `known_size` and beyond end the evaluation without a value.
std::optional<uint32_t> Evaluate(Program program, const seccomp_data& data, uint32_t known_size) {
  uint32_t a = 0, x = 0;
  std::array<uint32_t, BPF_MEMWORDS> scratch{};
  for (size_t pc = 0; pc < program.size(); ++pc) {
    const sock_filter& i = program[pc];
    const uint32_t operand = BPF_SRC(i.code) == BPF_X ? x : i.k;
    switch (BPF_CLASS(i.code)) {
      case BPF_LD:
      case BPF_LDX: {
        uint32_t value = i.k;  // BPF_IMM
        if (BPF_MODE(i.code) == BPF_ABS) {
          if (i.k >= known_size) return std::nullopt;
          std::memcpy(&value, reinterpret_cast<const char*>(&data) + i.k, sizeof(value));
        } else if (BPF_MODE(i.code) == BPF_MEM) {
          value = scratch[i.k];
        } else if (BPF_MODE(i.code) == BPF_LEN) {
          value = kDataSize;
        }
        (BPF_CLASS(i.code) == BPF_LD ? a : x) = value;
        break;
      }
      case BPF_ST:
        scratch[i.k] = a;
        break;
      case BPF_STX:
        scratch[i.k] = x;
        break;
      case BPF_ALU:
        // As Linux: such a program ends with 0, which kills the thread.
        if (BPF_OP(i.code) == BPF_DIV && operand == 0) return 0;
        a = Compute(BPF_OP(i.code), a, operand);
        break;
      case BPF_JMP:
        if (BPF_OP(i.code) == BPF_JA) {
          pc += i.k;
        } else {
          pc += Holds(BPF_OP(i.code), a, operand) ? i.jt : i.jf;
        }
        break;
      case BPF_MISC:
        if (BPF_MISCOP(i.code) == BPF_TAX) {
          x = a;
        } else {
          a = x;
        }
        break;
      default:  // BPF_RET
        return BPF_RVAL(i.code) == BPF_A ? a : i.k;
    }
  }
  return 0;
}

}  // namespace

Status CheckProgram(Program program) {
  if (program.empty() || program.size() > BPF_MAXINSNS) return Error(EINVAL);
  for (size_t pc = 0; pc < program.size(); ++pc) {
    if (!IsAcceptable(program[pc], program.size() - pc - 1)) return Error(EINVAL);
  }
  if (BPF_CLASS(program.back().code) != BPF_RET) return Error(EINVAL);
  if (!ScratchIsWrittenFirst(program)) return Error(EINVAL);
  return Ok();
}

uint32_t Run(Program program, const seccomp_data& data) {
  return *Evaluate(program, data, kDataSize);
}

std::optional<uint32_t> RunOnNumber(Program program, uint32_t number, uint32_t arch) {
  seccomp_data data{};
  data.nr = static_cast<int>(number);
  data.arch = arch;
  return Evaluate(program, data, offsetof(seccomp_data, instruction_pointer));
}

}  // namespace runsc::boot::seccomp
