#include "bin/runsc-boot/control/server.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace runsc::boot::control {
namespace {

using runsc::control::ControlReply;
using runsc::control::ControlRequest;

// Ends when it is told to.
class FakeProcess : public ExecutedProcess {
 public:
  struct State {
    FileDescriptor end = FileDescriptor(eventfd(0, EFD_CLOEXEC));
    std::atomic<int> status = 0, last_signal = 0;
    void EndWith(int value) {
      status = value;
      const uint64_t one = 1;
      EXPECT_EQ(write(end.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
    }
  };
  explicit FakeProcess(std::shared_ptr<State> state) : state_(std::move(state)) {}
  pid_t pid() const override { return 7; }
  pid_t boot_pid() const override { return 70; }
  int end_fd() const override { return state_->end.get(); }
  int status() const override { return state_->status; }
  Status Signal(int signo) override {
    state_->last_signal = signo;
    return Ok();
  }

 private:
  const std::shared_ptr<State> state_;
};

// A container whose init ends when it is told to.
class FakeSandbox : public Sandbox {
 public:
  Status Prepare() override { return start_error_ == 0 ? Ok() : Status(Error(start_error_)); }
  Status Start() override {
    started_ = true;
    return start_error_ == 0 ? Ok() : Status(Error(start_error_, "exec: \"x\": no such file"));
  }
  Result<std::unique_ptr<ExecutedProcess>> Exec(ExecConfig config) override {
    if (start_error_ != 0) return Error(start_error_, "exec: \"x\": no such file");
    descriptors_ = config.fds.size();
    return std::unique_ptr<ExecutedProcess>(std::make_unique<FakeProcess>(process_));
  }
  void Freeze(bool frozen) override { frozen_ = frozen; }
  Result<int> Wait(pid_t pid) override {
    if (pid != 0) return Error(ESRCH);
    ended_.WaitForNotification();
    return status_;
  }
  Status Signal(pid_t, int signo, bool) override {
    if (signo == SIGKILL || !started_) EndWith(signo);
    last_signal_ = signo;
    return Ok();
  }
  std::vector<ProcessInfo> Processes() override {
    ProcessInfo info;
    info.pid = 1;
    info.uid = 5;
    info.threads = 2;
    info.command = "sh";
    return {info};
  }
  void Destroy() override {
    destroyed_ = true;
    EndWith(SIGKILL);
  }

  void EndWith(int status) {
    if (ended_.HasBeenNotified()) return;
    status_ = status;
    ended_.Notify();
  }

  int start_error_ = 0;
  std::atomic<bool> started_ = false;
  std::atomic<int> last_signal_ = 0;
  std::atomic<bool> destroyed_ = false;
  std::atomic<bool> frozen_ = false;
  std::atomic<size_t> descriptors_ = 0;
  const std::shared_ptr<FakeProcess::State> process_ = std::make_shared<FakeProcess::State>();

