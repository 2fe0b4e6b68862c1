#include "bin/runsc-boot/kernel/signal_frame.h"

#include <signal.h>

#include <cstring>

namespace runsc::boot {

namespace {

constexpr uint64_t kUcFpXstate = 1, kUcSigcontextSs = 2, kUcStrictRestoreSs = 4;
constexpr uint16_t kUserCs = 0x33, kUserSs = 0x2b;
constexpr size_t kLegacySize = 512;
constexpr size_t kSoftwareBytes = 464;

// The host's headers have struct sigcontext, but their ucontext is the C
// library's, with a larger signal set.
struct LinuxContext {
  uint64_t flags;
  uint64_t link;
  stack_t stack;
  struct sigcontext machine;
  uint64_t mask;
};
struct RtFrame {
  uint64_t return_address;
  LinuxContext context;
  SigInfo info;
};
static_assert(sizeof(RtFrame) == kSignalFrameSize);
static_assert(offsetof(RtFrame, info) == 312);
static_assert(sizeof(struct sigcontext) == 256);

void PutRegisters(const platform::Registers& from, struct sigcontext& to) {
  // Both begin with r8..r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags.
  memcpy(&to, &from, offsetof(platform::Registers, fs_base));
  to.cs = kUserCs;
  to.__pad0 = kUserSs;
}

}  // namespace

SignalFrame BuildSignalFrame(const SignalFrameContents& contents, uint64_t stack_pointer) {
  const size_t xstate_size = contents.xstate.size();
  uint64_t xstate_address = 0;
  uint64_t end = stack_pointer;
  if (xstate_size > 0) {
    xstate_address = (stack_pointer - xstate_size - FP_XSTATE_MAGIC2_SIZE) & ~uint64_t{63};
    end = xstate_address;
  }
  SignalFrame frame;
  frame.address = ((end - sizeof(RtFrame)) & ~uint64_t{15}) - 8;
  frame.info_address = frame.address + offsetof(RtFrame, info);
  frame.context_address = frame.address + offsetof(RtFrame, context);

  RtFrame rt;
  memset(&rt, 0, sizeof(rt));
  rt.return_address = contents.action.restorer;
  rt.context.flags = kUcSigcontextSs | kUcStrictRestoreSs;
  rt.context.stack = contents.stack;
  PutRegisters(contents.registers, rt.context.machine);
  rt.context.machine.oldmask = contents.saved_mask;
  // As Linux, also in frames of other signals.
  rt.context.machine.err = contents.fault.error;
  rt.context.machine.trapno = contents.fault.trap;
  rt.context.machine.cr2 = contents.fault.address;
  rt.context.mask = contents.saved_mask;
  rt.info = contents.info;

  const size_t total = xstate_size == 0
                           ? sizeof(rt)
                           : xstate_address + xstate_size + FP_XSTATE_MAGIC2_SIZE - frame.address;
  frame.bytes.resize(total);
  if (xstate_size > 0) {
    rt.context.machine.fpstate =
        reinterpret_cast<decltype(rt.context.machine.fpstate)>(xstate_address);
    std::byte* xstate = frame.bytes.data() + (xstate_address - frame.address);
    memcpy(xstate, contents.xstate.data(), xstate_size);
    if (xstate_size > kLegacySize) {
      rt.context.flags |= kUcFpXstate;
      struct _fpx_sw_bytes software;
      memcpy(&software, xstate + kSoftwareBytes, sizeof(software));
      software.magic1 = FP_XSTATE_MAGIC1;
      software.extended_size = xstate_size + FP_XSTATE_MAGIC2_SIZE;
      software.xstate_size = xstate_size;
      memcpy(xstate + kSoftwareBytes, &software, sizeof(software));
      const uint32_t magic2 = FP_XSTATE_MAGIC2;
      memcpy(xstate + xstate_size, &magic2, sizeof(magic2));
    }
  }
  memcpy(frame.bytes.data(), &rt, sizeof(rt));
  return frame;
}

SavedContext ParseSignalFrame(std::span<const std::byte, kSignalFrameSize> bytes) {
  RtFrame rt;
  memcpy(&rt, bytes.data(), sizeof(rt));
  SavedContext saved;
  memcpy(&saved.registers, &rt.context.machine, offsetof(platform::Registers, fs_base));
  saved.mask = rt.context.mask;
  saved.stack = rt.context.stack;
  saved.xstate_address = reinterpret_cast<uint64_t>(rt.context.machine.fpstate);
  return saved;
}

size_t XstateSize(std::span<const std::byte> legacy, size_t limit) {
  if (legacy.size() < kLegacySize) return 0;
  struct _fpx_sw_bytes software;
  memcpy(&software, legacy.data() + kSoftwareBytes, sizeof(software));
  const bool valid = software.magic1 == FP_XSTATE_MAGIC1 && software.xstate_size >= kLegacySize &&
                     software.xstate_size <= limit;
  return valid ? software.xstate_size : kLegacySize;
}

}  // namespace runsc::boot
