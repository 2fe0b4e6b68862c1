// The host's signal frame in a slot, as boot reads and edits it. Everything in
// the slot may be forged: it is copied once, then checked, and only the copy
// is used.
#ifndef RUNSC_BOOT_PLATFORM_SIGNAL_FRAME_H_
#define RUNSC_BOOT_PLATFORM_SIGNAL_FRAME_H_

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bin/runsc-boot/platform/platform.h"
#include "bin/runsc-boot/platform/stub/abi.h"
#include "common/result.h"

namespace runsc::boot::platform {

// One slot: boot's mapping of it, and its address in the application process.
struct Slot {
  std::byte* memory = nullptr;  // kSlotSize bytes
  uint64_t address = 0;

  stub::Control* control() const { return reinterpret_cast<stub::Control*>(memory); }
  // The slot's bytes at application address `at`; nullptr when [at, at + size)
  // is not within the stack part of the slot.
  std::byte* At(uint64_t at, uint64_t size) const;
};

class SignalFrame {
 public:
  SignalFrame() = default;
  // Copies the frame whose ucontext lies at `context_address`. EFAULT: it or
  // its extended state is not within the slot.
  static Result<SignalFrame> Read(const Slot& slot, uint64_t context_address);

  Registers& registers() { return registers_; }
  const Registers& registers() const { return registers_; }

  // Copies the frame as the host made it to the same place in another slot,
  // and returns it there, registers included.
  SignalFrame CopyTo(const Slot& from, const Slot& to) const;
  uint64_t context_address() const { return context_address_; }
  const FaultCodes& fault_codes() const { return fault_codes_; }

  // Writes the registers back, with everything that boot does not mean to
  // change set to what it must be (segments, signal mask, alternate stack).
  void WriteBack(const Slot& slot) const;

  std::vector<std::byte> ReadXstate(const Slot& slot) const;
  // EINVAL: shorter than the legacy area, or reserved bits are set.
  Status WriteXstate(const Slot& slot, std::span<const std::byte> image) const;
  void ResetXstate(const Slot& slot) const;

 private:
  uint64_t context_address_ = 0;
  uint64_t fpstate_ = 0;
  // The size of the host's image without its trailing magic; 512 if the frame
  // claims no extended state.
  uint32_t xstate_size_ = 0;
  uint64_t xfeatures_ = 0;
  uint64_t context_flags_ = 0;
  Registers registers_{};
  FaultCodes fault_codes_;
};

// A copy of the siginfo at `address`; EFAULT when it is not in the slot.
Result<siginfo_t> ReadSiginfo(const Slot& slot, uint64_t address);

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_SIGNAL_FRAME_H_
