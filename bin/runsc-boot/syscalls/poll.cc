// poll(2), ppoll(2), select(2), pselect6(2)

#include <poll.h>
#include <sys/select.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <vector>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr PollEvents kAlways = POLLERR | POLLHUP;
// What select(2) takes for readable, writable and exceptional.
constexpr PollEvents kSelectIn = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR;
constexpr PollEvents kSelectOut = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR;
constexpr PollEvents kSelectExcept = POLLPRI;

// A file that a task polls, and its answer.
struct Polled {
  FileRef file;  // null: not open
  PollEvents wanted = 0;
  PollEvents ready = 0;
};

// Asks every file; the number of those that are ready.
size_t AskAll(Task& task, std::vector<Polled>& polled) {
  size_t count = 0;
  for (Polled& entry : polled) {
    if (entry.file == nullptr) continue;
    entry.ready = entry.file->PollBy(task) & entry.wanted;
    if (entry.ready != 0) ++count;
  }
  return count;
}

// Sleeps until a file is ready or the deadline has passed (0). kRestartSys on a
// signal.
Result<size_t> WaitForAny(Task& task, std::vector<Polled>& polled, size_t ready_anyway,
                          Deadline deadline) {
  if (size_t count = AskAll(task, polled) + ready_anyway; count > 0) return count;
  if (deadline && *deadline <= MonotonicNow()) return size_t{0};
  std::deque<WaitEntry> entries;
  for (Polled& entry : polled) {
    WaitQueue* queue = entry.file == nullptr ? nullptr : entry.file->wait_queue();
    if (queue == nullptr) continue;
    entries.emplace_back(entry.wanted, static_cast<Waker&>(task));
    queue->Register(entries.back());
  }
  while (true) {
    if (size_t count = AskAll(task, polled); count > 0) return count;
    Status slept = task.Sleep(deadline);
    if (slept.code() == ETIMEDOUT) return AskAll(task, polled);
    if (!slept.ok()) return std::move(slept).error();
  }
}

Result<std::vector<pollfd>> CopyInPollFds(Task& task, uint64_t address, uint64_t count) {
  if (count > MaxFiles(task)) return Error(EINVAL);
  std::vector<pollfd> fds(count);
  if (count > 0) TRY(task.CopyIn(address, fds.data(), count * sizeof(pollfd)));
  return fds;
}

// kRestartSys on a signal; the caller turns it into what its call needs.
Result<Word> Poll(Task& task, uint64_t address, uint64_t count, Deadline deadline) {
  TRY_ASSIGN(std::vector<pollfd> fds, CopyInPollFds(task, address, count));
  std::vector<Polled> polled(fds.size());
  size_t invalid = 0;
  for (size_t i = 0; i < fds.size(); ++i) {
    fds[i].revents = 0;
    if (fds[i].fd < 0) continue;
    Result<FileRef> file = FileForIo(task, fds[i].fd);
    if (!file.ok()) {
      fds[i].revents = POLLNVAL;
      ++invalid;
      continue;
    }
    polled[i] = {std::move(file).value(), static_cast<uint16_t>(fds[i].events) | kAlways};
  }
  TRY_ASSIGN(size_t ready, WaitForAny(task, polled, invalid, deadline));
  for (size_t i = 0; i < fds.size(); ++i) {
    if (polled[i].file != nullptr) fds[i].revents = static_cast<int16_t>(polled[i].ready);
  }
  if (!fds.empty()) TRY(task.CopyOut(address, fds.data(), fds.size() * sizeof(pollfd)));
  return ready;
}

// poll(2) goes on with the time that is left.
Result<Word> RestartablePoll(Task& task, uint64_t address, uint64_t count, Deadline deadline) {
  Result<Word> result = Poll(task, address, count, deadline);
  if (result.code() != kRestartSys) return result;
  task.SetRestart([address, count, deadline](Task& restarted) {
    return RestartablePoll(restarted, address, count, deadline);
  });
  return Error(kRestartBlock);
}

// Linux writes the remaining time back, errors ignored.
void CopyOutRemaining(Task& task, uint64_t address, Deadline deadline, bool as_timeval) {
  if (address == 0 || !deadline) return;
  const int64_t left = std::max<int64_t>(*deadline - MonotonicNow(), 0);
  if (as_timeval) {
    (void)task.CopyOutObject(address, ToTimeval(left));
  } else {
    (void)task.CopyOutObject(address, ToTimespec(left));
  }
}

Result<Word> NoHandRestart(Result<Word> result) {
  if (result.code() == kRestartSys) return Error(kRestartNoHand);
  return result;
}

using BitSet = std::vector<uint64_t>;

Result<BitSet> CopyInBits(Task& task, uint64_t address, int count) {
  BitSet bits((static_cast<size_t>(count) + 63) / 64);
  if (address != 0 && !bits.empty()) TRY(task.CopyIn(address, bits.data(), bits.size() * 8));
  return bits;
}

