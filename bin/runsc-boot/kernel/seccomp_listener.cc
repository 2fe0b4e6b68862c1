// The descriptor of seccomp_unotify(2).
#include <sys/ioctl.h>

#include <algorithm>
#include <array>

#include "bin/runsc-boot/kernel/growing_struct.h"
#include "bin/runsc-boot/kernel/seccomp_notifier.h"
#include "bin/runsc-boot/kernel/task.h"
#include "bin/runsc-boot/kernel/thread_group.h"
#include "bin/runsc-boot/vfs/anonymous.h"

// Newer than Debian 12's headers.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

namespace runsc::boot {

namespace {

// An older number of NOTIF_ID_VALID, with the wrong direction.
constexpr uint64_t kIdValidWrongDirection = SECCOMP_IOR(2, __u64);
constexpr uint64_t kSynchronousWakeUp = 1;

class SeccompListener final : public File {
 public:
  SeccompListener(Path path, std::shared_ptr<SeccompNotifier> notifier)
      : File(std::move(path), O_RDWR), notifier_(std::move(notifier)) {}
  ~SeccompListener() override { notifier_->Close(); }

  PollEvents Poll() override { return notifier_->Poll(); }
  WaitQueue* wait_queue() override { return &notifier_->wait_queue(); }
  std::string Describe() const override { return "anon_inode:seccomp notify"; }

  Result<int64_t> Ioctl(Context& context, uint64_t command, uint64_t argument) override {
    auto* task = dynamic_cast<Task*>(&context);
    if (task == nullptr) return Error(ENOTTY);
    switch (command) {
      case SECCOMP_IOCTL_NOTIF_RECV:
        return Receive(*task, argument);
      case SECCOMP_IOCTL_NOTIF_SEND:
        return Send(*task, argument);
      case SECCOMP_IOCTL_NOTIF_ID_VALID:
      case kIdValidWrongDirection: {
        TRY_ASSIGN(const uint64_t id, task->CopyInObject<uint64_t>(argument));
        TRY(notifier_->CheckValid(id));
        return 0;
      }
      case SECCOMP_IOCTL_NOTIF_SET_FLAGS:
        if ((argument & ~kSynchronousWakeUp) != 0) return Error(EINVAL);
        return 0;
      default:
        break;
    }
    // Of any size and direction, as Linux.
    const bool is_add = _IOC_TYPE(command) == SECCOMP_IOC_MAGIC && _IOC_NR(command) == 3;
    return is_add ? AddDescriptor(*task, argument, _IOC_SIZE(command)) : Error(EINVAL);
  }

 private:
  Result<int64_t> Receive(Task& task, uint64_t address) {
    TRY_ASSIGN(auto old, (task.CopyInObject<std::array<char, sizeof(seccomp_notif)>>(address)));
    if (std::any_of(old.begin(), old.end(), [](char c) { return c != 0; })) return Error(EINVAL);
    WaitEntry entry(EPOLLIN | EPOLLHUP, static_cast<Waker&>(task));
    wait_queue()->Register(entry);
    while (true) {
      Result<seccomp_notif> taken = notifier_->Take();
      if (taken.ok()) {
        if (task.CopyOutObject(address, *taken).ok()) return 0;
        notifier_->PutBack(taken->id);
        return Error(EFAULT);
      }
      if (taken.code() != EAGAIN) return std::move(taken).error();
      TRY(task.Sleep(std::nullopt));
    }
  }

  Result<int64_t> Send(Task& task, uint64_t address) {
    TRY_ASSIGN(const auto reply, task.CopyInObject<seccomp_notif_resp>(address));
    if ((reply.flags & ~SECCOMP_USER_NOTIF_FLAG_CONTINUE) != 0) return Error(EINVAL);
    const bool execute = (reply.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE) != 0;
    if (execute && (reply.error != 0 || reply.val != 0)) return Error(EINVAL);
    TRY(notifier_->Reply(reply.id, {reply.error != 0 ? reply.error : reply.val, execute}));
    return 0;
  }

  Result<int64_t> AddDescriptor(Task& task, uint64_t address, size_t size) {
    seccomp_notif_addfd request{};
    if (size < sizeof(request) || size >= 4096) return Error(EINVAL);
    TRY_ASSIGN(request, CopyInGrowing<seccomp_notif_addfd>(task, address, size));
    constexpr uint32_t kFlags = SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND;
    if ((request.newfd_flags & ~uint32_t{O_CLOEXEC}) != 0) return Error(EINVAL);
    if ((request.flags & ~kFlags) != 0) return Error(EINVAL);
    const bool at_number = (request.flags & SECCOMP_ADDFD_FLAG_SETFD) != 0;
    if (request.newfd != 0 && !at_number) return Error(EINVAL);
    TRY_ASSIGN(FileRef file, task.fds().Get(static_cast<int>(request.srcfd)));
    TRY_ASSIGN(const std::shared_ptr<Task> target, notifier_->Find(request.id));
    const std::shared_ptr<FdTable> fds = target->fds_ref();
    if (fds == nullptr) return Error(ENOENT);
    const bool close_on_exec = (request.newfd_flags & O_CLOEXEC) != 0;
    const uint64_t limit = target->group().limit(RLIMIT_NOFILE).rlim_cur;
    int fd = static_cast<int>(request.newfd);
    if (at_number) {
      TRY(fds->Replace(fd, std::move(file), close_on_exec, limit));
    } else {
      TRY_ASSIGN(fd, fds->Install(std::move(file), close_on_exec, limit));
    }
    if ((request.flags & SECCOMP_ADDFD_FLAG_SEND) != 0) {
      TRY(notifier_->Reply(request.id, {fd, false}));
    }
    return fd;
  }

  const std::shared_ptr<SeccompNotifier> notifier_;
};

}  // namespace

FileRef MakeSeccompListener(Vfs& vfs, Context& context, std::shared_ptr<SeccompNotifier> notifier) {
  Path path = vfs.anonymous().MakePath(context, "anon_inode:seccomp notify", 0600);
  return std::make_shared<SeccompListener>(std::move(path), std::move(notifier));
}

}  // namespace runsc::boot
