// semget(2), semop(2), semtimedop(2), semctl(2)

#include <sys/sem.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/ipc_arguments.h"

namespace runsc::boot {

namespace {

using sysv::Naming;
using sysv::SemaphoreState;
using sysv::SemaphoreWaiter;

// SEMOPM may have been set to any number, so they count as what a set takes.
struct Operations {
  std::vector<sembuf> list;
  MemoryCharge charge;
};

Result<Operations> CopyInOperations(Task& task, const IpcContext& ipc, uint64_t address,
                                    size_t count) {
  Operations operations;
  TRY_ASSIGN(operations.charge, ipc->memory_budget().Take(count * sizeof(sembuf)));
  operations.list.resize(count);
  TRY(task.CopyIn(address, operations.list.data(), count * sizeof(sembuf)));
  return operations;
}

// Until the operations have been done for the call. Never restarted.
Result<Word> WaitFor(Task& task, SemaphoreWaiter& waiter, Deadline deadline) {
  std::optional<int> code;
  while (!(code = waiter.result())) {
    Status slept = task.Sleep(deadline);
    if (slept.ok()) continue;
    code = waiter.Abandon(slept.code() == ETIMEDOUT ? EAGAIN : EINTR);
    break;
  }
  if (*code != 0) return Error(*code);
  return 0;
}

Result<Word> Operate(Task& task, const SyscallArgs& args, Deadline deadline) {
  const IpcContext ipc(task);
  const unsigned count = args.Uint(2);
  if (count > static_cast<unsigned>(ipc->semaphores().most_operations())) return Error(E2BIG);
  if (count < 1) return Error(EINVAL);
  TRY_ASSIGN(Operations operations, CopyInOperations(task, ipc, args.Address(1), count));
  std::shared_ptr<sysv::SemaphoreUndo> undo;
  for (const sembuf& operation : operations.list) {
    if ((operation.sem_flg & SEM_UNDO) != 0) undo = task.semaphore_undo();
  }
  SemaphoreWaiter waiter(std::move(operations.list), std::move(undo), task);
  TRY_ASSIGN(const bool done, ipc->semaphores().Operate(ipc.caller(), args.Int(0), waiter));
  return done ? 0 : WaitFor(task, waiter, deadline);
}

Result<Word> Stat(Task& task, const IpcContext& ipc, const SyscallArgs& args, Naming naming) {
  TRY_ASSIGN(const auto found, ipc->semaphores().Stat(ipc.caller(), args.Int(0), naming));
  TRY(task.CopyOutObject(args.Address(3), found.second));
  return naming == Naming::kId ? 0 : static_cast<Word>(found.first);
}

Result<Word> Info(Task& task, const IpcContext& ipc, const SyscallArgs& args) {
  const auto [highest, info] = ipc->semaphores().Info(args.Int(2) == SEM_INFO);
  TRY(task.CopyOutObject(args.Address(3), info));
  return static_cast<Word>(highest);
}

Result<Word> GetAll(Task& task, const IpcContext& ipc, const SyscallArgs& args) {
  TRY_ASSIGN(const auto values, ipc->semaphores().Values(ipc.caller(), args.Int(0)));
  TRY(task.CopyOut(args.Address(3), values.data(), values.size() * sizeof(values[0])));
  return 0;
}

Result<Word> SetAll(Task& task, const IpcContext& ipc, const SyscallArgs& args) {
  TRY_ASSIGN(const size_t count, ipc->semaphores().Count(ipc.caller(), args.Int(0)));
  std::vector<unsigned short> values(count);
  TRY(task.CopyIn(args.Address(3), values.data(), values.size() * sizeof(values[0])));
  TRY(ipc->semaphores().SetValues(ipc.caller(), args.Int(0), values));
  return 0;
}

Result<Word> GetState(Task& task, const IpcContext& ipc, const SyscallArgs& args) {
  TRY_ASSIGN(const SemaphoreState state,
             ipc->semaphores().State(ipc.caller(), args.Int(0), args.Int(1)));
  switch (args.Int(2)) {
    case GETVAL:
      return static_cast<Word>(state.value);
    case GETPID:
      return static_cast<Word>(task.FromKernelPid(state.pid));
    case GETNCNT:
      return static_cast<Word>(state.waiting_more);
    default:
      return static_cast<Word>(state.waiting_zero);
  }
}

}  // namespace

Result<Word> SysSemget(Task& task, const SyscallArgs& args) {
  const IpcContext ipc(task);
  TRY_ASSIGN(const int id,
             ipc->semaphores().Get(ipc.caller(), args.Int(0), args.Int(1), args.Int(2)));
  return static_cast<Word>(id);
}

Result<Word> SysSemop(Task& task, const SyscallArgs& args) {
  return Operate(task, args, std::nullopt);
}

Result<Word> SysSemtimedop(Task& task, const SyscallArgs& args) {
  if (args.Address(3) == 0) return Operate(task, args, std::nullopt);
  TRY_ASSIGN(const timespec time, task.CopyInObject<timespec>(args.Address(3)));
  // The number of operations is looked at before the time.
  if (IsValid(time)) return Operate(task, args, DeadlineAfter(ToNanoseconds(time)));
  const IpcContext ipc(task);
  const unsigned count = args.Uint(2);
  if (count > static_cast<unsigned>(ipc->semaphores().most_operations())) return Error(E2BIG);
  if (count >= 1) TRY(CopyInOperations(task, ipc, args.Address(1), count));
  return Error(EINVAL);
}

Result<Word> SysSemctl(Task& task, const SyscallArgs& args) {
  const IpcContext ipc(task);
  const int id = args.Int(0);
  if (id < 0) return Error(EINVAL);
  switch (args.Int(2)) {
    case IPC_INFO:
    case SEM_INFO:
      return Info(task, ipc, args);
    case IPC_STAT:
      return Stat(task, ipc, args, Naming::kId);
    case SEM_STAT:
      return Stat(task, ipc, args, Naming::kIndex);
    case SEM_STAT_ANY:
      return Stat(task, ipc, args, Naming::kIndexAny);
    case GETALL:
      return GetAll(task, ipc, args);
    case SETALL:
      return SetAll(task, ipc, args);
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
      return GetState(task, ipc, args);
    case SETVAL:
      TRY(ipc->semaphores().SetValue(ipc.caller(), id, args.Int(1), args.Int(3)));
      return 0;
    case IPC_SET: {
      TRY_ASSIGN(const semid_ds wanted, task.CopyInObject<semid_ds>(args.Address(3)));
      TRY(ipc->semaphores().Set(ipc.caller(), id, wanted));
      return 0;
    }
    case IPC_RMID:
      TRY(ipc->semaphores().Remove(ipc.caller(), id));
      return 0;
    default:
      return Error(EINVAL);
  }
}

}  // namespace runsc::boot
