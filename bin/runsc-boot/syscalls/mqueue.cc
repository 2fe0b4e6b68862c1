// mq_open(2), mq_unlink(2), mq_timedsend(2), mq_timedreceive(2), mq_notify(2),
// mq_getsetattr(2)

#include <fcntl.h>
#include <mqueue.h>
#include <sys/resource.h>

#include <algorithm>

#include "bin/runsc-boot/fs/mqueue/mqueue_filesystem.h"
#include "bin/runsc-boot/kernel/timer_math.h"
#include "bin/runsc-boot/socket/netlink/ports.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/ipc_arguments.h"
#include "bin/runsc-boot/syscalls/socket_arguments.h"

namespace runsc::boot {

namespace {

constexpr unsigned kPriorities = 32768;  // MQ_PRIO_MAX

struct OpenQueue {
  FileRef file;
  mqueue::QueueRef queue;
};

// EBADF: not a queue.
Result<OpenQueue> QueueFor(Task& task, int fd) {
  TRY_ASSIGN(FileRef file, FileForIo(task, fd));
  mqueue::QueueRef queue = mqueue::QueueOf(*file);
  if (queue == nullptr) return Error(EBADF);
  return OpenQueue{std::move(file), std::move(queue)};
}

// An absolute time of CLOCK_REALTIME as one of boot's deadlines. EFAULT, EINVAL.
Result<Deadline> DeadlineArgument(Task& task, uint64_t address) {
  if (address == 0) return Deadline();
  TRY_ASSIGN(const timespec time, task.CopyInObject<timespec>(address));
  if (!IsValid(time)) return Error(EINVAL);
  const int64_t left = ToNanoseconds(time) - ClockNow(CLOCK_REALTIME);
  return DeadlineAfter(std::max<int64_t>(left, 0));
}

// The name without the slash, which libc has taken off.
Result<std::string> NameArgument(Task& task, uint64_t address) {
  TRY_ASSIGN(std::string name, task.CopyInPath(address));
  if (name.empty()) return Error(ENOENT);
  return name;
}

// The signal of mq_notify(3), in the name of whoever sends the message.
std::function<void(const mqueue::Sender&)> SignalTo(Task& task, const sigevent& event) {
  const std::weak_ptr<ThreadGroup> target = task.group_ref();
  return [target, signo = event.sigev_signo, value = event.sigev_value,
          credentials = task.credentials()](const mqueue::Sender& sender) {
    const ThreadGroupRef group = target.lock();
    if (group == nullptr || signo == 0) return;
    SigInfo info =
        MakeSigInfo(signo, SI_MESGQ, FromKernelPid(group->pid_namespace().get(), sender.process),
                    credentials->ShownUid(sender.user));
    info.si_value = value;
    (void)group->SendSignal(info).ok();
  };
}

// SIGEV_THREAD: the C library's thread hears of the message through a netlink
// socket, by a cookie whose last byte says what has happened. EFAULT, EBADF,
// ENOTSOCK, EINVAL.
Status TellBySocket(Task& task, const sigevent& event, mqueue::Notification& notification) {
  constexpr size_t kCookieSize = 32;
  constexpr char kWoken = 1, kRemoved = 2;
  std::string cookie(kCookieSize, 0);
  TRY(task.CopyIn(reinterpret_cast<uint64_t>(event.sigev_value.sival_ptr), cookie.data(),
                  cookie.size()));
  TRY_ASSIGN(SocketRef socket, SocketOf(task, event.sigev_signo));
  auto listener = std::dynamic_pointer_cast<netlink::Listener>(socket);
  if (listener == nullptr) return Error(EINVAL);
  auto tell = [cookie = std::move(cookie), listener = std::move(listener)](char what) {
    std::string told = cookie;
    told.back() = what;
    listener->Deliver(std::move(told), /*group=*/0);
  };
  notification.send = [tell](const mqueue::Sender&) { tell(kWoken); };
  notification.removed = [tell] { tell(kRemoved); };
  return Ok();
}

}  // namespace

Result<Word> SysMqOpen(Task& task, const SyscallArgs& args) {
  mqueue::MqueueFilesystem::OpenRequest request;
  if (args.Address(3) != 0) {
    TRY_ASSIGN(const mq_attr attributes, task.CopyInObject<mq_attr>(args.Address(3)));
    request.size = mqueue::QueueSize{attributes.mq_maxmsg, attributes.mq_msgsize};
  }
  TRY_ASSIGN(const std::string name, NameArgument(task, args.Address(0)));
  request.name = name;
  request.flags = args.Int(1);
  request.mode = args.Mode(2) & 07777 & ~task.fs().umask();
  request.limit = task.group().limit(RLIMIT_MSGQUEUE).rlim_cur;
  const IpcContext ipc(task);
  TRY_ASSIGN(FileRef file, ipc->mqueue()->Open(task, request));
  return InstallFile(task, std::move(file), /*close_on_exec=*/true);
}

Result<Word> SysMqUnlink(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(const std::string name, NameArgument(task, args.Address(0)));
  const IpcContext ipc(task);
  TRY(ipc->mqueue()->Unlink(task, name));
  return 0;
}

Result<Word> SysMqTimedsend(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(const Deadline deadline, DeadlineArgument(task, args.Address(4)));
  if (args.Uint(3) >= kPriorities) return Error(EINVAL);
  TRY_ASSIGN(const OpenQueue open, QueueFor(task, args.Fd(0)));
  if (!open.file->writable()) return Error(EBADF);
  mqueue::Queue& queue = *open.queue;
  if (args.Size(2) > static_cast<size_t>(queue.size().message_size)) return Error(EMSGSIZE);
  TRY_ASSIGN(mqueue::Message message, queue.MakeMessage(args.Uint(3), args.Size(2)));
  TRY(task.CopyIn(args.Address(1), message.text.data(), message.text.size()));
  const mqueue::Sender sender{task.tgid(), task.credentials()->ruid};
  TRY(task.BlockOnFile<bool>(*open.file, EPOLLOUT, deadline, [&]() -> Result<bool> {
    TRY(queue.Send(message, sender));
    return true;
  }));
  return 0;
}

Result<Word> SysMqTimedreceive(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(const Deadline deadline, DeadlineArgument(task, args.Address(4)));
  TRY_ASSIGN(const OpenQueue open, QueueFor(task, args.Fd(0)));
  if (!open.file->readable()) return Error(EBADF);
  if (args.Size(2) < static_cast<size_t>(open.queue->size().message_size)) return Error(EMSGSIZE);
  mqueue::Receiver receiver(task);
  const bool wait = (open.file->flags() & O_NONBLOCK) == 0;
  TRY_ASSIGN(bool done, open.queue->Receive(receiver, wait));
  while (!done && !(done = receiver.done())) {
    Status slept = task.Sleep(deadline);
    if (slept.ok()) continue;
    done = receiver.Abandon();
    if (!done) return std::move(slept).error();
  }
  const mqueue::Message& message = receiver.message();
  if (args.Address(3) != 0) TRY(task.CopyOutObject(args.Address(3), message.priority));
  TRY(task.CopyOut(args.Address(1), message.text.data(), message.text.size()));
  return message.text.size();
}

Result<Word> SysMqNotify(Task& task, const SyscallArgs& args) {
  sigevent event{};
  mqueue::Notification notification;
  const bool registers = args.Address(1) != 0;
  if (registers) {
    TRY_ASSIGN(event, task.CopyInObject<sigevent>(args.Address(1)));
    const int kind = event.sigev_notify;
    if (kind != SIGEV_NONE && kind != SIGEV_SIGNAL && kind != SIGEV_THREAD) return Error(EINVAL);
    if (kind == SIGEV_SIGNAL && (event.sigev_signo < 0 || event.sigev_signo > kSignalCount)) {
      return Error(EINVAL);
    }
    // As Linux, before the queue is looked at.
    if (kind == SIGEV_THREAD) TRY(TellBySocket(task, event, notification));
  }
  TRY_ASSIGN(const OpenQueue open, QueueFor(task, args.Fd(0)));
  if (!registers) {
    open.queue->Unregister(task.tgid());
    return 0;
  }
  notification.process = task.tgid();
  notification.kind = event.sigev_notify;
  if (event.sigev_notify == SIGEV_SIGNAL) {
    notification.signal = event.sigev_signo;
    notification.send = SignalTo(task, event);
  }
  TRY(open.queue->Register(std::move(notification)));
  return 0;
}

Result<Word> SysMqGetsetattr(Task& task, const SyscallArgs& args) {
  mq_attr wanted{};
  if (args.Address(1) != 0) {
    TRY_ASSIGN(wanted, task.CopyInObject<mq_attr>(args.Address(1)));
    if ((wanted.mq_flags & ~long{O_NONBLOCK}) != 0) return Error(EINVAL);
  }
  TRY_ASSIGN(const OpenQueue open, QueueFor(task, args.Fd(0)));
  mq_attr old{};
  old.mq_flags = open.file->flags() & O_NONBLOCK;
  old.mq_maxmsg = open.queue->size().messages;
  old.mq_msgsize = open.queue->size().message_size;
  old.mq_curmsgs = open.queue->message_count();
  if (args.Address(1) != 0) {
    TRY(open.file->SetFlags((open.file->flags() & ~O_NONBLOCK) |
                            static_cast<int>(wanted.mq_flags)));
  }
  if (args.Address(2) != 0) TRY(task.CopyOutObject(args.Address(2), old));
  return 0;
}

}  // namespace runsc::boot
