// epoll_create(2), epoll_create1(2), epoll_ctl(2), epoll_wait(2),
// epoll_pwait(2), epoll_pwait2(2)

#include "bin/runsc-boot/fs/epoll/epoll.h"

#include <algorithm>
#include <vector>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr int kMaxEvents = 0x7fffffff / static_cast<int>(sizeof(epoll_event));
// How many are handed out at once at most; the rest stays ready.
constexpr int kMaxAtOnce = 4096;

Result<std::shared_ptr<EpollFile>> EpollOf(Task& task, int fd) {
  TRY_ASSIGN(FileRef file, task.fds().Get(fd));
  auto epoll = std::dynamic_pointer_cast<EpollFile>(file);
  if (epoll == nullptr) return Error(EINVAL);
  return epoll;
}

Result<Word> Create(Task& task, bool close_on_exec) {
  return InstallFile(task, EpollFile::Make(task.vfs(), task), close_on_exec);
}

// EINTR on a signal: epoll_wait is never restarted.
Result<Word> Wait(Task& task, const SyscallArgs& args, Deadline deadline) {
  if (args.Int(2) <= 0 || args.Int(2) > kMaxEvents) return Error(EINVAL);
  TRY_ASSIGN(std::shared_ptr<EpollFile> epoll, EpollOf(task, args.Fd(0)));
  std::vector<epoll_event> events(static_cast<size_t>(std::min(args.Int(2), kMaxAtOnce)));
  size_t count = epoll->Collect(task, events);
  if (count == 0 && (!deadline || *deadline > MonotonicNow())) {
    WaitEntry entry(EPOLLIN, static_cast<Waker&>(task));
    epoll->wait_queue()->Register(entry);
    while ((count = epoll->Collect(task, events)) == 0) {
      Status slept = task.Sleep(deadline);
      if (slept.ok()) continue;
      if (slept.code() != ETIMEDOUT) return Error(EINTR);
      count = epoll->Collect(task, events);
      break;
    }
  }
  if (count > 0) TRY(task.CopyOut(args.Address(1), events.data(), count * sizeof(epoll_event)));
  return count;
}

Deadline FromMilliseconds(int timeout) {
  if (timeout < 0) return std::nullopt;
  return DeadlineAfter(int64_t{timeout} * 1'000'000);
}

Status SetMask(Task& task, uint64_t address, size_t size) {
  if (address == 0) return Ok();
  TRY_ASSIGN(SignalSet mask, CopyInSignalSet(task, address, size));
  task.SetTemporaryMask(mask);
  return Ok();
}

}  // namespace

Result<Word> SysEpollCreate(Task& task, const SyscallArgs& args) {
  if (args.Int(0) <= 0) return Error(EINVAL);
  return Create(task, false);
}

Result<Word> SysEpollCreate1(Task& task, const SyscallArgs& args) {
  if ((args.Int(0) & ~EPOLL_CLOEXEC) != 0) return Error(EINVAL);
  return Create(task, (args.Int(0) & EPOLL_CLOEXEC) != 0);
}

Result<Word> SysEpollCtl(Task& task, const SyscallArgs& args) {
  const int operation = args.Int(1);
  epoll_event event{};
  if (operation != EPOLL_CTL_DEL) {
    TRY_ASSIGN(event, task.CopyInObject<epoll_event>(args.Address(3)));
  }
  TRY_ASSIGN(FileRef instance, task.fds().Get(args.Fd(0)));
  TRY_ASSIGN(FileRef file, FileForIo(task, args.Fd(2)));
  if (!file->pollable()) return Error(EPERM);
  auto epoll = std::dynamic_pointer_cast<EpollFile>(instance);
  if (epoll == nullptr) return Error(EINVAL);
  switch (operation) {
    case EPOLL_CTL_ADD:
      TRY(epoll->Add(task, args.Fd(2), file, event));
      return 0;
    case EPOLL_CTL_MOD:
      TRY(epoll->Modify(task, args.Fd(2), file, event));
      return 0;
    case EPOLL_CTL_DEL:
      TRY(epoll->Remove(args.Fd(2), file));
      return 0;
    default:
      return Error(EINVAL);
  }
}

Result<Word> SysEpollWait(Task& task, const SyscallArgs& args) {
  return Wait(task, args, FromMilliseconds(args.Int(3)));
}

Result<Word> SysEpollPwait(Task& task, const SyscallArgs& args) {
  TRY(SetMask(task, args.Address(4), args.Size(5)));
  return Wait(task, args, FromMilliseconds(args.Int(3)));
}

Result<Word> SysEpollPwait2(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(std::optional<int64_t> timeout, TimeoutFromTimespec(task, args.Address(3)));
  TRY(SetMask(task, args.Address(4), args.Size(5)));
  return Wait(task, args, DeadlineAfter(timeout));
}

}  // namespace runsc::boot