Status CopyOutBits(Task& task, uint64_t address, const BitSet& bits) {
  if (address == 0 || bits.empty()) return Ok();
  return task.CopyOut(address, bits.data(), bits.size() * 8);
}

bool Has(const BitSet& bits, int n) { return (bits[n / 64] >> (n % 64) & 1) != 0; }
void Set(BitSet& bits, int n) { bits[n / 64] |= uint64_t{1} << (n % 64); }

constexpr PollEvents kSelectEvents[3] = {kSelectIn, kSelectOut, kSelectExcept};

// The result sets hold what is ready; the count is that of bits.
Result<Word> Select(Task& task, int count, const uint64_t (&addresses)[3], Deadline deadline) {
  if (count < 0) return Error(EINVAL);
  // What lies behind the table is ignored, as on Linux.
  count = static_cast<int>(std::min<size_t>(count, task.fds().Capacity()));
  BitSet wanted[3], ready[3];
  for (int set = 0; set < 3; ++set) {
    TRY_ASSIGN(wanted[set], CopyInBits(task, addresses[set], count));
    ready[set].resize(wanted[set].size());
  }
  std::vector<Polled> polled;
  std::vector<int> numbers;
  for (int fd = 0; fd < count; ++fd) {
    PollEvents events = 0;
    for (int set = 0; set < 3; ++set) events |= Has(wanted[set], fd) ? kSelectEvents[set] : 0;
    if (events == 0) continue;
    TRY_ASSIGN(FileRef file, FileForIo(task, fd));
    polled.push_back({std::move(file), events});
    numbers.push_back(fd);
  }
  TRY(WaitForAny(task, polled, 0, deadline));
  Word bits = 0;
  for (size_t i = 0; i < polled.size(); ++i) {
    for (int set = 0; set < 3; ++set) {
      if (!Has(wanted[set], numbers[i]) || (polled[i].ready & kSelectEvents[set]) == 0) continue;
      Set(ready[set], numbers[i]);
      ++bits;
    }
  }
  for (int set = 0; set < 3; ++set) TRY(CopyOutBits(task, addresses[set], ready[set]));
  return bits;
}

}  // namespace

Result<Word> SysPoll(Task& task, const SyscallArgs& args) {
  const int timeout_ms = args.Int(2);
  Deadline deadline;
  if (timeout_ms >= 0) deadline = DeadlineAfter(int64_t{timeout_ms} * 1'000'000);
  return RestartablePoll(task, args.Address(0), args.Uint(1), deadline);
}

Result<Word> SysPpoll(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(std::optional<int64_t> timeout, TimeoutFromTimespec(task, args.Address(2)));
  const Deadline deadline = DeadlineAfter(timeout);
  if (args.Address(3) != 0) {
    TRY_ASSIGN(SignalSet mask, CopyInSignalSet(task, args.Address(3), args.Size(4)));
    task.SetTemporaryMask(mask);
  }
  Result<Word> result = NoHandRestart(Poll(task, args.Address(0), args.Uint(1), deadline));
  CopyOutRemaining(task, args.Address(2), deadline, false);
  return result;
}

Result<Word> SysSelect(Task& task, const SyscallArgs& args) {
  Deadline deadline;
  if (args.Address(4) != 0) {
    TRY_ASSIGN(timeval time, task.CopyInObject<timeval>(args.Address(4)));
    // Microseconds above a second are carried over here, unlike elsewhere.
    const timespec normal = {time.tv_sec + time.tv_usec / 1'000'000,
                             time.tv_usec % 1'000'000 * 1000};
    if (!IsValid(normal)) return Error(EINVAL);
    deadline = DeadlineAfter(ToNanoseconds(normal));
  }
  Result<Word> result = NoHandRestart(
      Select(task, args.Int(0), {args.Address(1), args.Address(2), args.Address(3)}, deadline));
  CopyOutRemaining(task, args.Address(4), deadline, true);
  return result;
}

Result<Word> SysPselect6(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(std::optional<int64_t> timeout, TimeoutFromTimespec(task, args.Address(4)));
  const Deadline deadline = DeadlineAfter(timeout);
  if (args.Address(5) != 0) {
    struct MaskArgument {
      uint64_t address, size;
    };
    TRY_ASSIGN(MaskArgument argument, task.CopyInObject<MaskArgument>(args.Address(5)));
    if (argument.address != 0) {
      TRY_ASSIGN(SignalSet mask, CopyInSignalSet(task, argument.address, argument.size));
      task.SetTemporaryMask(mask);
    }
  }
  Result<Word> result = NoHandRestart(
      Select(task, args.Int(0), {args.Address(1), args.Address(2), args.Address(3)}, deadline));
  CopyOutRemaining(task, args.Address(4), deadline, false);
  return result;
}

}  // namespace runsc::boot
