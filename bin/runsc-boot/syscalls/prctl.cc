// prctl(2), arch_prctl(2), personality(2)

#include "bin/runsc-boot/syscalls/prctl.h"

#include <asm/prctl.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstring>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr size_t kNameSize = 16;

Result<Word> SetName(Task& task, uint64_t address) {
  // Shorter names may end right before memory that cannot be read.
  Result<std::string> name = task.memory().CopyInString(address, kNameSize - 1);
  if (name.code() == ENAMETOOLONG) {
    char raw[kNameSize] = {};
    TRY(task.CopyIn(address, raw, kNameSize - 1));
    name = std::string(raw);
  }
  if (!name.ok()) return std::move(name).error();
  task.set_name(*name);
  return 0;
}

Result<Word> GetName(Task& task, uint64_t address) {
  char name[kNameSize] = {};
  const std::string current = task.name();
  memcpy(name, current.data(), std::min(current.size(), kNameSize - 1));
  TRY(task.CopyOut(address, name, sizeof(name)));
  return 0;
}

Result<Word> DropFromBoundingSet(Task& task, uint64_t capability) {
  CredentialsRef old = task.credentials();
  if (!old->Has(CAP_SETPCAP)) return Error(EPERM);
  if (capability > CAP_LAST_CAP) return Error(EINVAL);
  Credentials changed = *old;
  changed.bounding &= ~CapabilityBit(static_cast<int>(capability));
  task.set_credentials(std::move(changed));
  return 0;
}

Result<Word> SetSecurebits(Task& task, uint64_t bits) {
  CredentialsRef old = task.credentials();
  const uint32_t locked = (old->securebits & SECURE_ALL_LOCKS) >> 1;
  const uint32_t current =
      old->securebits | (task.keep_capabilities() ? uint32_t{SECBIT_KEEP_CAPS} : 0);
  const bool changes_locked = (locked & (current ^ bits)) != 0;
  const bool unlocks = (old->securebits & SECURE_ALL_LOCKS & ~bits) != 0;
  const bool unknown = (bits & ~uint64_t{SECURE_ALL_LOCKS | SECURE_ALL_BITS}) != 0;
  if (changes_locked || unlocks || unknown || !old->Has(CAP_SETPCAP)) return Error(EPERM);
  Credentials changed = *old;
  // PR_SET_KEEPCAPS has a place of its own.
  changed.securebits = static_cast<uint32_t>(bits) & ~uint32_t{SECBIT_KEEP_CAPS};
  task.set_credentials(std::move(changed));
  task.set_keep_capabilities((bits & SECBIT_KEEP_CAPS) != 0);
  return 0;
}

Result<Word> Ambient(Task& task, const SyscallArgs& args) {
  if (args.Raw(3) != 0 || args.Raw(4) != 0) return Error(EINVAL);
  CredentialsRef old = task.credentials();
  Credentials changed = *old;
  if (args.Raw(1) == PR_CAP_AMBIENT_CLEAR_ALL) {
    if (args.Raw(2) != 0) return Error(EINVAL);
    changed.ambient = 0;
    task.set_credentials(std::move(changed));
    return 0;
  }
  if (args.Raw(2) > CAP_LAST_CAP) return Error(EINVAL);
  const CapabilitySet bit = CapabilityBit(static_cast<int>(args.Raw(2)));
  switch (args.Raw(1)) {
    case PR_CAP_AMBIENT_IS_SET:
      return (old->ambient & bit) != 0 ? 1 : 0;
    case PR_CAP_AMBIENT_RAISE:
      if ((old->permitted & bit) == 0 || (old->inheritable & bit) == 0 ||
          (old->securebits & SECBIT_NO_CAP_AMBIENT_RAISE) != 0) {
        return Error(EPERM);
      }
      changed.ambient |= bit;
      break;
    case PR_CAP_AMBIENT_LOWER:
      changed.ambient &= ~bit;
      break;
    default:
      return Error(EINVAL);
  }
  task.set_credentials(std::move(changed));
  return 0;
}

Result<Word> SetNoNewPrivileges(Task& task, const SyscallArgs& args) {
  if (args.Raw(1) != 1 || args.Raw(2) != 0 || args.Raw(3) != 0 || args.Raw(4) != 0) {
    return Error(EINVAL);
  }
  Credentials changed = *task.credentials();
  changed.no_new_privs = true;
  task.set_credentials(std::move(changed));
  return 0;
}

Result<Word> SetKeepCapabilities(Task& task, uint64_t keep) {
  if (keep > 1) return Error(EINVAL);
  if ((task.credentials()->securebits & SECBIT_KEEP_CAPS_LOCKED) != 0) return Error(EPERM);
  task.set_keep_capabilities(keep == 1);
  return 0;
}

Result<Word> CopyOutInt(Task& task, uint64_t address, int value) {
  TRY(task.CopyOutObject(address, value));
  return 0;
}

// The options about capabilities; nullopt for others.
std::optional<Result<Word>> CapabilityOption(Task& task, const SyscallArgs& args) {
  switch (args.Int(0)) {
    case PR_CAPBSET_READ: {
      if (args.Raw(1) > CAP_LAST_CAP) return Error(EINVAL);
      const CapabilitySet bit = CapabilityBit(static_cast<int>(args.Raw(1)));
      return Result<Word>((task.credentials()->bounding & bit) != 0 ? 1 : 0);
    }
    case PR_CAPBSET_DROP:
      return DropFromBoundingSet(task, args.Raw(1));
    case PR_GET_SECUREBITS:
      return Result<Word>(task.credentials()->securebits |
                          (task.keep_capabilities() ? SECBIT_KEEP_CAPS : 0));
    case PR_SET_SECUREBITS:
      return SetSecurebits(task, args.Raw(1));
    case PR_CAP_AMBIENT:
      return Ambient(task, args);
    case PR_GET_KEEPCAPS:
      return Result<Word>(task.keep_capabilities() ? 1 : 0);
    case PR_SET_KEEPCAPS:
      return SetKeepCapabilities(task, args.Raw(1));
    case PR_SET_NO_NEW_PRIVS:
      return SetNoNewPrivileges(task, args);
    case PR_GET_NO_NEW_PRIVS:
      if (args.Raw(1) != 0 || args.Raw(2) != 0 || args.Raw(3) != 0 || args.Raw(4) != 0) {
        return Error(EINVAL);
      }
      return Result<Word>(task.credentials()->no_new_privs ? 1 : 0);
    default:
      return std::nullopt;
  }
}

