// sched_getaffinity(2), sched_setaffinity(2), getcpu(2), membarrier(2)

#include <linux/membarrier.h>
#include <sched.h>

#include <algorithm>
#include <vector>

#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/scheduling.h"

namespace runsc::boot {

namespace {

std::vector<uint8_t> ShownCpus(Task& task) {
  const size_t count = static_cast<size_t>(std::max(task.kernel().cpu_count(), 1));
  std::vector<uint8_t> mask((count + 63) / 64 * 8);
  for (size_t cpu = 0; cpu < count; ++cpu) mask[cpu / 8] |= static_cast<uint8_t>(1 << cpu % 8);
  return mask;
}

}  // namespace

Result<Word> SysSchedGetaffinity(Task& task, const SyscallArgs& args) {
  const std::vector<uint8_t> shown = ShownCpus(task);
  if (args.Uint(1) < shown.size() || args.Uint(1) % 8 != 0) return Error(EINVAL);
  if (args.Pid(0) < 0) return Error(ESRCH);
  TRY_ASSIGN(TaskRef target, ScheduledTask(task, args.Pid(0)));
  const std::vector<uint8_t> own = target->scheduling().affinity;
  const std::vector<uint8_t>& mask = own.empty() ? shown : own;
  TRY(task.CopyOut(args.Address(2), mask.data(), mask.size()));
  return mask.size();
}

Result<Word> SysSchedSetaffinity(Task& task, const SyscallArgs& args) {
  const std::vector<uint8_t> shown = ShownCpus(task);
  std::vector<uint8_t> wanted(shown.size());
  const size_t size = std::min<size_t>(args.Uint(1), wanted.size());
  if (size > 0) TRY(task.CopyIn(args.Address(2), wanted.data(), size));
  if (args.Pid(0) < 0) return Error(ESRCH);
  TRY_ASSIGN(TaskRef target, ScheduledTask(task, args.Pid(0)));
  TRY(CheckMaySchedule(task, *target));
  bool any = false;
  for (size_t i = 0; i < shown.size(); ++i) {
    wanted[i] &= shown[i];
    any |= wanted[i] != 0;
  }
  if (!any) return Error(EINVAL);
  Scheduling scheduling = target->scheduling();
  scheduling.affinity = std::move(wanted);
  target->set_scheduling(std::move(scheduling));
  target->FollowAffinity();
  return 0;
}

// Where the caller runs is known while it runs.
Result<Word> SysGetcpu(Task& task, const SyscallArgs&) { return task.EndOnHost(); }

namespace {

constexpr int kGetRegistrations = 1 << 9;  // newer than the C library's headers

Result<Word> WaitForGlobalBarrier(Task& task, unsigned flags) {
  if (flags != 0) return Error(EINVAL);
  TRY(task.thread().EnterStub());
  platform::NativeCall call{SYS_membarrier, {MEMBARRIER_CMD_GLOBAL, 0, 0}};
  TRY(task.thread().RunNative({&call, 1}, true));
  return static_cast<Word>(call.result);
}

}  // namespace

// The host has the registrations, with the memory they are about, and its
// barriers reach all threads of the application, which are host threads. What
// would disturb other processes of the host is not offered: instead of a barrier
// for those that have registered, wherever they run, there is one for everybody,
// for which only the caller waits.
Result<Word> SysMembarrier(Task& task, const SyscallArgs& args) {
  switch (args.Int(0)) {
    case MEMBARRIER_CMD_QUERY:
    case MEMBARRIER_CMD_GLOBAL:
    case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
    case kGetRegistrations:
      return task.EndOnHost();
    case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
      return WaitForGlobalBarrier(task, args.Uint(1));
    default:
      return Error(EINVAL);
  }
}

}  // namespace runsc::boot
