#include "bin/runsc-boot/platform/signal_frame.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace runsc::boot::platform {
namespace {

using stub::UContext;

constexpr uint64_t kLegacySize = 512;
constexpr uint64_t kHeaderSize = 64;
constexpr uint64_t kSoftwareOffset = 464;
constexpr uint64_t kMxcsrOffset = 24;
constexpr uint64_t kMxcsrMaskOffset = 28;
constexpr uint32_t kMagic1 = 0x46505853;
constexpr uint32_t kMagic2 = 0x46505845;
constexpr uint32_t kDefaultMxcsr = 0x1f80;
constexpr uint16_t kDefaultFcw = 0x37f;
constexpr uint64_t kFxsrFeatures = 3;  // x87 and SSE
constexpr uint16_t kUserCs = 0x33, kUserSs = 0x2b;
// Flags that an application may have: the arithmetic ones, DF, TF, RF, AC, ID.
constexpr uint64_t kUserEflags = 0xcd5 | 0x100 | 0x10000 | 0x40000 | 0x200000;
constexpr uint64_t kFixedEflags = 0x202;

// struct _fpx_sw_bytes.
struct SoftwareBytes {
  uint32_t magic1;
  uint32_t extended_size;
  uint64_t xfeatures;
  uint32_t xstate_size;
  uint32_t padding[7];
};
static_assert(sizeof(SoftwareBytes) == 48);

template <typename T>
T Load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <typename T>
void Store(std::byte* to, const T& value) {
  std::memcpy(to, &value, sizeof value);
}

constexpr uint64_t kContextFlags = 0x7;  // UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS

static_assert(offsetof(UContext, eflags) - offsetof(UContext, r8) ==
              offsetof(Registers, eflags) - offsetof(Registers, r8));
constexpr size_t kGeneralSize = offsetof(Registers, eflags) + sizeof(uint64_t);

}  // namespace

std::byte* Slot::At(uint64_t at, uint64_t size) const {
  uint64_t begin = address + stub::kControlSize;
  uint64_t end = address + stub::kSlotSize;
  if (at < begin || at > end || size > end - at) return nullptr;
  return memory + (at - address);
}

Result<siginfo_t> ReadSiginfo(const Slot& slot, uint64_t address) {
  const std::byte* from = slot.At(address, sizeof(siginfo_t));
  if (from == nullptr) return Error(EFAULT);
  return Load<siginfo_t>(from);
}

Result<SignalFrame> SignalFrame::Read(const Slot& slot, uint64_t context_address) {
  const std::byte* from = slot.At(context_address, sizeof(UContext));
  if (from == nullptr || context_address % 8 != 0) return Error(EFAULT);
  auto context = Load<UContext>(from);
  SignalFrame frame;
  frame.context_address_ = context_address;
  frame.context_flags_ = context.flags & kContextFlags;
  std::memcpy(&frame.registers_, &context.r8, kGeneralSize);
  frame.fault_codes_ = {context.error, context.trap, context.cr2};
  frame.fpstate_ = context.fpstate;
  const std::byte* legacy = slot.At(context.fpstate, kLegacySize);
  if (legacy == nullptr || context.fpstate % 64 != 0) return Error(EFAULT);
  frame.xstate_size_ = kLegacySize;
  frame.xfeatures_ = kFxsrFeatures;
  auto software = Load<SoftwareBytes>(legacy + kSoftwareOffset);
  if (software.magic1 == kMagic1) {
    if (software.xstate_size < kLegacySize + kHeaderSize ||
        slot.At(context.fpstate, uint64_t{software.xstate_size} + 4) == nullptr) {
      return Error(EFAULT);
    }
    frame.xstate_size_ = software.xstate_size;
    frame.xfeatures_ = software.xfeatures;
  }
  return frame;
}

void SignalFrame::WriteBack(const Slot& slot) const {
  UContext context{};
  context.flags = context_flags_;
  context.stack_pointer = slot.address + stub::kControlSize;
  context.stack_size = stub::kSlotSize - stub::kControlSize;
  Registers registers = registers_;
  registers.eflags = (registers.eflags & kUserEflags) | kFixedEflags;
  std::memcpy(&context.r8, &registers, kGeneralSize);
  context.cs = kUserCs;
  context.ss = kUserSs;
  context.fpstate = fpstate_;
  std::memcpy(slot.At(context_address_, sizeof context), &context, sizeof context);
}

