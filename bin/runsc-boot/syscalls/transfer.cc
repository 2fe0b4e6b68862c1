#include "bin/runsc-boot/syscalls/transfer.h"

#include <sys/inotify.h>
#include <sys/resource.h>

#include "bin/runsc-boot/kernel/thread_group.h"
#include "bin/runsc-boot/syscalls/socket_arguments.h"
#include "common/log.h"

namespace runsc::boot {

namespace {

constexpr PollEvents kReadEvents = EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLERR;
constexpr PollEvents kWriteEvents = EPOLLOUT | EPOLLWRNORM | EPOLLHUP | EPOLLERR;

// The write waits as long as a socket's SO_SNDTIMEO says.
Result<size_t> Attempt(Task& task, File& file, PollEvents events, bool nonblock,
                       const std::function<Result<size_t>()>& attempt) {
  Result<size_t> result = attempt();
  if (nonblock || result.code() != EAGAIN) return result;
  const auto* socket = dynamic_cast<const Socket*>(&file);
  if (socket == nullptr) return task.BlockOnFile<size_t>(file, events, std::nullopt, attempt);
  const Deadline deadline = SendDeadline(*socket);
  result = task.BlockOnFile<size_t>(file, events, deadline, attempt);
  if (!result.ok()) return EndOfWait(std::move(result).error(), deadline);
  return result;
}

// BlockOnFile for reads, which may end by time with what there is.
Result<size_t> WaitToRead(Task& task, File& file, IoBuffer& destination,
                          const std::function<Result<size_t>()>& attempt) {
  Result<size_t> result = attempt();
  if (result.code() != EAGAIN || (file.flags() & O_NONBLOCK) != 0) return result;
  WaitQueue* queue = file.wait_queue();
  if (queue == nullptr) return result;
  const int64_t begun = MonotonicNow();
  const auto* socket = dynamic_cast<const Socket*>(&file);
  const Deadline socket_deadline = socket == nullptr ? std::nullopt : ReceiveDeadline(*socket);
  WaitEntry entry(kReadEvents, static_cast<Waker&>(task));
  queue->Register(entry);
  while (true) {
    result = attempt();
    if (result.code() != EAGAIN) return result;
    Status slept = task.Sleep(socket_deadline ? socket_deadline : file.ReadDeadline(begun));
    if (slept.ok()) continue;
    if (socket != nullptr) return EndOfWait(std::move(slept).error(), socket_deadline);
    Result<size_t> partial = file.ReadPartial(task, destination);
    if (!partial.ok() || *partial > 0 || slept.code() == ETIMEDOUT) return partial;
    return std::move(slept).error();
  }
}

void RaiseWriteSignal(Task& task, int code) {
  if (code == EPIPE) RaiseSignal(task, SIGPIPE);
  if (code == EFBIG && task.file_size_limit() != RLIM_INFINITY) RaiseSignal(task, SIGXFSZ);
}

// Until everything has been written or nothing more can be.
Result<size_t> WriteAll(Task& task, File& file, IoBuffer& source, std::optional<uint64_t> offset,
                        bool nonblock) {
  size_t total = 0;
  while (true) {
    Result<size_t> written = Attempt(task, file, kWriteEvents, nonblock, [&]() -> Result<size_t> {
      return offset ? file.PWrite(task, source, *offset + total) : file.Write(task, source);
    });
    if (!written.ok()) {
      RaiseWriteSignal(task, written.code());
      if (total > 0) return total;
      return written;
    }
    total += *written;
    const bool once = nonblock || (file.flags() & O_NONBLOCK) != 0 || file.seekable();
    if (*written == 0 || source.remaining() == 0 || once) return total;
  }
}

}  // namespace

void RaiseSignal(Task& task, int signo) {
  // As Linux: it looks as if the task had sent it to itself.
  Status sent = task.SendSignal(MakeSigInfo(signo, SI_USER, task.tgid(), task.credentials()->ruid));
  if (!sent.ok()) LOG_DEBUG("signal ", signo, " to task ", task.tid(), " was not queued");
}

Result<size_t> ReadFrom(Task& task, File& file, IoBuffer& destination,
                        std::optional<uint64_t> offset, bool nonblock) {
  auto attempt = [&]() -> Result<size_t> {
    return offset ? file.PRead(task, destination, *offset) : file.Read(task, destination);
  };
  Result<size_t> got = nonblock ? attempt() : WaitToRead(task, file, destination, attempt);
  if (got.ok() && *got > 0) ReportPath(file.path(), IN_ACCESS);
  return got;
}

Result<size_t> WriteTo(Task& task, File& file, IoBuffer& source, std::optional<uint64_t> offset,
                       bool nonblock) {
  Result<size_t> written = WriteAll(task, file, source, offset, nonblock);
  if (written.ok() && *written > 0) ReportPath(file.path(), IN_MODIFY);
  return written;
}

}  // namespace runsc::boot
