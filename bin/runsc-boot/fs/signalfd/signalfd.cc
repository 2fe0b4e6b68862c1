#include "bin/runsc-boot/fs/signalfd/signalfd.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "absl/strings/str_format.h"

namespace runsc::boot {

namespace {

signalfd_siginfo ToRecord(const SigInfo& info) {
  signalfd_siginfo out{};
  out.ssi_signo = static_cast<uint32_t>(info.si_signo);
  out.ssi_errno = info.si_errno;
  out.ssi_code = info.si_code;
  if (info.si_code == SI_TIMER) {
    out.ssi_tid = static_cast<uint32_t>(info.si_timerid);
    out.ssi_overrun = static_cast<uint32_t>(info.si_overrun);
  } else {
    out.ssi_pid = static_cast<uint32_t>(info.si_pid);
    out.ssi_uid = info.si_uid;
  }
  if (info.si_signo == SIGCHLD && info.si_code > 0) {
    out.ssi_status = info.si_status;
    out.ssi_utime = static_cast<uint64_t>(info.si_utime);
    out.ssi_stime = static_cast<uint64_t>(info.si_stime);
  } else {
    out.ssi_ptr = reinterpret_cast<uint64_t>(info.si_ptr);
    out.ssi_int = info.si_int;
  }
  return out;
}

}  // namespace

SignalFile::SignalFile(Path path, int flags, ThreadGroupRef owner, SignalSet mask)
    : File(std::move(path), flags), owner_(std::move(owner)), mask_(mask & ~kUnblockable) {
  Follow(*owner_);
}

void SignalFile::Follow(ThreadGroup& group) {
  absl::MutexLock lock(&mutex_);
  std::erase_if(readers_, [](const Reader& reader) { return reader.group.expired(); });
  for (const Reader& reader : readers_) {
    if (reader.key == &group) return;
  }
  auto entry =
      std::make_unique<WaitEntry>(EPOLLIN, [this](PollEvents events) { queue_.Notify(events); });
  group.signal_queue().Register(*entry);
  readers_.push_back({&group, group.weak_from_this(), std::move(entry)});
}

FileRef SignalFile::Make(Task& task, SignalSet mask, int flags) {
  Path path = task.vfs().anonymous().MakePath(task, "anon_inode:[signalfd]", 0600);
  return std::make_shared<SignalFile>(std::move(path), O_RDWR | flags,
                                      task.group().shared_from_this(), mask);
}

void SignalFile::set_mask(SignalSet mask) {
  mask_.store(mask & ~kUnblockable);
  queue_.Notify(EPOLLIN);
}

Result<size_t> SignalFile::Read(Context& context, IoBuffer& destination) {
  auto* task = dynamic_cast<Task*>(&context);
  if (task == nullptr || destination.remaining() < sizeof(signalfd_siginfo)) return Error(EINVAL);
  if (&task->group() != owner_.get()) Follow(task->group());
  size_t total = 0;
  while (destination.remaining() >= sizeof(signalfd_siginfo)) {
    std::optional<SigInfo> info = task->TakePending(mask_.load());
    if (!info) break;
    const signalfd_siginfo record = ToRecord(*info);
    TRY_ASSIGN(size_t put, destination.Put(&record, sizeof(record)));
    total += put;
    if (put < sizeof(record)) return Error(EFAULT);
  }
  if (total == 0) return Error(EAGAIN);
  return total;
}

PollEvents SignalFile::Poll() {
  const SignalSet mask = mask_.load();
  for (const TaskRef& task : owner_->tasks()) {
    if ((task->PendingSet() & mask) != 0) return EPOLLIN | EPOLLRDNORM;
  }
  return 0;
}

PollEvents SignalFile::PollBy(Context& context) {
  auto* task = dynamic_cast<Task*>(&context);
  if (task == nullptr) return Poll();
  // First, so that no signal comes between the answer and the wait.
  if (&task->group() != owner_.get()) Follow(task->group());
  return (task->PendingSet() & mask_.load()) != 0 ? EPOLLIN | EPOLLRDNORM : 0;
}

std::string SignalFile::FdInfo() const {
  return absl::StrFormat("sigmask:\t%016x\n", mask_.load());
}

}  // namespace runsc::boot
