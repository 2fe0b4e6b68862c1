#include "bin/runsc-boot/namespaces/ipc_settings.h"

#include <cctype>
#include <functional>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace runsc::boot {
namespace {

constexpr int64_t kMostInt = std::numeric_limits<int>::max();

struct Number {
  bool negative = false;
  uint64_t magnitude = 0;
};

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// Takes a number in the notations of C off the front of `text`. EINVAL.
Result<Number> TakeNumber(std::string_view& text) {
  Number number;
  if (!text.empty() && text[0] == '-') {
    number.negative = true;
    text.remove_prefix(1);
  }
  unsigned base = 10;
  if (text.size() > 1 && text[0] == '0') {
    base = (text[1] | 0x20) == 'x' ? 16 : 8;
    if (base == 16) text.remove_prefix(2);
  }
  size_t digits = 0;
  for (; digits < text.size() && std::isxdigit(static_cast<unsigned char>(text[digits])) != 0;
       ++digits) {
    const char c = text[digits];
    const auto digit = static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    if (digit >= base) break;
    if (__builtin_mul_overflow(number.magnitude, base, &number.magnitude) ||
        __builtin_add_overflow(number.magnitude, digit, &number.magnitude)) {
      return Error(EINVAL);
    }
  }
  text.remove_prefix(digits);
  if (digits == 0 || (!text.empty() && !IsSpace(text[0]) && text[0] != '\0')) return Error(EINVAL);
  return number;
}

// The next number behind white space. EINVAL: there is none, or something else.
Result<Number> NextNumber(std::string_view& text) {
  while (!text.empty() && IsSpace(text[0])) text.remove_prefix(1);
  return TakeNumber(text);
}

// One that fits an int.
Result<int> NextInt(std::string_view& text) {
  TRY_ASSIGN(const Number number, NextNumber(text));
  const uint64_t most = static_cast<uint64_t>(kMostInt) + (number.negative ? 1 : 0);
  if (number.magnitude > most) return Error(EINVAL);
  const auto value = static_cast<int64_t>(number.magnitude);
  return static_cast<int>(number.negative ? -value : value);
}

Result<int> TakeInt(std::string_view text, int64_t least, int64_t most) {
  TRY_ASSIGN(const int value, NextInt(text));
  if (value < least || value > most) return Error(EINVAL);
  return value;
}

struct Setting {
  const char* name;
  std::function<std::string(const IpcNamespace&)> get;
  std::function<Status(const IpcNamespace&, std::string_view)> set;
};

// A member of the limits of one of the three kinds of objects, which `of` finds.
template <typename Kind, typename Limits>
Setting LimitSetting(const char* name, Kind of, int Limits::* member, int64_t most) {
  return {
      name,
      [of, member](const IpcNamespace& space) { return absl::StrCat(of(space).limits().*member); },
      [of, member, most](const IpcNamespace& space, std::string_view text) -> Status {
        TRY_ASSIGN(const int value, TakeInt(text, 0, most));
        Limits limits = of(space).limits();
        limits.*member = value;
        of(space).set_limits(limits);
        return Ok();
      }};
}

using ShmLimits = sysv::SharedMemory::Limits;

Setting SizeSetting(const char* name, uint64_t ShmLimits::* member) {
  return {name,
          [member](const IpcNamespace& space) {
            return absl::StrCat(space.shared_memory().limits().*member);
          },
          [member](const IpcNamespace& space, std::string_view text) -> Status {
            TRY_ASSIGN(const Number number, NextNumber(text));
            if (number.negative) return Error(EINVAL);
            ShmLimits limits = space.shared_memory().limits();
            limits.*member = number.magnitude;
            space.shared_memory().set_limits(limits);
            return Ok();
          }};
}

Setting OrphanSetting() {
  return {"kernel/shm_rmid_forced",
          [](const IpcNamespace& space) {
            return absl::StrCat(space.shared_memory().limits().remove_orphans ? 1 : 0);
          },
          [](const IpcNamespace& space, std::string_view text) -> Status {
            TRY_ASSIGN(const int value, TakeInt(text, 0, 1));
            ShmLimits limits = space.shared_memory().limits();
            limits.remove_orphans = value != 0;
            space.shared_memory().set_limits(limits);
            return Ok();
          }};
}

Setting SemaphoreSetting() {
  return {
      "kernel/sem",
      [](const IpcNamespace& space) { return absl::StrJoin(space.semaphores().limits(), "\t"); },
      [](const IpcNamespace& space, std::string_view text) -> Status {
        sysv::Semaphores::Limits limits = space.semaphores().limits();
        const int most_sets = limits[3];
        Status status;
        // As Linux: what stands before a wrong number is taken.
        for (size_t i = 0; i < limits.size() && status.ok(); ++i) {
          Result<int> value = NextInt(text);
          if (value.ok()) {
            limits[i] = *value;
          } else if (i > 0 && text.empty()) {
            break;
          } else {
            status = std::move(value).error();
          }
        }
        if (limits[3] < 0 || limits[3] > sysv::kMostIds) {
          limits[3] = most_sets;
          status = Error(ERANGE);
        }
        space.semaphores().set_limits(limits);
        return status;
      }};
}

// Has had no effect since Linux 3.19.
Setting AutomaticSetting() {
  return {"kernel/auto_msgmni", [](const IpcNamespace&) { return std::string("0"); },
          [](const IpcNamespace&, std::string_view text) -> Status {
            TRY(TakeInt(text, 0, 1));
            return Ok();
          }};
}

using mqueue::Settings;

Setting QueueSetting(const char* name, std::atomic<int> Settings::* member, int64_t least,
                     int64_t most) {
  return {name,
          [member](const IpcNamespace& space) {
            return absl::StrCat((space.mqueue()->settings().*member).load());
          },
          [=](const IpcNamespace& space, std::string_view text) -> Status {
            TRY_ASSIGN(const int value, TakeInt(text, least, most));
            (space.mqueue()->settings().*member).store(value);
            return Ok();
          }};
}

const std::vector<Setting>& AllSettings() {
  using mqueue::kMostMessages;
  using mqueue::kMostMessageSize;
  using MsgLimits = sysv::MessageQueues::Limits;
  constexpr int64_t kLeastInt = std::numeric_limits<int>::min();
  const auto queues = [](const IpcNamespace& space) -> sysv::MessageQueues& {
    return space.message_queues();
  };
  const auto memory = [](const IpcNamespace& space) -> sysv::SharedMemory& {
    return space.shared_memory();
  };
  static const std::vector<Setting> settings = {
      AutomaticSetting(),
      LimitSetting("kernel/msgmax", queues, &MsgLimits::message, kMostInt),
      LimitSetting("kernel/msgmnb", queues, &MsgLimits::queue, kMostInt),
      LimitSetting("kernel/msgmni", queues, &MsgLimits::queues, sysv::kMostIds),
      SemaphoreSetting(),
      OrphanSetting(),
      SizeSetting("kernel/shmall", &ShmLimits::pages),
      SizeSetting("kernel/shmmax", &ShmLimits::segment),
      LimitSetting("kernel/shmmni", memory, &ShmLimits::segments, sysv::kMostIds),
      QueueSetting("fs/mqueue/msg_default", &Settings::msg_default, 1, kMostMessages),
      QueueSetting("fs/mqueue/msg_max", &Settings::msg_max, 1, kMostMessages),
      QueueSetting("fs/mqueue/msgsize_default", &Settings::msgsize_default, 128, kMostMessageSize),
      QueueSetting("fs/mqueue/msgsize_max", &Settings::msgsize_max, 128, kMostMessageSize),
      QueueSetting("fs/mqueue/queues_max", &Settings::queues_max, kLeastInt, kMostInt),
  };
  return settings;
}

const Setting* Find(std::string_view name) {
  for (const Setting& setting : AllSettings()) {
    if (name == setting.name) return &setting;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> IpcSettingNames() {
  std::vector<std::string> names;
  for (const Setting& setting : AllSettings()) names.emplace_back(setting.name);
  return names;
}

bool IsIpcSetting(std::string_view name) { return Find(name) != nullptr; }

std::string IpcSetting(const IpcNamespace& space, std::string_view name) {
  return Find(name)->get(space) + "\n";
}

Status SetIpcSetting(const IpcNamespace& space, std::string_view name, std::string_view text) {
  const Setting* setting = Find(name);
  if (setting == nullptr) return Error(ENOENT);
  if (text.empty()) return Ok();
  return setting->set(space, text);
}

}  // namespace runsc::boot
