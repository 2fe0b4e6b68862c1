#include "bin/runsc-boot/strace/arguments.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bin/runsc-boot/strace/names.h"

namespace runsc::boot {

namespace {

constexpr size_t kMaxBuffer = 48;   // bytes of data shown
constexpr size_t kMaxString = 512;  // of a path
constexpr size_t kMaxItems = 16;    // of an array

std::string Hex(uint64_t value) { return absl::StrCat("0x", absl::Hex(value)); }

std::string Pointer(uint64_t address) { return address == 0 ? "NULL" : Hex(address); }

template <typename T>
std::optional<T> Get(Context& memory, uint64_t address) {
  T value;
  if (address == 0 || !memory.CopyIn(address, &value, sizeof(value)).ok()) return std::nullopt;
  return value;
}

std::string Buffer(Context& memory, uint64_t address, uint64_t size) {
  if (address == 0) return "NULL";
  std::string bytes(std::min<uint64_t>(size, kMaxBuffer), '\0');
  if (!bytes.empty() && !memory.CopyIn(address, bytes.data(), bytes.size()).ok()) {
    return Pointer(address);
  }
  return Quote(bytes, size > kMaxBuffer);
}

// Byte by byte, since what lies behind the end need not be readable.
std::string String(Context& memory, uint64_t address) {
  if (address == 0) return "NULL";
  std::string text;
  for (char c; text.size() < kMaxString; text.push_back(c)) {
    if (!memory.CopyIn(address + text.size(), &c, 1).ok()) return Pointer(address);
    if (c == '\0') return Quote(text, false);
  }
  return Quote(text, true);
}

std::string Iovec(Context& memory, uint64_t address, uint64_t count, uint64_t limit) {
  std::vector<std::string> items;
  for (uint64_t i = 0; i < std::min<uint64_t>(count, kMaxItems); ++i) {
    auto range = Get<iovec>(memory, address + i * sizeof(iovec));
    if (!range) return Pointer(address);
    const uint64_t size = std::min<uint64_t>(range->iov_len, limit);
    limit -= size;
    items.push_back(Buffer(memory, reinterpret_cast<uint64_t>(range->iov_base), size));
  }
  return absl::StrCat("[", absl::StrJoin(items, ", "), count > kMaxItems ? ", ..." : "", "]");
}

std::string Strings(Context& memory, uint64_t address) {
  std::vector<std::string> items;
  for (uint64_t i = 0; i < kMaxItems; ++i) {
    auto item = Get<uint64_t>(memory, address + i * sizeof(uint64_t));
    if (!item) return Pointer(address);
    if (*item == 0) return absl::StrCat("[", absl::StrJoin(items, ", "), "]");
    items.push_back(String(memory, *item));
  }
  return absl::StrCat("[", absl::StrJoin(items, ", "), ", ...]");
}

std::string Time(Context& memory, uint64_t address) {
  auto time = Get<timespec>(memory, address);
  if (!time) return Pointer(address);
  return absl::StrFormat("{%d.%09d}", time->tv_sec, time->tv_nsec);
}

std::string Stat(Context& memory, uint64_t address) {
  auto stat = Get<struct stat>(memory, address);
  if (!stat) return Pointer(address);
  return absl::StrFormat("{ino=%d, mode=0%o, nlink=%d, uid=%d, gid=%d, size=%d}", stat->st_ino,
                         stat->st_mode, stat->st_nlink, stat->st_uid, stat->st_gid, stat->st_size);
}

std::string SignalSetText(Context& memory, uint64_t address) {
  auto set = Get<uint64_t>(memory, address);
  if (!set) return Pointer(address);
  const bool inverted = __builtin_popcountll(*set) > 32;
  const uint64_t shown = inverted ? ~*set : *set;
  std::vector<std::string> names;
  for (int signo = 1; signo <= 64; ++signo) {
    if ((shown >> (signo - 1) & 1) != 0) names.push_back(SignalName(signo));
  }
  return absl::StrCat(inverted ? "~[" : "[", absl::StrJoin(names, " "), "]");
}

std::string Address(Context& memory, uint64_t address, uint64_t size) {
  sockaddr_un name{};
  size = std::min<uint64_t>(size, sizeof(name));
  if (size < sizeof(name.sun_family) || !memory.CopyIn(address, &name, size).ok()) {
    return Pointer(address);
  }
  std::string family = SocketDomainName(name.sun_family);
  if (name.sun_family != AF_UNIX) return absl::StrCat("{", family, ", ...}");
  const size_t length = size - offsetof(sockaddr_un, sun_path);
  return absl::StrCat("{", family, ", ", Quote({name.sun_path, length}, false), "}");
}

std::string PollFds(Context& memory, uint64_t address, uint64_t count, bool results) {
  std::vector<std::string> items;
  for (uint64_t i = 0; i < std::min<uint64_t>(count, kMaxItems); ++i) {
    auto fd = Get<pollfd>(memory, address + i * sizeof(pollfd));
    if (!fd) return Pointer(address);
    std::string item =
        absl::StrCat("{", fd->fd, ", ", PollEventNames(static_cast<uint16_t>(fd->events)));
    if (results) {
      absl::StrAppend(&item, " => ", PollEventNames(static_cast<uint16_t>(fd->revents)));
    }
    items.push_back(item + "}");
  }
  return absl::StrCat("[", absl::StrJoin(items, ", "), count > kMaxItems ? ", ..." : "", "]");
}

std::string WaitStatus(Context& memory, uint64_t address) {
  auto status = Get<int>(memory, address);
  if (!status) return Pointer(address);
  if (WIFEXITED(*status)) return absl::StrCat("[exit ", WEXITSTATUS(*status), "]");
  if (WIFSIGNALED(*status)) return absl::StrCat("[", SignalName(WTERMSIG(*status)), "]");
  if (WIFSTOPPED(*status)) return absl::StrCat("[stopped ", SignalName(WSTOPSIG(*status)), "]");
  return absl::StrCat("[", Hex(static_cast<unsigned>(*status)), "]");
}

std::string FdPair(Context& memory, uint64_t address) {
  auto fds = Get<std::array<int, 2>>(memory, address);
  if (!fds) return Pointer(address);
  return absl::StrCat("[", (*fds)[0], ", ", (*fds)[1], "]");
}

// Shapes that need nothing but the value.
std::string Plain(ArgShape shape, uint64_t value) {
  switch (shape) {
    case ArgShape::kInt:
    case ArgShape::kFd:
    case ArgShape::kPid:
      return absl::StrCat(static_cast<int>(value));
    case ArgShape::kDirFd:
      return static_cast<int>(value) == AT_FDCWD ? "AT_FDCWD"
                                                 : absl::StrCat(static_cast<int>(value));
    case ArgShape::kUint:
    case ArgShape::kSize:
      return absl::StrCat(value);
    case ArgShape::kOffset:
      return absl::StrCat(static_cast<int64_t>(value));
    case ArgShape::kOctal:
      return absl::StrFormat("0%o", value & 0xffffffff);
    case ArgShape::kOpenFlags:
      return OpenFlags(value & 0xffffffff);
    case ArgShape::kAtFlags:
      return AtFlags(value);
    case ArgShape::kSignal:
      return SignalName(static_cast<int>(value));
    case ArgShape::kProtection:
      return ProtectionFlags(value);
    case ArgShape::kMapFlags:
      return MapFlags(value & 0xffffffff);
    case ArgShape::kWhence:
      return WhenceName(value);
    case ArgShape::kCloneFlags:
      return CloneFlags(value);
    case ArgShape::kClock:
      return ClockName(value);
    case ArgShape::kSocketDomain:
      return SocketDomainName(value);
    case ArgShape::kSocketType:
      return SocketType(value);
    case ArgShape::kMessageFlags:
      return MessageFlags(value);
    case ArgShape::kFcntlCommand:
      return FcntlCommandName(value);
    case ArgShape::kFutexOperation:
      return FutexOperation(value);
    case ArgShape::kResource:
      return ResourceName(value);
    case ArgShape::kWaitOptions:
      return WaitOptions(value);
    case ArgShape::kEpollOperation:
      return EpollOperationName(value);
    case ArgShape::kIoctlCommand:
      return IoctlCommandName(value);
    case ArgShape::kMountFlags:
      return MountFlagNames(value);
    case ArgShape::kPointer:
    case ArgShape::kBufferOut:
    case ArgShape::kIovecOut:
    case ArgShape::kStat:
    case ArgShape::kFdPair:
    case ArgShape::kWaitStatus:
      return Pointer(value);
    default:
      return Hex(value);
  }
}

}  // namespace

std::string Quote(std::string_view bytes, bool more) {
  return absl::StrCat("\"", absl::CHexEscape(absl::string_view(bytes.data(), bytes.size())), "\"",
                      more ? "..." : "");
}

ArgumentText::ArgumentText(Context& memory, const SyscallEntry& entry,
                           const platform::SyscallInfo& call)
    : memory_(memory), entry_(entry), call_(call) {
  for (int i = 0; i < 6; ++i) texts_[i] = Input(i);
}

std::string ArgumentText::Input(int index) {
  const uint64_t value = call_.args[index];
  const uint64_t next = index < 5 ? call_.args[index + 1] : 0;
  switch (entry_.shapes[index]) {
    case ArgShape::kPath:
    case ArgShape::kString:
      return String(memory_, value);
    case ArgShape::kBufferIn:
      return Buffer(memory_, value, next);
    case ArgShape::kIovec:
      return Iovec(memory_, value, next, ~uint64_t{0});
    case ArgShape::kArgv:
      return Strings(memory_, value);
    case ArgShape::kTimespec:
      return Time(memory_, value);
    case ArgShape::kSignalSet:
      return SignalSetText(memory_, value);
    case ArgShape::kSockaddr:
      return Address(memory_, value, next);
    case ArgShape::kPollFds:
      return PollFds(memory_, value, next, false);
    default:
      return Plain(entry_.shapes[index], value);
  }
}

std::optional<std::string> ArgumentText::Output(int index, uint64_t result) {
  const uint64_t value = call_.args[index];
  const uint64_t next = index < 5 ? call_.args[index + 1] : 0;
  switch (entry_.shapes[index]) {
    case ArgShape::kBufferOut:
      return Buffer(memory_, value, std::min(result, next));
    case ArgShape::kIovecOut:
      return Iovec(memory_, value, next, result);
    case ArgShape::kStat:
      return Stat(memory_, value);
    case ArgShape::kFdPair:
      return FdPair(memory_, value);
    case ArgShape::kWaitStatus:
      if (result == 0) return std::nullopt;
      return WaitStatus(memory_, value);
    case ArgShape::kPollFds:
      return PollFds(memory_, value, next, true);
    default:
      return std::nullopt;
  }
}

void ArgumentText::AddResults(uint64_t result) {
  for (int i = 0; i < 6; ++i) {
    if (std::optional<std::string> text = Output(i, result)) texts_[i] = *std::move(text);
  }
}

std::string ArgumentText::Joined() const {
  std::string joined;
  for (int i = 0; i < 6 && entry_.shapes[i] != ArgShape::kNone; ++i) {
    absl::StrAppend(&joined, i == 0 ? "" : ", ", texts_[i]);
  }
  return joined;
}

}  // namespace runsc::boot
