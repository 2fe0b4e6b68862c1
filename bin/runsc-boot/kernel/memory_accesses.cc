#include "bin/runsc-boot/kernel/memory_accesses.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "bin/runsc-boot/kernel/instruction_rules.h"

namespace runsc::boot {

namespace {

constexpr int kRsp = 4, kRbp = 5;

class Decoder {
 public:
  Decoder(std::span<const uint8_t> code, const platform::Registers& registers, MaskReader masks)
      : code_(code.first(std::min(code.size(), kMaxInstruction))),
        registers_(registers),
        masks_(masks) {}

  Instruction Decode() {
    ReadPrefixes();
    ReadOpcode();
    if (map_ == 0) {
      ByOpcode();
      if ((opcode_ & 0xc4) == 0 && (opcode_ & 7) < 4) {
        // Arithmetic in eight variants; the last one compares.
        const bool to_memory = (opcode_ & 2) == 0 && opcode_ < 0x38;
        const Length length = (opcode_ & 1) == 0 ? Bytes(1) : Length::kOperand;
        Modrm(Rule{0, 0, 0, 0, to_memory ? Use::kUpdate : Use::kRead, length});
        return Result();
      }
    } else if (map_ == 1) {
      if (opcode_ == 0xa0 || opcode_ == 0xa8) Push(StackSize());
      if (opcode_ == 0xa1 || opcode_ == 0xa9) Pop(StackSize());
      if (opcode_ == 0xf7 && encoding_ != kEvex) MaskedStore();
    }
    if (const Rule* rule = FindRule(); rule != nullptr) Modrm(*rule);
    return Result();
  }

 private:
  Instruction Result() { return failed_ ? Instruction() : instruction_; }

  uint8_t Next() {
    if (at_ >= code_.size()) {
      failed_ = true;
      return 0;
    }
    return code_[at_++];
  }
  uint8_t Peek() const { return at_ < code_.size() ? code_[at_] : uint8_t{0}; }
  template <typename T>
  T NextValue() {
    T value{};
    if (code_.size() - at_ < sizeof(value)) {
      failed_ = true;
      return value;
    }
    memcpy(&value, &code_[at_], sizeof(value));
    at_ += sizeof(value);
    return value;
  }

  // --- Encoding

  void ReadPrefixes() {
    while (!failed_) {
      switch (Peek()) {
        case 0x66:
          operand_prefix_ = true;
          break;
        case 0x67:
          address_prefix_ = true;
          break;
        case 0xf2:
        case 0xf3:
          repeat_ = Peek();
          break;
        case 0x64:
        case 0x65:
          segment_ = Peek();
          break;
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0x26:
        case 0xf0:
          break;
        default:
          if ((Peek() & 0xf0) != 0x40) return;
          SetExtensions(Next());
          continue;
      }
      // One that is not next to the opcode means nothing.
      SetExtensions(0);
      Next();
    }
  }

  void SetExtensions(uint8_t rex) {
    w_ = (rex & 8) != 0, r_ = (rex & 4) != 0, x_ = (rex & 2) != 0, b_ = (rex & 1) != 0;
  }

  void ReadOpcode() {
    uint8_t byte = Next();
    switch (byte) {
      case 0xc4: {
        const uint8_t first = Next();
        return ReadVex(first, Next());
      }
      case 0xc5: {
        const uint8_t payload = Next();
        return ReadVex((payload & 0x80) | 0x61, payload & 0x7f);
      }
      case 0x62:
        return ReadEvex();
      case 0x0f:
        map_ = 1;
        byte = Next();
        if (byte == 0x38 || byte == 0x3a) {
          map_ = byte == 0x38 ? 2 : 3;
          byte = Next();
        }
        break;
    }
    opcode_ = byte;
    form_ = repeat_ == 0xf3 ? kF3 : repeat_ == 0xf2 ? kF2 : operand_prefix_ ? k66 : kPlain;
  }

  void SetVectorForm(uint8_t encoding, uint8_t prefix) {
    constexpr uint8_t kForms[] = {kPlain, k66, kF3, kF2};
    encoding_ = encoding;
    form_ = kForms[prefix & 3];
  }

  void ReadVex(uint8_t first, uint8_t second) {
    r_ = (first & 0x80) == 0, x_ = (first & 0x40) == 0, b_ = (first & 0x20) == 0;
    map_ = first & 0x1f;
    w_ = (second & 0x80) != 0;
    vector_ = (second & 4) != 0 ? 32 : 16;
    SetVectorForm(kVex, second);
    opcode_ = Next();
  }

  void ReadEvex() {
    const uint8_t first = Next(), second = Next(), third = Next();
    r_ = (first & 0x80) == 0, x_ = (first & 0x40) == 0, b_ = (first & 0x20) == 0;
    map_ = first & 7;
    w_ = (second & 0x80) != 0;
    vector_ = 16u << (third >> 5 & 3);
    broadcasts_ = (third & 0x10) != 0;
    mask_ = third & 7;
    SetVectorForm(kEvex, second);
    opcode_ = Next();
  }

