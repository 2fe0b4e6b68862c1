// Waits that the host does for the application, and what becomes of them when a
// signal brings the thread into the stub.
//
// The host takes the stub's handler for one of the application's, and ends the
// call accordingly. Whether the application has a handler at all, and with
// which flags, is known only here:
//   - sleeps, and FUTEX_WAIT with its relative time-out, have been noted by their
//     system call. Without a handler, boot sleeps what is left, or has the host
//     wait for it, so a stop does not shorten them.
//   - other futex calls are never noted. One without a time-out stands at its
//     `syscall` instruction again, which is also where a thread stands that is
//     about to make it: the application cannot tell a signal just before from
//     one just after. One with an absolute time-out has returned EINTR, and
//     begins again unless a handler runs.
#include <linux/futex.h>
#include <sys/syscall.h>

#include <array>
#include <span>
#include <tuple>

#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/kernel/task.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kSyscallLength = 2;
constexpr std::array<uint8_t, kSyscallLength> kSyscallBytes = {0x0f, 0x05};
constexpr int64_t kInterrupted = -EINTR;
// Newer than the C library's headers.
constexpr uint64_t kFutexWaitv = 449, kFutexWait = 455;

uint64_t FutexCommand(uint64_t operation) {
  return operation & ~uint64_t{FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME};
}

// futex(2) without priority inheritance, whose waits always restart.
bool IsPlainWait(uint64_t operation) {
  const uint64_t command = FutexCommand(operation);
  return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
}

// Whether a call of the futex family sleeps; `operation` is its second argument.
bool IsWait(uint64_t number, uint64_t operation) {
  return (number == SYS_futex && IsPlainWait(operation)) || number == kFutexWaitv ||
         number == kFutexWait;
}

// A wait with an absolute time-out, as far as its arguments tell.
bool LooksTimed(const platform::SyscallInfo& call) {
  const auto& [word, operation, value, timeout, second, bits] = call.args;
  return FutexCommand(operation) == FUTEX_WAIT_BITSET && word != 0 && word % 4 == 0 &&
         timeout != 0 && bits != 0;
}

}  // namespace

bool Task::IsSyscallInstruction(uint64_t address) {
  std::array<uint8_t, kSyscallLength> bytes{};
  return CopyIn(address, bytes.data(), bytes.size()).ok() && bytes == kSyscallBytes;
}

std::optional<Task::HostWait> Task::InterruptedHostWait(platform::Registers& registers) {
  const platform::Registers& r = registers;
  HostWait wait;
  wait.call.args = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
  wait.call.instruction_pointer = r.rip;
  const int sleep_code = std::exchange(host_sleep_.restart_code, 0);
  if (static_cast<int64_t>(r.rax) == kInterrupted) {
    if (sleep_code != 0 && r.rip == host_sleep_.call.instruction_pointer &&
        wait.call.args == host_sleep_.call.args) {
      return HostWait{host_sleep_.call, sleep_code};
    }
    if (!LooksTimed(wait.call) || !IsSyscallInstruction(r.rip - kSyscallLength)) {
      return std::nullopt;
    }
    registers.rip -= kSyscallLength;
    registers.rax = SYS_futex;
    wait.call.number = SYS_futex;
    wait.restart_code = kRestartNoHand;
    return wait;
  }
  // Still asleep: it has been withdrawn before the host began, and is noted anew.
  if (!IsWait(r.rax, r.rsi) || !IsSyscallInstruction(r.rip)) return std::nullopt;
  wait.call.number = r.rax;
  wait.call.instruction_pointer += kSyscallLength;
  wait.restart_code = kRestartSys;
  return wait;
}

Result<uint64_t> Task::EndOnHostWithTime(const platform::SyscallInfo& call, size_t index,
                                         int64_t time_ns, int restart_code) {
  constexpr int64_t kSecond = 1'000'000'000;
  const timespec time = {time_ns / kSecond, time_ns % kSecond};
  TRY(thread_->EnterStub());
  platform::SyscallInfo substitute = call;
  substitute.args[index] = thread_->Lend(std::as_bytes(std::span(&time, 1)));
  host_sleep_.substitute = substitute;
  return EndOnHost(restart_code);
}

void Task::OnHostCall(platform::Thread& thread, const platform::SyscallInfo& executed,
                      std::optional<int64_t> value) {
  constexpr int64_t kMaxErrno = 4095;
  const TaskRef self = shared_from_this();
  if (!BeginEvent()) return;
  const int sleep_code = std::exchange(host_sleep_.restart_code, 0);
  platform::SyscallInfo call = executed;
  const bool resumed = std::exchange(host_sleep_.substitute, std::nullopt).has_value();
  if (resumed) {
    call = host_sleep_.call;
    platform::Registers& r = thread.registers();
    std::tie(r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9) = std::tuple_cat(call.args);
  }
  // The signal has come before the call then. One that does not sleep never fails
  // for that: it begins again behind the handler.
  const bool sleeps = sleep_code != 0 || IsWait(call.number, call.args[1]);
  Result<uint64_t> result = Error(sleeps ? kRestartSys : kRestartNoIntr);
  if (sleep_code != 0 && (value == kInterrupted || (resumed && !value.has_value()))) {
    result = Error(sleep_code);
  } else if (value == kInterrupted && call.number == SYS_futex && LooksTimed(call)) {
    result = Error(kRestartNoHand);
  } else if (value.has_value()) {
    const bool failed = *value < 0 && *value >= -kMaxErrno;
    result = failed ? Result<uint64_t>(Error(static_cast<int>(-*value)))
                    : Result<uint64_t>(static_cast<uint64_t>(*value));
  }
  EndCall(thread, call, std::move(result));
}

}  // namespace runsc::boot
