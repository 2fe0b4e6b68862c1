#include "bin/runsc-boot/fs/gofer/gofer_client.h"

#include <utility>

#include "common/log.h"

namespace runsc::boot {
namespace {

// What a reply may be at most: a directory's part with long names.
constexpr size_t kMaxReply = 2 << 20;

}  // namespace

GoferClient::GoferClient(Channel first) {
  absl::MutexLock lock(&mutex_);
  idle_.push_back(std::make_unique<Channel>(std::move(first)));
  open_ = 1;
}

void GoferClient::LetGo(uint64_t handle) {
  absl::MutexLock lock(&mutex_);
  let_go_.push_back(handle);
}

Result<GoferClient::Reply> GoferClient::Call(fs::FsRequest& request) {
  TRY_ASSIGN(std::unique_ptr<Channel> channel, TakeChannel());
  {
    absl::MutexLock lock(&mutex_);
    for (uint64_t handle : let_go_) request.add_close(handle);
    let_go_.clear();
  }
  calls_.fetch_add(1, std::memory_order_relaxed);
  Result<Reply> reply = Exchange(*channel, request);
  if (!reply.ok()) {
    LOG_ERROR("gofer: ", reply.error().ToString());
    Lost();
    return Error(EIO);
  }
  GiveBack(std::move(channel));
  if (reply->message.error() != 0) return Error(reply->message.error());
  return reply;
}

Result<std::unique_ptr<Channel>> GoferClient::TakeChannel() {
  std::unique_ptr<Channel> channel;
  bool grow;
  {
    absl::MutexLock lock(&mutex_);
    ++waiting_;
    mutex_.Await(absl::Condition(this, &GoferClient::MayTake));
    --waiting_;
    if (open_ == 0) return Error(EIO);
    channel = std::move(idle_.back());
    idle_.pop_back();
    // Others wait: they shall have a connection, too.
    grow = waiting_ > 0 && idle_.empty() && open_ < kMaxConnections && may_grow_;
    if (grow) ++open_;
  }
  if (!grow) return channel;
  std::unique_ptr<Channel> another = Connect(*channel);
  if (another != nullptr) {
    GiveBack(std::move(another));
  } else {
    absl::MutexLock lock(&mutex_);
    --open_;
    may_grow_ = false;
  }
  return channel;
}

void GoferClient::GiveBack(std::unique_ptr<Channel> channel) {
  absl::MutexLock lock(&mutex_);
  idle_.push_back(std::move(channel));
}

void GoferClient::Lost() {
  absl::MutexLock lock(&mutex_);
  --open_;
}

std::unique_ptr<Channel> GoferClient::Connect(Channel& channel) {
  fs::FsRequest request;
  request.mutable_connect();
  Result<Reply> reply = Exchange(channel, request);
  if (!reply.ok() || !reply->fd.valid()) return nullptr;
  return std::make_unique<Channel>(std::move(reply->fd), Conversation::kFs, kMaxReply);
}

Result<GoferClient::Reply> GoferClient::Exchange(Channel& channel, const fs::FsRequest& request) {
  TRY(channel.Send(request));
  Reply reply;
  std::vector<FileDescriptor> fds;
  TRY(channel.ReceiveInto(reply.message, fds, 1));
  if (!fds.empty()) reply.fd = std::move(fds[0]);
  return reply;
}

}  // namespace runsc::boot
