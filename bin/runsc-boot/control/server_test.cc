#include "bin/runsc-boot/control/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "absl/synchronization/notification.h"

namespace runsc::boot::control {
namespace {

using runsc::control::ControlReply;
using runsc::control::ControlRequest;

// A container whose init ends when it is told to.
class FakeSandbox : public Sandbox {
 public:
  Status Prepare() override { return start_error_ == 0 ? Ok() : Status(Error(start_error_)); }
  Status Start() override {
    started_ = true;
    return start_error_ == 0 ? Ok() : Status(Error(start_error_, "exec: \"x\": no such file"));
  }
  Result<std::unique_ptr<ExecutedProcess>> Exec(ExecConfig) override { return Error(ENOSYS); }
  void Freeze(bool) override {}
  Result<int> Wait(pid_t pid) override {
    if (pid != 0) return Error(ESRCH);
    ended_.WaitForNotification();
    return status_;
  }
  Status Signal(pid_t, int signo, bool) override {
    if (signo == SIGKILL) EndWith(SIGKILL);
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
  void Destroy() override { EndWith(SIGKILL); }

  void EndWith(int status) {
    if (ended_.HasBeenNotified()) return;
    status_ = status;
    ended_.Notify();
  }

  int start_error_ = 0;
  bool started_ = false;
  std::atomic<int> last_signal_ = 0;

 private:
  absl::Notification ended_;
  int status_ = 0;
};

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
    server_ = std::make_unique<ControlServer>(std::move(socket_fd), *sandbox_, getuid());
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
  ControlReply Signal(int signo) {
    ControlRequest request;
    request.mutable_signal()->set_signal(signo);
    return Ask(request);
  }

  sockaddr_un address_ = {};
  socklen_t address_size_ = 0;
  FakeSandbox* sandbox_ = nullptr;
  std::unique_ptr<ControlServer> server_;
};

TEST_F(ControlServerTest, ExitCodeIsInits) {
  EXPECT_EQ(Start().error(), 0);
  sandbox_->EndWith(3 << 8);
  EXPECT_EQ(server_->WaitForEnd(), 3);
}

TEST_F(ControlServerTest, ASignalThatEndsInitIsAdded) {
  EXPECT_EQ(Start().error(), 0);
  EXPECT_EQ(Signal(SIGKILL).error(), 0);
  EXPECT_EQ(server_->WaitForEnd(), 137);
}

TEST_F(ControlServerTest, SignalsReachTheSandbox) {
  EXPECT_EQ(Start().error(), 0);
  EXPECT_EQ(Signal(SIGUSR1).error(), 0);
  EXPECT_EQ(sandbox_->last_signal_, SIGUSR1);
  EXPECT_EQ(Signal(0).error(), EINVAL);
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

TEST_F(ControlServerTest, AnEmptyCommandIsAnError) { EXPECT_EQ(Ask({}).error(), EBADMSG); }

}  // namespace
}  // namespace runsc::boot::control