  const Rule* FindRule() const {
    const uint8_t digit = static_cast<uint8_t>(1 << (Peek() >> 3 & 7));
    for (const Rule& rule : InstructionRules(map_)) {
      if (opcode_ < rule.first || opcode_ > rule.last) continue;
      if ((rule.forms & encoding_) == 0 || (rule.forms & form_) == 0) continue;
      if (rule.digits != 0 && (rule.digits & digit) == 0) continue;
      return &rule;
    }
    return nullptr;
  }

  // --- Lengths

  uint32_t OperandSize() const { return w_ ? 8 : operand_prefix_ ? 2 : 4; }
  uint32_t StackSize() const { return operand_prefix_ && !w_ ? 2 : 8; }

  uint32_t SizeOf(Length length) const {
    const uint32_t natural = w_ ? 8 : 4;
    switch (length) {
      case Length::kOperand:
        return OperandSize();
      case Length::kNatural:
        return natural;
      case Length::kStack:
        return StackSize();
      case Length::kFar:
        return OperandSize() + 2;
      case Length::kVector:
        return vector_;
      case Length::kHalf:
        return vector_ / 2;
      case Length::kQuarter:
        return vector_ / 4;
      case Length::kEighth:
        return vector_ / 8;
      case Length::kPacked:
        return form_ == kF3 ? 4 : form_ == kF2 ? 8 : vector_;
      case Length::kMask:
        return form_ == k66 ? (w_ ? 4 : 1) : (w_ ? 8 : 2);
      case Length::kMmx:
        return form_ == kPlain && encoding_ == kLegacy ? 8 : vector_;
      case Length::kTwin:
        return w_ ? 16 : 8;
      case Length::kEnvironment:
        return operand_prefix_ ? 14 : 28;
      case Length::kState:
        return operand_prefix_ ? 94 : 108;
      case Length::kDuplicated:
        return vector_ == 16 ? 8 : vector_;
      default:
        return static_cast<uint32_t>(length);
    }
  }

  // --- Addresses

  uint64_t Register(int number) const {
    const platform::Registers& r = registers_;
    const uint64_t all[] = {r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi,
                            r.r8,  r.r9,  r.r10, r.r11, r.r12, r.r13, r.r14, r.r15};
    return all[number & 15];
  }

  uint64_t InSegment(uint64_t offset) const {
    if (address_prefix_) offset &= UINT32_MAX;
    if (segment_ == 0x64) return offset + registers_.fs_base;
    if (segment_ == 0x65) return offset + registers_.gs_base;
    return offset;
  }

  void Add(uint64_t address, uint32_t size, Use use) {
    if (use == Use::kNone) return;
    instruction_.Add({address, size, use != Use::kWrite, use != Use::kRead});
  }

  // The operand by ModRM as an offset in its segment; nothing if it is a register.
  std::optional<uint64_t> OperandOffset(uint8_t modrm, uint32_t size, uint32_t immediate) {
    const int mode = modrm >> 6, rm = modrm & 7;
    if (mode == 3) return std::nullopt;
    uint64_t address = 0;
    bool has_base = true, relative = false;
    int base = rm;
    if (rm == 4) {
      const uint8_t sib = Next();
      base = sib & 7;
      const int index = (sib >> 3 & 7) | (x_ ? 8 : 0);
      if (index != 4) address = Register(index) << (sib >> 6);
      has_base = base != kRbp || mode != 0;
    } else if (rm == 5 && mode == 0) {
      has_base = false;
      relative = true;
    }
    if (has_base) {
      address += Register(base | (b_ ? 8 : 0));
      // pop counts from the stack pointer as it is afterwards.
      if (map_ == 0 && opcode_ == 0x8f && base == kRsp && !b_) address += StackSize();
    }
    if (mode == 1) {
      const int64_t scale = encoding_ == kEvex ? size : 1;
      address += static_cast<uint64_t>(NextValue<int8_t>() * scale);
    } else if (mode == 2 || !has_base) {
      address += static_cast<uint64_t>(int64_t{NextValue<int32_t>()});
    }
    if (relative) address += registers_.rip + at_ + immediate;
    return address;
  }

  void Modrm(const Rule& rule) {
    const uint8_t modrm = Next();
    uint32_t size = SizeOf(rule.length);
    if (broadcasts_) size = w_ ? 8 : 4;
    uint32_t immediate = rule.immediate;
    if (immediate == kOperandImmediate) immediate = OperandSize() == 2 ? 2 : 4;
    std::optional<uint64_t> address = OperandOffset(modrm, size, immediate);
    if (!address.has_value()) return;
    const bool by_register = map_ == 1 && (opcode_ & 0xe7) == 0xa3;
    if (by_register) *address += BitOffset(modrm, size);
    if (mask_ == 0 || broadcasts_) return Add(InSegment(*address), size, rule.use);
    AddMasked(InSegment(*address), size, rule.use);
  }