// Options that the host executes for the thread: they are about its memory, its
// processor state and its registrations, and reach nothing else. Only registers
// are looked at.
bool IsOwnMatter(const SyscallArgs& args) {
  switch (args.Int(0)) {
    case PR_GET_TID_ADDRESS:
    case PR_SET_THP_DISABLE:
    case PR_GET_THP_DISABLE:
    case PR_SET_VMA:
    case PR_GET_SPECULATION_CTRL:
    case PR_SET_SPECULATION_CTRL:
    case PR_MCE_KILL:
    case PR_MCE_KILL_GET:
    case PR_GET_TSC:
      return true;
    case PR_SET_TSC:
      // The stub is to go on reading the counter.
      return args.Raw(1) == PR_TSC_ENABLE;
    default:
      return false;
  }
}

}  // namespace

Result<Word> SysPrctl(Task& task, const SyscallArgs& args) {
  if (std::optional<Result<Word>> result = CapabilityOption(task, args)) return *std::move(result);
  switch (args.Int(0)) {
    case PR_SET_NAME:
      return SetName(task, args.Address(1));
    case PR_GET_NAME:
      return GetName(task, args.Address(1));
    case PR_SET_PDEATHSIG:
      if (args.Raw(1) > kSignalCount) return Error(EINVAL);
      task.set_parent_death_signal(args.Int(1));
      return 0;
    case PR_GET_PDEATHSIG:
      return CopyOutInt(task, args.Address(1), task.parent_death_signal());
    case PR_GET_DUMPABLE:
      return task.memory().dumpable();
    case PR_SET_DUMPABLE:
      if (args.Raw(1) > 1) return Error(EINVAL);
      task.memory().set_dumpable(args.Int(1));
      return 0;
    case PR_SET_CHILD_SUBREAPER:
      task.group().set_child_subreaper(args.Raw(1) != 0);
      return 0;
    case PR_GET_CHILD_SUBREAPER:
      return CopyOutInt(task, args.Address(1), task.group().child_subreaper() ? 1 : 0);
    case PR_SET_TIMERSLACK:
      task.set_timer_slack_ns(args.Long(1) <= 0 ? task.default_timer_slack_ns() : args.Raw(1));
      return 0;
    case PR_GET_TIMERSLACK:
      return task.timer_slack_ns();
    case PR_SET_SECCOMP:
      return SetSeccompByPrctl(task, args.Raw(1), args.Address(2));
    case PR_GET_SECCOMP:
      return GetSeccompByPrctl(task);
    case PR_SET_PTRACER:
      return 0;
    case PR_SET_MM:
      return PrctlSetMm(task, args);
    case PR_GET_TIMING:
      return PR_TIMING_STATISTICAL;
    case PR_SET_TIMING:
      if (args.Raw(1) != PR_TIMING_STATISTICAL) return Error(EINVAL);
      return 0;
    case PR_TASK_PERF_EVENTS_DISABLE:
    case PR_TASK_PERF_EVENTS_ENABLE:
      return 0;  // there are none
    case PR_SET_IO_FLUSHER:
    case PR_GET_IO_FLUSHER:
      return Error(task.credentials()->Has(CAP_SYS_RESOURCE) ? EINVAL : EPERM);
    default:
      return IsOwnMatter(args) ? Result<Word>(task.EndOnHost()) : Error(EINVAL);
  }
}

Result<Word> SysArchPrctl(Task& task, const SyscallArgs& args) {
  platform::Thread& thread = task.thread();
  switch (args.Int(0)) {
    case ARCH_SET_FS: {
      constexpr uint64_t kTaskSizeMax = (uint64_t{1} << 47) - 4096;
      if (args.Raw(1) >= kTaskSizeMax) return Error(EPERM);
      TRY(thread.EnterStub());
      thread.registers().fs_base = args.Raw(1);
      return 0;
    }
    case ARCH_GET_FS:
      TRY(thread.EnterStub());
      TRY(task.CopyOutObject(args.Address(1), thread.registers().fs_base));
      return 0;
    case ARCH_SET_GS:  // used by nobody but the program
    case ARCH_GET_GS:
      return task.EndOnHost();
    default:  // CET and LAM are not offered
      return Error(EINVAL);
  }
}

Result<Word> SysPersonality(Task& task, const SyscallArgs& args) {
  constexpr unsigned kQuery = 0xffffffff;
  // What changes where the host puts mappings: it must know of them, too.
  constexpr unsigned kOfTheHost = ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT;
  const unsigned wanted = args.Uint(0), old = task.personality();
  if (wanted == kQuery) return old;
  if (((wanted ^ old) & kOfTheHost) != 0) {
    TRY(task.thread().EnterStub());
    platform::NativeCall call{SYS_personality, {wanted & kOfTheHost}};
    TRY(task.thread().RunNative({&call, 1}, /*stop_on_error=*/true));
  }
  task.set_personality(wanted);
  return old;
}

}  // namespace runsc::boot
