#include "bin/runsc-boot/sandbox/executed_process.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "bin/runsc-boot/wait/wait_queue.h"

namespace runsc::boot {
namespace {

// How long the host may take for the last output.
constexpr absl::Duration kLastOutput = absl::Seconds(2);

// A descriptor that becomes readable when a process ends.
class EndOfProcess {
 public:
  explicit EndOfProcess(ThreadGroupRef group)
      : group_(std::move(group)),
        event_(eventfd(0, EFD_CLOEXEC)),
        entry_(EPOLLIN, [this](PollEvents) { Signal(); }) {
    group_->exit_queue().Register(entry_);
    if (group_->zombie()) Signal();
  }
  ~EndOfProcess() { group_->exit_queue().Unregister(entry_); }
  EndOfProcess(const EndOfProcess&) = delete;
  EndOfProcess& operator=(const EndOfProcess&) = delete;

  bool valid() const { return event_.valid(); }
  int fd() const { return event_.get(); }
  ThreadGroup& group() const { return *group_; }

 private:
  void Signal() {
    const uint64_t one = 1;
    (void)!write(event_.get(), &one, sizeof one);
  }

  const ThreadGroupRef group_;
  const FileDescriptor event_;
  WaitEntry entry_;
};

class Executed final : public control::ExecutedProcess {
 public:
  Executed(const ThreadGroupRef& group, std::shared_ptr<tty::HostRelay> relay)
      : pid_(group->pid()), relay_(std::move(relay)), end_(group) {
    if (auto process = group->host_process(); process != nullptr) boot_pid_ = process->host_pid();
  }
  bool valid() const { return end_.valid(); }

  pid_t pid() const override { return pid_; }
  pid_t boot_pid() const override { return boot_pid_; }
  int end_fd() const override { return end_.fd(); }
  int status() const override { return end_.group().exit_status(); }
  void FinishOutput() override {
    if (relay_ != nullptr) relay_->Drain(kLastOutput);
  }
  Status Signal(int signo) override {
    if (signo < 1 || signo > kSignalCount) return Error(EINVAL);
    return end_.group().SendFromOutside(signo);
  }

 private:
  const pid_t pid_;
  pid_t boot_pid_ = 0;
  const std::shared_ptr<tty::HostRelay> relay_;
  EndOfProcess end_;
};

}  // namespace

Result<std::unique_ptr<control::ExecutedProcess>> Execute(Kernel& kernel, ProcessOptions options,
                                                          std::shared_ptr<tty::HostRelay> relay) {
  TRY_ASSIGN(ThreadGroupRef group, kernel.StartProcess(std::move(options)));
  auto executed = std::make_unique<Executed>(group, std::move(relay));
  if (!executed->valid()) {
    (void)group->SendFromOutside(SIGKILL).ok();
    return Error(EMFILE, "no descriptor for the end of the process");
  }
  return std::unique_ptr<control::ExecutedProcess>(std::move(executed));
}

Result<int> AwaitProcess(Kernel& kernel, pid_t pid) {
  ThreadGroupRef group = kernel.FindGroup(pid);
  if (group == nullptr) return Error(ESRCH, "no such process");
  EndOfProcess end(group);
  if (!end.valid()) return Error(EMFILE);
  pollfd entry = {.fd = end.fd(), .events = POLLIN, .revents = 0};
  while (poll(&entry, 1, -1) < 0) {
    if (errno != EINTR) return ErrnoError("poll");
  }
  return group->exit_status();
}

}  // namespace runsc::boot
