// ptrace(2): single steps, and the breakpoints and watchpoints of the debug
// registers, which the kernel finds by single steps.
//
// Before each step the instruction is decoded, in the state in which it is going
// to run: what it is going to access is known then, and a trap tells that it has.
// A fault, a signal or a request in between just makes that forgotten.
#include <cpuid.h>

#include <array>
#include <cstring>

#include "bin/runsc-boot/kernel/memory_accesses.h"
#include "bin/runsc-boot/kernel/ptrace.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kTrapFlag = 0x100, kResumeFlag = 0x10000;
constexpr uint64_t kDebugException = 1;

SigInfo DebugTrap(int code, uint64_t address) {
  SigInfo info = MakeSigInfo(SIGTRAP, code);
  info.si_addr = reinterpret_cast<void*>(address);
  return info;
}

// Where the mask registers lie in an xsave image; 0 without AVX-512.
uint32_t MaskOffset() {
  constexpr uint32_t kExtendedState = 0xd, kMasks = 5;
  static const uint32_t offset = [] {
    uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
    const bool known = __get_cpuid_count(kExtendedState, kMasks, &eax, &ebx, &ecx, &edx) != 0;
    return known ? ebx : 0;
  }();
  return offset;
}

uint64_t ReadMask(platform::Thread& thread, int number) {
  constexpr uint64_t kMasksInUse = 1 << 5;
  constexpr size_t kFeatures = 512;
  const std::vector<std::byte> image = thread.ReadXstate();
  const size_t at = MaskOffset() + static_cast<size_t>(number) * sizeof(uint64_t);
  if (MaskOffset() == 0 || image.size() < at + sizeof(uint64_t)) return ~uint64_t{0};
  uint64_t in_use = 0, mask = 0;
  memcpy(&in_use, image.data() + kFeatures, sizeof(in_use));
  if ((in_use & kMasksInUse) == 0) return 0;
  memcpy(&mask, image.data() + at, sizeof(mask));
  return mask;
}

Instruction NextInstruction(platform::Thread& thread) {
  const platform::Registers& registers = thread.registers();
  std::array<uint8_t, kMaxInstruction> code;
  const Result<size_t> read = thread.address_space()->Read(registers.rip, code.data(), code.size());
  const size_t size = read.ok() ? *read : 0;
  return DecodeInstruction(std::span(code).first(size), registers,
                           [&](int number) { return ReadMask(thread, number); });
}

}  // namespace

bool Tracee::Steps() const {
  const Mode mode = this->mode();
  return mode == Mode::kStep || mode == Mode::kEmulateStep;
}

bool Tracee::Watches() const {
  if (!debug_.armed()) return false;
  absl::MutexLock lock(&mutex_);
  return !detached_;
}

void Tracee::EndForcedStep(platform::Registers& registers) {
  if (std::exchange(forced_step_, false)) registers.eflags &= ~kTrapFlag;
}

void Tracee::PrepareStep(platform::Thread& thread) {
  platform::Registers& registers = thread.registers();
  EndForcedStep(registers);
  upcoming_ = Upcoming();
  const bool watches = Watches();
  if (!watches && !Steps()) return;
  // Otherwise the program steps itself.
  forced_step_ = (registers.eflags & kTrapFlag) == 0;
  registers.eflags |= kTrapFlag;
  const Instruction next = NextInstruction(thread);
  if (watches) upcoming_.watchpoints = debug_.Watchpoints(next.accesses());
  upcoming_.pushes_flags = next.pushes_flags;
  upcoming_.pops_flags = next.pops_flags;
}

bool Tracee::MeetBreakpoint(Task& task, platform::Registers& registers) {
  if ((registers.eflags & kResumeFlag) != 0 || !Watches()) return false;
  const uint64_t met = debug_.Breakpoints(registers.rip);
  if (met == 0) return false;
  debug_.Report(met);
  // So that the instruction can run when the tracee is told to go on.
  registers.eflags |= kResumeFlag;
  task.fault_codes_ = {0, kDebugException, 0};
  task.ForceSignal(DebugTrap(TRAP_HWBKPT, registers.rip));
  return true;
}

bool Tracee::EndStep(Task& task, platform::Thread& thread, SigInfo& trap) {
  if (trap.si_signo != SIGTRAP || trap.si_code != TRAP_TRACE) return false;
  const TraceeRef tracee = Of(task);
  if (tracee == nullptr) return false;
  platform::Registers& registers = thread.registers();
  const Upcoming done = std::exchange(tracee->upcoming_, Upcoming());
  const bool forced = std::exchange(tracee->forced_step_, false);
  // After popf the flag is the program's own.
  if (forced && !done.pops_flags) registers.eflags &= ~kTrapFlag;
  if (forced && done.pushes_flags && !tracee->Steps()) HideTrapFlag(task, registers.rsp);
  const bool steps = !forced || tracee->Steps();
  if (!steps && done.watchpoints == 0) return true;
  tracee->debug_.Report(done.watchpoints | (steps ? DebugRegisters::kSingleStep : 0));
  trap = DebugTrap(steps ? TRAP_TRACE : TRAP_HWBKPT, registers.rip);
  return false;
}

void Tracee::HideTrapFlag(Task& task, uint64_t address) {
  uint16_t flags = 0;
  platform::AddressSpace& space = task.memory().address_space();
  const Result<size_t> read = space.Read(address, &flags, sizeof(flags));
  if (!read.ok() || *read != sizeof(flags)) return;
  flags = static_cast<uint16_t>(flags & ~kTrapFlag);
  (void)space.Write(address, &flags, sizeof(flags)).ok();
}

}  // namespace runsc::boot