 private:
  absl::Notification ended_;
  int status_ = 0;
};

ControlRequest ExecOf(std::vector<std::string> args, const std::string& cwd = "/") {
  ControlRequest request;
  for (std::string& arg : args) request.mutable_exec()->mutable_process()->add_args(std::move(arg));
  request.mutable_exec()->mutable_process()->set_cwd(cwd);
  return request;
}

class ControlServerTest : public testing::Test {
 protected:
  void SetUp() override {
    FileDescriptor socket_fd(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    // The kernel picks an abstract address; test directories are too long.
    address_.sun_family = AF_UNIX;
    ASSERT_EQ(bind(socket_fd.get(), Address(), sizeof(address_.sun_family)), 0);
    address_size_ = sizeof(address_);
    ASSERT_EQ(getsockname(socket_fd.get(), Address(), &address_size_), 0);
    ASSERT_EQ(listen(socket_fd.get(), 8), 0);
    // Never destroyed: like in boot, its threads run until the end.
    sandbox_ = new FakeSandbox;
    server_ = std::make_unique<ControlServer>(std::move(socket_fd), *sandbox_, getuid(),
                                              [this](int status) { recorded_ = status; });
    ASSERT_TRUE(server_->Start().ok());
  }

  sockaddr* Address() { return reinterpret_cast<sockaddr*>(&address_); }
  Channel Connect() {
    FileDescriptor fd(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    EXPECT_EQ(connect(fd.get(), Address(), address_size_), 0);
    return Channel(std::move(fd), Conversation::kControl);
  }
  ControlReply Ask(const ControlRequest& request) {
    Channel channel = Connect();
    EXPECT_TRUE(channel.Send(request).ok());
    auto reply = channel.Receive<ControlReply>();
    EXPECT_TRUE(reply.ok()) << reply.error().ToString();
    return reply.ok() ? std::move(reply->message) : ControlReply();
  }
  ControlReply Start() {
    ControlRequest request;
    request.mutable_start();
    return Ask(request);
  }
  // The session of a process whose client has left.
  Channel ExecDetached() {
    Channel session = Connect();
    ControlRequest request = ExecOf({"x"});
    request.mutable_exec()->set_detached(true);
    EXPECT_TRUE(session.Send(request).ok());
    EXPECT_TRUE(session.Receive<ControlReply>().ok());
    return session;
  }
  ControlReply Signal(int signo) {
    ControlRequest request;
    request.mutable_signal()->set_signal(signo);
    return Ask(request);
  }

  sockaddr_un address_ = {};
  socklen_t address_size_ = 0;
  FakeSandbox* sandbox_ = nullptr;
  std::atomic<int> recorded_ = -1;
  std::unique_ptr<ControlServer> server_;
};

TEST_F(ControlServerTest, ExitCodeIsInits) {
  EXPECT_EQ(Start().error(), 0);
  sandbox_->EndWith(3 << 8);
  EXPECT_EQ(server_->WaitForEnd(), 3);
  EXPECT_EQ(recorded_, 3 << 8);
}

TEST_F(ControlServerTest, ASignalThatEndsInitIsAdded) {
  EXPECT_EQ(Start().error(), 0);
  EXPECT_EQ(Signal(SIGKILL).error(), 0);
  EXPECT_EQ(server_->WaitForEnd(), 137);
  EXPECT_EQ(recorded_, SIGKILL);
}

TEST_F(ControlServerTest, SignalsReachTheSandbox) {
  EXPECT_EQ(Start().error(), 0);
  EXPECT_EQ(Signal(SIGUSR1).error(), 0);
  EXPECT_EQ(sandbox_->last_signal_, SIGUSR1);
  EXPECT_EQ(Signal(0).error(), 0);
  EXPECT_EQ(Signal(-1).error(), EINVAL);
  EXPECT_EQ(Signal(65).error(), EINVAL);
  sandbox_->EndWith(0);
  EXPECT_EQ(server_->WaitForEnd(), 0);
}

TEST_F(ControlServerTest, StartsOnlyOnce) {
  EXPECT_EQ(Start().error(), 0);
  EXPECT_EQ(Start().error(), EBUSY);
  sandbox_->EndWith(0);
  server_->WaitForEnd();
}

TEST_F(ControlServerTest, AProgramThatIsMissingEndsTheSandboxWith127) {
  sandbox_->start_error_ = ENOENT;
  ControlReply reply = Start();
  EXPECT_EQ(reply.error(), ENOENT);
  EXPECT_EQ(reply.message(), "exec: \"x\": no such file");
  EXPECT_EQ(server_->WaitForEnd(), 127);
}

TEST_F(ControlServerTest, PreparationTellsWhetherTheProgramIsThere) {
  ControlRequest request;
  request.mutable_prepare();
  EXPECT_EQ(Ask(request).error(), 0);
  sandbox_->start_error_ = ENOENT;
  EXPECT_EQ(Ask(request).error(), ENOENT);
  sandbox_->start_error_ = 0;
  EXPECT_EQ(Start().error(), 0);
  EXPECT_EQ(Ask(request).error(), EBUSY);
  sandbox_->EndWith(0);
  EXPECT_EQ(server_->WaitForEnd(), 0);
}

TEST_F(ControlServerTest, AProgramThatCannotBeExecutedEndsTheSandboxWith126) {
  sandbox_->start_error_ = EACCES;
  EXPECT_EQ(Start().error(), EACCES);
  EXPECT_EQ(server_->WaitForEnd(), 126);
}

TEST_F(ControlServerTest, SignalBeforeTheStartEndsTheContainer) {
  EXPECT_EQ(Signal(SIGTERM).error(), 0);
  EXPECT_EQ(server_->WaitForEnd(), 128 + SIGTERM);
  EXPECT_FALSE(sandbox_->started_);
  EXPECT_EQ(Signal(SIGTERM).error(), ESRCH);
}

TEST_F(ControlServerTest, WaitersAreAnsweredBeforeTheEnd) {
  EXPECT_EQ(Start().error(), 0);
  Channel waiter = Connect();
  ControlRequest request;
  request.mutable_wait();
  ASSERT_TRUE(waiter.Send(request).ok());
  // Any answer later than this one proves that the wait has been received.
  ControlRequest processes;
  processes.mutable_processes();
  EXPECT_EQ(Ask(processes).processes().processes(0).command(), "sh");
  sandbox_->EndWith(5 << 8);
  auto reply = waiter.Receive<ControlReply>();
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->message.wait().status(), 5 << 8);
  EXPECT_EQ(server_->WaitForEnd(), 5);
}

TEST_F(ControlServerTest, DestroyEndsWhatWasNeverStarted) {
  ControlRequest request;
  request.mutable_destroy();
  EXPECT_EQ(Ask(request).error(), 0);
  EXPECT_EQ(server_->WaitForEnd(), 137);
}

TEST_F(ControlServerTest, AnExecutedProcessHasItsConnectionUntilItsEnd) {
  EXPECT_EQ(Start().error(), 0);
  Channel session = Connect();
  ControlRequest request = ExecOf({"x"});
  request.mutable_exec()->add_fds()->set_role(runsc::control::Descriptor::ROLE_STDOUT);
  request.mutable_exec()->add_fds()->set_role(runsc::control::Descriptor::ROLE_PRESERVED);
  ASSERT_TRUE(session.Send(request, {STDOUT_FILENO, STDERR_FILENO}).ok());
  auto started = session.Receive<ControlReply>();
  ASSERT_TRUE(started.ok());
  EXPECT_EQ(started->message.exec().pid(), 7);
  EXPECT_EQ(started->message.exec().boot_pid(), 70);
  EXPECT_EQ(sandbox_->descriptors_, 4u);
  ControlRequest signal;
  signal.mutable_signal()->set_signal(SIGUSR1);
  ASSERT_TRUE(session.Send(signal).ok());
  while (sandbox_->process_->last_signal != SIGUSR1) absl::SleepFor(absl::Milliseconds(1));
  sandbox_->process_->EndWith(9 << 8);
  auto end = session.Receive<ControlReply>();
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->message.wait().status(), 9 << 8);
  EXPECT_EQ(session.Receive<ControlReply>().code(), ECONNRESET);
  sandbox_->EndWith(0);
  server_->WaitForEnd();
}

TEST_F(ControlServerTest, AProcessIsKilledWithItsClientOnlyIfItIsWanted) {
  EXPECT_EQ(Start().error(), 0);
  for (bool wanted : {false, true}) {
    sandbox_->process_->last_signal = 0;
    ControlRequest request = ExecOf({"x"});
    request.mutable_exec()->set_detached(wanted);
    EXPECT_EQ(Ask(request).exec().pid(), 7);  // and hangs up
    absl::Time deadline = absl::Now() + absl::Seconds(wanted ? 10 : 0) + absl::Milliseconds(50);
    while (sandbox_->process_->last_signal == 0 && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    EXPECT_EQ(sandbox_->process_->last_signal, wanted ? SIGKILL : 0);
  }
  sandbox_->EndWith(0);
  server_->WaitForEnd();
}

TEST_F(ControlServerTest, EndsWhenTheStandInHasBeenReaped) {
  EXPECT_EQ(Start().error(), 0);
  Channel session = ExecDetached();
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  ControlRequest request;
  request.mutable_stand_in();
  ASSERT_TRUE(session.Send(request, {pidfd.get()}).ok());
  sandbox_->process_->EndWith(SIGKILL);
  ASSERT_TRUE(session.Receive<ControlReply>().ok());
  sandbox_->EndWith(0);
  absl::Notification ended;
  std::thread waiter([&] {
    server_->WaitForEnd();
    ended.Notify();
  });
  EXPECT_FALSE(ended.WaitForNotificationWithTimeout(absl::Milliseconds(30)));
  kill(child, SIGKILL);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);  // a zombie by now
  EXPECT_FALSE(ended.WaitForNotificationWithTimeout(absl::Milliseconds(30)));
  waitpid(child, nullptr, 0);
  waiter.join();
}

TEST_F(ControlServerTest, AStandInMustComeWithItsDescriptor) {
  EXPECT_EQ(Start().error(), 0);
  Channel session = ExecDetached();
  ControlRequest request;
  request.mutable_stand_in();
  ASSERT_TRUE(session.Send(request).ok());
  EXPECT_EQ(session.Receive<ControlReply>().code(), ECONNRESET);
  EXPECT_EQ(sandbox_->process_->last_signal, SIGKILL);
  sandbox_->EndWith(0);
  server_->WaitForEnd();
}

TEST_F(ControlServerTest, WrongRequestsToExecuteAreErrors) {
  EXPECT_EQ(Start().error(), 0);
  EXPECT_EQ(Ask(ExecOf({})).error(), EINVAL);
  EXPECT_EQ(Ask(ExecOf({""})).error(), EINVAL);
  EXPECT_EQ(Ask(ExecOf({"x"}, "")).error(), EINVAL);
  EXPECT_EQ(Ask(ExecOf({"x"}, "relative")).error(), EINVAL);
  ControlRequest request = ExecOf({"x"});
  request.mutable_exec()->add_fds()->set_role(runsc::control::Descriptor::ROLE_STDIN);
  EXPECT_EQ(Ask(request).error(), EBADMSG);  // without the descriptor
  sandbox_->start_error_ = ENOENT;
  EXPECT_EQ(Ask(ExecOf({"x"})).error(), ENOENT);
  sandbox_->EndWith(0);
  server_->WaitForEnd();
  EXPECT_EQ(Ask(ExecOf({"x"})).error(), ESRCH);
}

TEST_F(ControlServerTest, FreezesBeforeAndAfterTheStart) {
  ControlRequest request;
  request.mutable_freeze()->set_frozen(true);
  EXPECT_EQ(Ask(request).error(), 0);
  EXPECT_TRUE(sandbox_->frozen_);
  request.mutable_freeze()->set_frozen(false);
  EXPECT_EQ(Start().error(), 0);
  EXPECT_EQ(Ask(request).error(), 0);
  EXPECT_FALSE(sandbox_->frozen_);
  sandbox_->EndWith(0);
  server_->WaitForEnd();
  EXPECT_EQ(Ask(request).error(), ESRCH);
}

TEST_F(ControlServerTest, AProcessMayRunBeforeTheStart) {
  Channel session = ExecDetached();
  EXPECT_FALSE(sandbox_->started_);
  EXPECT_EQ(Start().error(), 0);
  sandbox_->process_->EndWith(4 << 8);
  auto end = session.Receive<ControlReply>();
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->message.wait().status(), 4 << 8);
  session.Release().Reset();
  sandbox_->EndWith(0);
  EXPECT_EQ(server_->WaitForEnd(), 0);
}

TEST_F(ControlServerTest, TheEndOfInitBeforeItsStartIsTheEnd) {
  Channel session = ExecDetached();
  sandbox_->EndWith(SIGKILL);
  session.Release().Reset();
  EXPECT_EQ(server_->WaitForEnd(), 137);
  EXPECT_EQ(Start().error(), EBUSY);
}

TEST_F(ControlServerTest, AFailedStartEndsWhatWasStartedBefore) {
  Channel session = ExecDetached();
  sandbox_->start_error_ = ENOENT;
  EXPECT_EQ(Start().error(), ENOENT);
  EXPECT_TRUE(sandbox_->destroyed_);
  session.Release().Reset();
  EXPECT_EQ(server_->WaitForEnd(), 127);
}

TEST_F(ControlServerTest, AnEmptyCommandIsAnError) { EXPECT_EQ(Ask({}).error(), EBADMSG); }

}  // namespace
}  // namespace runsc::boot::control
