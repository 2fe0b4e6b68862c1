// The frame that a signal handler finds on the application's stack, laid out
// exactly as Linux on x86-64 does (struct rt_sigframe). No I/O here: the task
// copies the bytes.
#ifndef RUNSC_BOOT_KERNEL_SIGNAL_FRAME_H_
#define RUNSC_BOOT_KERNEL_SIGNAL_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bin/runsc-boot/kernel/signal.h"
#include "bin/runsc-boot/platform/platform.h"

namespace runsc::boot {

struct SignalFrameContents {
  SigInfo info;
  SignalAction action;
  SignalSet saved_mask = 0;
  stack_t stack{};  // uc_stack
  platform::Registers registers{};
  std::vector<std::byte> xstate;  // as Thread::ReadXstate gives it
  platform::FaultCodes fault;     // of the thread's last fault
};

struct SignalFrame {
  uint64_t address = 0;  // also the handler's stack pointer
  std::vector<std::byte> bytes;
  uint64_t info_address = 0, context_address = 0;
};

// Builds the frame below `stack_pointer` (below the red zone, or an alternate
// stack's end).
SignalFrame BuildSignalFrame(const SignalFrameContents& contents, uint64_t stack_pointer);

// What rt_sigreturn(2) takes from the frame.
struct SavedContext {
  platform::Registers registers{};
  SignalSet mask = 0;
  stack_t stack{};
  uint64_t xstate_address = 0;  // 0: initial state
};
// Bytes to read at the frame's address, and their meaning.
constexpr size_t kSignalFrameSize = 440;
SavedContext ParseSignalFrame(std::span<const std::byte, kSignalFrameSize> bytes);

// The size of an extended-state image whose first 512 bytes are `legacy`, at
// most `limit`; 512 when it has no (valid) software bytes.
size_t XstateSize(std::span<const std::byte> legacy, size_t limit);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_SIGNAL_FRAME_H_
