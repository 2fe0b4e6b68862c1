#include "ipc/exit_record.h"

#include <sys/wait.h>

namespace runsc {
namespace {

constexpr uint32_t kMark = 0x65786974;  // "exit": a status of zero is a record, too
constexpr int kMaxExitStatus = 255 << 8;
constexpr int kLastSignal = 64;

bool Possible(int status) {
  if (WIFEXITED(status)) return status >= 0 && status <= kMaxExitStatus;
  constexpr int kSignalAndCore = 0xff;
  return WIFSIGNALED(status) && WTERMSIG(status) <= kLastSignal && (status & ~kSignalAndCore) == 0;
}

}  // namespace

ExitRecord EncodeExit(int status) {
  return ExitRecord{kMark} << 32 | static_cast<uint32_t>(status);
}

std::optional<int> DecodeExit(ExitRecord record) {
  if (record >> 32 != kMark) return std::nullopt;
  const int status = static_cast<int>(static_cast<uint32_t>(record));
  return Possible(status) ? std::optional<int>(status) : std::nullopt;
}

}  // namespace runsc
