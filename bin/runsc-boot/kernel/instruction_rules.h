// The instructions that take a memory operand by a ModRM byte: which they are,
// how they use it and how long it is. For memory_accesses.cc alone.
#ifndef RUNSC_BOOT_KERNEL_INSTRUCTION_RULES_H_
#define RUNSC_BOOT_KERNEL_INSTRUCTION_RULES_H_

#include <cstdint>
#include <span>

namespace runsc::boot {

// How an instruction uses its operand in memory. kNone: has the operand, but
// does not use it (lea), or has a register there.
enum class Use : uint8_t { kNone, kRead, kWrite, kUpdate };

// How long the operand is. The values up to kMaxFixed are numbers of bytes.
enum class Length : uint16_t {
  kMaxFixed = 1024,
  kOperand,      // 2, 4 or 8, by the operand size
  kNatural,      // 4, or 8 with W
  kStack,        // 8, or 2 with an operand size prefix
  kFar,          // a far pointer: kOperand and a selector
  kVector,       // 16, 32 or 64, by the vector length
  kHalf,         // parts of that
  kQuarter,      //
  kEighth,       //
  kPacked,       // kVector, or an element with a prefix F3 (4) or F2 (8)
  kMask,         // of a register for masks: 1 to 8, by prefix and W
  kMmx,          // 8 without prefix, else kVector
  kTwin,         // 8, or 16 with W
  kEnvironment,  // of x87: 28, or 14 with an operand size prefix
  kState,        // of x87: 108, or 94
  kDuplicated,   // movddup: 8, longer vectors as a whole
};

constexpr Length Bytes(uint16_t count) { return static_cast<Length>(count); }

// The encoding of an instruction, as bits of Rule::forms.
enum Form : uint8_t {
  kPlain = 1,  // no prefix 66, F3 or F2
  k66 = 2,
  kF3 = 4,
  kF2 = 8,
  kAnyPrefix = 15,
  kLegacy = 16,
  kVex = 32,
  kEvex = 64,
  kAnyEncoding = 112,
  kAny = 127,
};

struct Rule {
  uint8_t first, last;  // opcodes
  uint8_t forms;        // of Form
  uint8_t digits;       // bits: values of the reg field; 0: any
  Use use;
  Length length;
  uint8_t immediate = 0;  // bytes; kOperandImmediate: 2 or 4
};
inline constexpr uint8_t kOperandImmediate = 0xff;

// The first that fits holds, by map of opcodes: one byte, 0F, 0F 38, 0F 3A. An
// instruction for which none does has no operand by ModRM.
std::span<const Rule> InstructionRules(int map);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_INSTRUCTION_RULES_H_
