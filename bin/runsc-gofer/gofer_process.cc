#include "bin/runsc-gofer/gofer_process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

namespace runsc::gofer {
namespace {

[[noreturn]] void RunChild(const std::string& binary, int channel) {
  if (channel == kInheritedChannelFd) {
    fcntl(channel, F_SETFD, 0);
  } else {
    dup2(channel, kInheritedChannelFd);
  }
  close_range(kInheritedChannelFd + 1, ~0U, 0);
  execl(binary.c_str(), "runsc-gofer", nullptr);
  _exit(127);
}

}  // namespace

Result<std::unique_ptr<GoferProcess>> GoferProcess::Start(const std::string& binary,
                                                          const GoferRequest& request) {
  std::unique_ptr<GoferProcess> process(new GoferProcess());
  TRY_ASSIGN(auto control, Channel::Pair());
  std::vector<FileDescriptor> gofer_ends;
  std::vector<int> fds;
  for (int i = 0; i < 1 + request.mounts_size(); ++i) {
    TRY_ASSIGN(auto pair, Channel::Pair());
    process->connections_.push_back(std::move(pair.first));
    gofer_ends.push_back(std::move(pair.second));
    fds.push_back(gofer_ends.back().get());
  }
  long pid = syscall(
      SYS_clone, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD,
      nullptr, nullptr, nullptr, nullptr);
  if (pid < 0) return ErrnoError("start", binary);
  if (pid == 0) RunChild(binary, control.second.get());
  process->pid_ = static_cast<pid_t>(pid);
  control.second.Reset();

  Channel channel(std::move(control.first), Conversation::kGofer);
  TRY(channel.SetReceiveTimeout(absl::Seconds(20)));
  TRY(channel.Send(request, fds));
  TRY_ASSIGN(auto reply, channel.Receive<GoferReply>());
  if (!reply.message.error().empty()) return Error(EINVAL, reply.message.error());
  return process;
}

GoferProcess::~GoferProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  Wait();
}

int GoferProcess::Wait() {
  int status = -1;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return status;
}

Result<Received<fs::FsReply>> Call(Channel& channel, const fs::FsRequest& request) {
  TRY(channel.Send(request));
  TRY_ASSIGN(auto reply, channel.Receive<fs::FsReply>(1));
  if (reply.message.error() != 0) return Error(reply.message.error());
  return reply;
}

}  // namespace runsc::gofer
