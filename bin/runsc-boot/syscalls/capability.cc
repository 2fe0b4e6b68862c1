// capget(2), capset(2)

#include <linux/capability.h>

#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

// How many words of each set a version of the interface has. EINVAL for an
// unknown one, after telling the application which is preferred.
Result<int> WordsOf(Task& task, uint64_t header_address, __user_cap_header_struct& header) {
  TRY_ASSIGN(header, task.CopyInObject<__user_cap_header_struct>(header_address));
  switch (header.version) {
    case _LINUX_CAPABILITY_VERSION_1:
      return _LINUX_CAPABILITY_U32S_1;
    case _LINUX_CAPABILITY_VERSION_2:
    case _LINUX_CAPABILITY_VERSION_3:
      return _LINUX_CAPABILITY_U32S_3;
    default:
      header.version = _LINUX_CAPABILITY_VERSION_3;
      TRY(task.CopyOutObject(header_address, header));
      return Error(EINVAL);
  }
}

unsigned Half(CapabilitySet set, int word) { return static_cast<unsigned>(set >> (32 * word)); }

}  // namespace

Result<Word> SysCapget(Task& task, const SyscallArgs& args) {
  __user_cap_header_struct header{};
  Result<int> words = WordsOf(task, args.Address(0), header);
  if (!words.ok()) {
    // Asking for the version alone, without a place for data, is no error.
    if (words.code() == EINVAL && args.Address(1) == 0) return 0;
    return std::move(words).error();
  }
  if (header.pid < 0) return Error(EINVAL);
  CredentialsRef credentials = task.credentials();
  if (header.pid != 0 && header.pid != task.shown_tid()) {
    TaskRef target = task.FindTask(header.pid);
    if (target == nullptr) return Error(ESRCH);
    credentials = target->credentials();
  }
  if (args.Address(1) == 0) return 0;
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  for (int word = 0; word < *words; ++word) {
    data[word].effective = Half(credentials->effective, word);
    data[word].permitted = Half(credentials->permitted, word);
    data[word].inheritable = Half(credentials->inheritable, word);
  }
  TRY(task.CopyOut(args.Address(1), data, sizeof(data[0]) * static_cast<size_t>(*words)));
  return 0;
}

Result<Word> SysCapset(Task& task, const SyscallArgs& args) {
  __user_cap_header_struct header{};
  TRY_ASSIGN(int words, WordsOf(task, args.Address(0), header));
  if (header.pid != 0 && header.pid != task.shown_tid()) return Error(EPERM);
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  TRY(task.CopyIn(args.Address(1), data, sizeof(data[0]) * static_cast<size_t>(words)));
  CapabilitySet effective = 0, permitted = 0, inheritable = 0;
  for (int word = 0; word < words; ++word) {
    effective |= static_cast<CapabilitySet>(data[word].effective) << (32 * word);
    permitted |= static_cast<CapabilitySet>(data[word].permitted) << (32 * word);
    inheritable |= static_cast<CapabilitySet>(data[word].inheritable) << (32 * word);
  }
  effective &= kAllCapabilities;
  permitted &= kAllCapabilities;
  inheritable &= kAllCapabilities;

  CredentialsRef old = task.credentials();
  const CapabilitySet may_inherit =
      old->inheritable | (old->Has(CAP_SETPCAP) ? old->bounding : old->permitted);
  if ((inheritable & ~may_inherit) != 0) return Error(EPERM);
  if ((inheritable & ~(old->inheritable | old->bounding)) != 0) return Error(EPERM);
  if ((permitted & ~old->permitted) != 0) return Error(EPERM);
  if ((effective & ~permitted) != 0) return Error(EPERM);
  Credentials changed = *old;
  changed.effective = effective;
  changed.permitted = permitted;
  changed.inheritable = inheritable;
  changed.ambient &= permitted & inheritable;
  task.set_credentials(std::move(changed));
  return 0;
}

}  // namespace runsc::boot
