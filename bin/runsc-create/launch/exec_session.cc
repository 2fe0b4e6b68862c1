#include "bin/runsc-create/launch/exec_session.h"

namespace runsc::create {

Status ExecSession::Signal(int signo) {
  control::ControlRequest request;
  request.mutable_signal()->set_signal(signo);
  return channel_.Send(request);
}

Status ExecSession::TerminalResized() {
  control::ControlRequest request;
  request.mutable_terminal_resized();
  return channel_.Send(request);
}

Status ExecSession::NameStandIn(int pidfd) {
  control::ControlRequest request;
  request.mutable_stand_in();
  return channel_.Send(request, {pidfd});
}

Result<int> ExecSession::TakeEnd() {
  TRY_ASSIGN(auto reply, channel_.Receive<control::ControlReply>());
  if (!reply.message.has_wait()) return Error(EBADMSG, "boot did not say how the process ended");
  return reply.message.wait().status();
}

}  // namespace runsc::create
