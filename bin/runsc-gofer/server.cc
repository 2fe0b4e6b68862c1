#include "bin/runsc-gofer/server.h"

#include <exception>
#include <thread>
#include <utility>

#include "common/log.h"

namespace runsc::gofer {

Server::~Server() { Wait(); }

void Server::Serve(std::unique_ptr<Tree> tree, FileDescriptor connection) {
  auto served = std::make_unique<Served>();
  served->tree = std::move(tree);
  Served& reference = *served;
  {
    absl::MutexLock lock(&mutex_);
    trees_.push_back(std::move(served));
  }
  Status started = StartConnection(reference, std::move(connection));
  if (!started.ok()) {
    LOG_ERROR("cannot serve ", reference.tree->name(), ": ", started.error().ToString());
  }
}

void Server::Wait() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &Server::AllEnded));
}

Status Server::StartConnection(Served& served, FileDescriptor connection) {
  int number;
  {
    absl::MutexLock lock(&mutex_);
    if (served.connections >= kMaxConnectionsPerTree) return Error(EMFILE);
    ++served.connections;
    ++active_;
    number = served.started++;
  }
  try {
    std::thread([this, &served, number, fd = std::move(connection)]() mutable {
      RunConnection(served, std::move(fd), number);
    }).detach();
  } catch (const std::exception&) {  // the only way std::thread reports EAGAIN
    absl::MutexLock lock(&mutex_);
    --served.connections;
    --active_;
    return Error(EAGAIN);
  }
  return Ok();
}

void Server::RunConnection(Served& served, FileDescriptor connection, int number) {
  {
    Channel channel(std::move(connection), Conversation::kFs, kMaxRequest);
    Status status;
    while (status.ok()) status = AnswerOne(served, channel);
    if (status.code() != ECONNRESET && status.code() != EPIPE) {
      LOG_ERROR("connection ", number, " of ", served.tree->name(), ": ",
                status.error().ToString());
    }
  }
  absl::MutexLock lock(&mutex_);
  --served.connections;
  --active_;
}

Status Server::AnswerOne(Served& served, Channel& channel) {
  TRY_ASSIGN(auto request, channel.Receive<fs::FsRequest>());
  Answer answer =
      request.message.has_connect() ? Connect(served) : served.tree->Handle(request.message);
  int fd = answer.fd.get();
  return channel.Send(answer.reply,
                      fd >= 0 ? absl::MakeConstSpan(&fd, 1) : absl::Span<const int>());
}

Answer Server::Connect(Served& served) {
  Answer answer;
  auto pair = Channel::Pair();
  Status status =
      pair.ok() ? StartConnection(served, std::move(pair->first)) : Status(std::move(pair).error());
  if (status.ok()) {
    answer.fd = std::move(pair->second);
  } else {
    answer.reply.set_error(status.code());
  }
  return answer;
}

}  // namespace runsc::gofer