SignalFrame SignalFrame::CopyTo(const Slot& from, const Slot& to) const {
  // Only the extended state matters: WriteBack makes the rest anew.
  uint64_t size = xstate_size_ > kLegacySize ? uint64_t{xstate_size_} + 4 : kLegacySize;
  SignalFrame copy = *this;
  copy.context_address_ = context_address_ - from.address + to.address;
  copy.fpstate_ = fpstate_ - from.address + to.address;
  std::memcpy(to.At(copy.fpstate_, size), from.At(fpstate_, size), size);
  return copy;
}

std::vector<std::byte> SignalFrame::ReadXstate(const Slot& slot) const {
  uint64_t size = xstate_size_ > kLegacySize ? uint64_t{xstate_size_} + 4 : kLegacySize;
  const std::byte* from = slot.At(fpstate_, size);
  std::vector<std::byte> image(from, from + size);
  // What was checked is what is returned, whatever the slot says by now.
  if (xstate_size_ > kLegacySize) {
    SoftwareBytes software{kMagic1, xstate_size_ + 4, xfeatures_, xstate_size_, {}};
    Store(image.data() + kSoftwareOffset, software);
    Store(image.data() + xstate_size_, kMagic2);
  }
  return image;
}

Status SignalFrame::WriteXstate(const Slot& slot, std::span<const std::byte> image) const {
  if (image.size() < kLegacySize) return Error(EINVAL);
  std::vector<std::byte> host(uint64_t{xstate_size_} + 4);
  auto software = Load<SoftwareBytes>(image.data() + kSoftwareOffset);
  bool extended = software.magic1 == kMagic1 && xstate_size_ > kLegacySize &&
                  image.size() >= kLegacySize + kHeaderSize;
  size_t used = kLegacySize;
  if (extended) {
    used = std::min<size_t>({image.size(), xstate_size_, software.xstate_size});
    if (used < kLegacySize + kHeaderSize) return Error(EINVAL);
  }
  std::memcpy(host.data(), image.data(), used);
  std::byte* header = host.data() + kLegacySize;
  if (extended) {
    // xcomp_bv and the reserved words: the host refuses anything but zero.
    for (size_t i = 1; i < 8; ++i) {
      if (Load<uint64_t>(header + 8 * i) != 0) return Error(EINVAL);
    }
    uint64_t features = Load<uint64_t>(header) & xfeatures_ & software.xfeatures;
    // A shortened image cannot carry what lies behind its end.
    if (used < xstate_size_) features &= kFxsrFeatures;
    Store(header, features);
  } else if (xstate_size_ > kLegacySize) {
    Store(header, kFxsrFeatures);
  }
  uint32_t host_mask = Load<uint32_t>(slot.At(fpstate_, kLegacySize) + kMxcsrMaskOffset);
  uint32_t mask = host_mask != 0 ? host_mask & 0x2ffff : 0xffbf;
  Store(host.data() + kMxcsrOffset, Load<uint32_t>(host.data() + kMxcsrOffset) & mask);
  Store(host.data() + kMxcsrMaskOffset, mask);
  uint64_t size = kLegacySize;
  if (xstate_size_ > kLegacySize) {
    SoftwareBytes out{kMagic1, xstate_size_ + 4, xfeatures_, xstate_size_, {}};
    Store(host.data() + kSoftwareOffset, out);
    Store(host.data() + xstate_size_, kMagic2);
    size = uint64_t{xstate_size_} + 4;
  }
  std::memcpy(slot.At(fpstate_, size), host.data(), size);
  return Ok();
}

void SignalFrame::ResetXstate(const Slot& slot) const {
  std::array<std::byte, kLegacySize> initial{};
  Store(initial.data(), kDefaultFcw);
  Store(initial.data() + kMxcsrOffset, kDefaultMxcsr);
  if (xstate_size_ == kLegacySize) {
    (void)WriteXstate(slot, initial);
    return;
  }
  // With no feature in use the host loads its own initial state.
  std::vector<std::byte> image(xstate_size_);
  std::memcpy(image.data(), initial.data(), kLegacySize);
  SoftwareBytes software{kMagic1, xstate_size_ + 4, xfeatures_, xstate_size_, {}};
  Store(image.data() + kSoftwareOffset, software);
  (void)WriteXstate(slot, image);
}

}  // namespace runsc::boot::platform
