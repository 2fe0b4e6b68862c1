#include "bin/runsc-boot/namespaces/time_namespace.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"

namespace runsc::boot {

namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
// Half of what a 64-bit count of nanoseconds holds, as Linux (KTIME_SEC_MAX).
constexpr int64_t kMaxSeconds = INT64_MAX / kNsPerSecond;

std::optional<clockid_t> ClockOf(std::string_view name) {
  if (name == "monotonic" || name == "1") return CLOCK_MONOTONIC;
  if (name == "boottime" || name == "7") return CLOCK_BOOTTIME;
  return std::nullopt;
}

// Takes the next word off `line`; "" at its end.
std::string_view TakeWord(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

bool ParseNumber(std::string_view word, int64_t& value) {
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size();
}

int64_t Nanoseconds(const timespec& time) { return time.tv_sec * kNsPerSecond + time.tv_nsec; }

}  // namespace

TimeNamespace::TimeNamespace(UserNamespaceRef owner, const TimeNamespace& from)
    : Namespace(NamespaceKind::kTime, std::move(owner)) {
  timespec monotonic, boottime;
  {
    absl::MutexLock lock(&from.mutex_);
    monotonic = from.monotonic_;
    boottime = from.boottime_;
  }
  absl::MutexLock lock(&mutex_);
  monotonic_ = monotonic;
  boottime_ = boottime;
}

int64_t TimeNamespace::OffsetOf(clockid_t clock) const {
  absl::MutexLock lock(&mutex_);
  switch (clock) {
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
      return Nanoseconds(monotonic_);
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return Nanoseconds(boottime_);
    default:
      return 0;
  }
}

bool TimeNamespace::HasOffsets() const {
  absl::MutexLock lock(&mutex_);
  return Nanoseconds(monotonic_) != 0 || Nanoseconds(boottime_) != 0;
}

int64_t TimeNamespace::ToHost(clockid_t clock, int64_t ns) const {
  const int64_t offset = OffsetOf(clock);
  if (ns < offset) return 0;
  int64_t result;
  return __builtin_sub_overflow(ns, offset, &result) ? INT64_MAX : result;
}

std::string TimeNamespace::OffsetsText() const {
  absl::MutexLock lock(&mutex_);
  return absl::StrFormat("%-10s %10d %9d\n%-10s %10d %9d\n", "monotonic", monotonic_.tv_sec,
                         monotonic_.tv_nsec, "boottime", boottime_.tv_sec, boottime_.tv_nsec);
}

Status TimeNamespace::SetOffsets(std::string_view text) {
  struct Offset {
    clockid_t clock;
    timespec value;
  };
  std::vector<Offset> offsets;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::optional<clockid_t> clock = ClockOf(TakeWord(line));
    timespec value{};
    int64_t nanoseconds = 0;
    if (!clock || !ParseNumber(TakeWord(line), value.tv_sec) ||
        !ParseNumber(TakeWord(line), nanoseconds) || !TakeWord(line).empty() || nanoseconds < 0 ||
        nanoseconds >= kNsPerSecond || offsets.size() == 2) {
      return Error(EINVAL);
    }
    value.tv_nsec = nanoseconds;
    offsets.push_back({*clock, value});
  }
  if (offsets.empty()) return Error(EINVAL);
  for (const Offset& offset : offsets) {
    if (offset.value.tv_sec > kMaxSeconds || offset.value.tv_sec < -kMaxSeconds) {
      return Error(ERANGE);
    }
    timespec now{};
    clock_gettime(offset.clock, &now);
    const int64_t sum = now.tv_sec + offset.value.tv_sec;
    if (sum < 0 || sum > kMaxSeconds / 2) return Error(ERANGE);
  }
  absl::MutexLock lock(&mutex_);
  if (frozen_) return Error(EACCES);
  for (const Offset& offset : offsets) {
    (offset.clock == CLOCK_MONOTONIC ? monotonic_ : boottime_) = offset.value;
  }
  return Ok();
}

void TimeNamespace::Freeze() {
  absl::MutexLock lock(&mutex_);
  frozen_ = true;
}

}  // namespace runsc::boot
