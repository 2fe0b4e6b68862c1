// msgget(2), msgsnd(2), msgrcv(2), msgctl(2)

#include <sys/msg.h>

#include <algorithm>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/ipc_arguments.h"

namespace runsc::boot {

namespace {

using sysv::MessageChoice;
using sysv::MessageReceiver;
using sysv::MessageSender;
using sysv::Naming;

Result<Word> CopyOutMessage(Task& task, const SyscallArgs& args, int64_t type,
                            const std::string& text) {
  const size_t size = std::min<size_t>(args.Size(2), text.size());
  TRY(task.CopyOutObject(args.Address(1), type));
  TRY(task.CopyOut(args.Address(1) + sizeof(type), text.data(), size));
  return size;
}

// MSG_COPY: the argument is a number instead of a type.
Result<Word> CopyMessage(Task& task, const IpcContext& ipc, const SyscallArgs& args) {
  const int flags = args.Int(4);
  if ((flags & MSG_EXCEPT) != 0 || (flags & IPC_NOWAIT) == 0) return Error(EINVAL);
  TRY_ASSIGN(const auto found, ipc->message_queues().Copy(ipc.caller(), args.Int(0), args.Long(3)));
  if (!found.has_value()) return Error(ENOMSG);
  const auto& [type, text] = *found;
  if (args.Size(2) < text.size()) return Error((flags & MSG_NOERROR) != 0 ? EINVAL : E2BIG);
  return CopyOutMessage(task, args, type, text);
}

Result<Word> Stat(Task& task, const IpcContext& ipc, const SyscallArgs& args, Naming naming) {
  TRY_ASSIGN(auto found, ipc->message_queues().Stat(ipc.caller(), args.Int(0), naming));
  found.second.msg_lspid = task.FromKernelPid(found.second.msg_lspid);
  found.second.msg_lrpid = task.FromKernelPid(found.second.msg_lrpid);
  TRY(task.CopyOutObject(args.Address(2), found.second));
  return naming == Naming::kId ? 0 : static_cast<Word>(found.first);
}

}  // namespace

Result<Word> SysMsgget(Task& task, const SyscallArgs& args) {
  const IpcContext ipc(task);
  TRY_ASSIGN(const int id, ipc->message_queues().Get(ipc.caller(), args.Int(0), args.Int(1)));
  return static_cast<Word>(id);
}

Result<Word> SysMsgsnd(Task& task, const SyscallArgs& args) {
  const IpcContext ipc(task);
  TRY_ASSIGN(const int64_t type, task.CopyInObject<int64_t>(args.Address(1)));
  const size_t size = args.Size(2);
  if (size > static_cast<size_t>(ipc->message_queues().limits().message)) return Error(EINVAL);
  if (args.Int(0) < 0 || type < 1) return Error(EINVAL);
  TRY_ASSIGN(sysv::Message message, sysv::Message::Make(ipc->memory_budget(), type, size));
  TRY(task.CopyIn(args.Address(1) + sizeof(type), message.text.data(), size));
  MessageSender sender(std::move(message), task);
  while (true) {
    TRY_ASSIGN(const bool sent, ipc->message_queues().Send(ipc.caller(), args.Int(0), sender));
    if (sent) return 0;
    if ((args.Int(3) & IPC_NOWAIT) != 0) return Error(EAGAIN);
    if (Status slept = task.Sleep(std::nullopt); !slept.ok()) return Error(kRestartNoHand);
  }
}

Result<Word> SysMsgrcv(Task& task, const SyscallArgs& args) {
  const IpcContext ipc(task);
  const int id = args.Int(0), flags = args.Int(4);
  const auto most = static_cast<int64_t>(args.Size(2));
  if (id < 0 || most < 0) return Error(EINVAL);
  if ((flags & MSG_COPY) != 0) return CopyMessage(task, ipc, args);
  const MessageChoice choice = MessageChoice::From(args.Long(3), flags);
  const bool wait = (flags & IPC_NOWAIT) == 0;
  while (true) {
    MessageReceiver receiver(choice, static_cast<uint64_t>(most), (flags & MSG_NOERROR) != 0, task);
    TRY_ASSIGN(const bool got, ipc->message_queues().Receive(ipc.caller(), id, receiver, wait));
    std::optional<int> code;
    if (got) code = 0;
    while (!code && !(code = receiver.result())) {
      Status slept = task.Sleep(std::nullopt);
      if (!slept.ok()) code = receiver.Abandon(kRestartNoHand);
    }
    if (*code == EAGAIN) continue;
    if (*code != 0) return Error(*code);
    return CopyOutMessage(task, args, receiver.message().type, receiver.message().text);
  }
}

Result<Word> SysMsgctl(Task& task, const SyscallArgs& args) {
  const IpcContext ipc(task);
  const int id = args.Int(0);
  if (id < 0 || args.Int(1) < 0) return Error(EINVAL);
  switch (args.Int(1)) {
    case IPC_INFO:
    case MSG_INFO: {
      const auto [highest, info] = ipc->message_queues().Info(args.Int(1) == MSG_INFO);
      TRY(task.CopyOutObject(args.Address(2), info));
      return static_cast<Word>(highest);
    }
    case IPC_STAT:
      return Stat(task, ipc, args, Naming::kId);
    case MSG_STAT:
      return Stat(task, ipc, args, Naming::kIndex);
    case MSG_STAT_ANY:
      return Stat(task, ipc, args, Naming::kIndexAny);
    case IPC_SET: {
      TRY_ASSIGN(const msqid_ds wanted, task.CopyInObject<msqid_ds>(args.Address(2)));
      TRY(ipc->message_queues().Set(ipc.caller(), id, wanted,
                                    ipc.credentials().HasInitially(CAP_SYS_RESOURCE)));
      return 0;
    }
    case IPC_RMID:
      TRY(ipc->message_queues().Remove(ipc.caller(), id));
      return 0;
    default:
      return Error(EINVAL);
  }
}

}  // namespace runsc::boot