  // From the first to the last element that the mask selects.
  void AddMasked(uint64_t address, uint32_t size, Use use) {
    const bool small = map_ == 1 && (opcode_ & 0xef) == 0x6f && form_ == kF2;  // vmovdqu8, 16
    const uint32_t element = small ? (w_ ? 2 : 1) : (w_ ? 8 : 4);
    const uint32_t count = std::max(size / element, 1u);
    uint64_t mask = masks_(mask_);
    if (count < 64) mask &= (uint64_t{1} << count) - 1;
    if (mask == 0) return;
    const auto first = static_cast<uint32_t>(std::countr_zero(mask));
    const auto last = static_cast<uint32_t>(63 - std::countl_zero(mask));
    Add(address + first * element, (last - first + 1) * element, use);
  }

  // bt and its like reach any bit from their operand on.
  uint64_t BitOffset(uint8_t modrm, uint32_t size) const {
    const uint64_t number = Register((modrm >> 3 & 7) | (r_ ? 8 : 0));
    int64_t bit = static_cast<int64_t>(number);
    if (size == 4) bit = static_cast<int32_t>(number);
    if (size == 2) bit = static_cast<int16_t>(number);
    const int shift = size == 8 ? 6 : size == 4 ? 5 : 4;
    return static_cast<uint64_t>((bit >> shift) * static_cast<int64_t>(size));
  }

  // --- Operands that the opcode implies

  void Push(uint32_t size) { Add(registers_.rsp - size, size, Use::kWrite); }
  void Pop(uint32_t size) { Add(registers_.rsp, size, Use::kRead); }

  void MaskedStore() { Add(InSegment(registers_.rdi), SizeOf(Length::kMmx), Use::kWrite); }

  // movs cmps stos lods scas
  void String(bool source, Use destination) {
    const uint64_t mask = address_prefix_ ? UINT32_MAX : UINT64_MAX;
    if (repeat_ != 0 && (registers_.rcx & mask) == 0) return;
    const uint32_t size = (opcode_ & 1) == 0 ? 1 : OperandSize();
    if (source) Add(InSegment(registers_.rsi), size, Use::kRead);
    Add(registers_.rdi & mask, size, destination);
  }

  void ByOpcode() {
    switch (opcode_) {
      case 0x50 ... 0x57:
      case 0x68:
      case 0x6a:
        return Push(StackSize());
      case 0x58 ... 0x5f:
      case 0x8f:
        return Pop(StackSize());
      case 0x9c:
        instruction_.pushes_flags = true;
        return Push(StackSize());
      case 0x9d:
        instruction_.pops_flags = true;
        return Pop(StackSize());
      case 0xa0 ... 0xa3: {
        const uint64_t address =
            address_prefix_ ? uint64_t{NextValue<uint32_t>()} : NextValue<uint64_t>();
        const uint32_t size = (opcode_ & 1) == 0 ? 1 : OperandSize();
        return Add(InSegment(address), size, opcode_ < 0xa2 ? Use::kRead : Use::kWrite);
      }
      case 0xa4:
      case 0xa5:
        return String(true, Use::kWrite);
      case 0xa6:
      case 0xa7:
        return String(true, Use::kRead);
      case 0xaa:
      case 0xab:
        return String(false, Use::kWrite);
      case 0xac:
      case 0xad:
        return String(true, Use::kNone);
      case 0xae:
      case 0xaf:
        return String(false, Use::kRead);
      case 0xc2:
      case 0xc3:
        return Pop(8);
      case 0xc8:
        return Push(StackSize());
      case 0xc9:
        return Add(registers_.rbp, StackSize(), Use::kRead);
      case 0xca:
      case 0xcb:
        return Pop(2 * OperandSize());
      case 0xcf:
        instruction_.pops_flags = true;
        return Pop(5 * OperandSize());
      case 0xd7:
        return Add(InSegment(registers_.rbx + (registers_.rax & 0xff)), 1, Use::kRead);
      case 0xe8:
        return Push(8);
      case 0xff:
        if ((Peek() >> 3 & 7) == 2) Push(8);
        if ((Peek() >> 3 & 7) == 6) Push(StackSize());
        return;
      default:
        return;
    }
  }

  const std::span<const uint8_t> code_;
  const platform::Registers& registers_;
  const MaskReader masks_;
  size_t at_ = 0;
  bool failed_ = false;
  Instruction instruction_;

  bool operand_prefix_ = false, address_prefix_ = false;
  uint8_t repeat_ = 0, segment_ = 0;
  bool w_ = false, r_ = false, x_ = false, b_ = false;
  uint8_t opcode_ = 0;
  int map_ = 0;
  uint8_t encoding_ = kLegacy, form_ = kPlain;
  uint32_t vector_ = 16;  // bytes
  bool broadcasts_ = false;
  int mask_ = 0;
};

}  // namespace

Instruction DecodeInstruction(std::span<const uint8_t> code, const platform::Registers& registers,
                              MaskReader masks) {
  return Decoder(code, registers, masks).Decode();
}

}  // namespace runsc::boot
