// uname(2), sethostname(2), setdomainname(2), sysinfo(2), getrandom(2),
// syslog(2), reboot(2), vhangup(2)

#include <sys/personality.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/kernel/job_control.h"
#include "bin/runsc-boot/kernel/version.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr size_t kNameLimit = 64;  // __NEW_UTS_LEN
// The release for programs that know none behind 2.6: Linux adds 60 to the second
// number of the true one.
constexpr char kRelease26[] = "2.6.61";
static_assert(std::string_view(kSystemRelease).starts_with("6.1."));

template <size_t N>
void Fill(char (&field)[N], std::string_view text) {
  memcpy(field, text.data(), std::min(text.size(), N - 1));
}

Result<std::string> CopyInHostName(Task& task, const SyscallArgs& args) {
  if (!task.credentials()->HasIn(*task.namespaces()->uts->owner(), CAP_SYS_ADMIN)) {
    return Error(EPERM);
  }
  if (args.Int(1) < 0 || args.Size(1) > kNameLimit) return Error(EINVAL);
  std::string name(args.Size(1), '\0');
  if (!name.empty()) TRY(task.CopyIn(args.Address(0), name.data(), name.size()));
  return name.substr(0, name.find('\0'));
}

}  // namespace

Result<Word> SysUname(Task& task, const SyscallArgs& args) {
  struct utsname out{};
  const std::shared_ptr<UtsNamespace> uts = task.namespaces()->uts;
  Fill(out.sysname, kSystemName);
  Fill(out.nodename, uts->hostname());
  const bool wants_26 = (task.personality() & UNAME26) != 0;
  Fill(out.release, wants_26 ? kRelease26 : kSystemRelease);
  Fill(out.version, kSystemVersion);
  // personality(2): PER_LINUX32 is told of a 32-bit machine.
  const bool is_32_bit = (task.personality() & PER_MASK) == PER_LINUX32;
  Fill(out.machine, is_32_bit ? kMachine32 : kMachine);
  Fill(out.domainname, uts->domainname());
  TRY(task.CopyOutObject(args.Address(0), out));
  return 0;
}

Result<Word> SysSethostname(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(std::string name, CopyInHostName(task, args));
  task.namespaces()->uts->set_hostname(std::move(name));
  return 0;
}

Result<Word> SysSetdomainname(Task& task, const SyscallArgs& args) {
  TRY_ASSIGN(std::string name, CopyInHostName(task, args));
  task.namespaces()->uts->set_domainname(std::move(name));
  return 0;
}

Result<Word> SysSysinfo(Task& task, const SyscallArgs& args) {
  struct sysinfo out{};
  Kernel& kernel = task.kernel();
  out.uptime = kernel.Uptime(*task.namespaces()->time) / kNsPerSecond;
  out.totalram = kernel.memory_total();
  // What is free in truth is a fact about the host; half is a usable answer.
  out.freeram = kernel.memory_total() / 2;
  size_t tasks = 0;
  for (const ThreadGroupRef& group : kernel.Groups()) tasks += group->task_count();
  out.procs = static_cast<unsigned short>(std::min<size_t>(tasks, 0xffff));
  const LoadAverage::Averages averages = kernel.load_average().Read(&task);
  for (size_t i = 0; i < averages.size(); ++i) {
    out.loads[i] = static_cast<unsigned long>(averages[i] * (1 << SI_LOAD_SHIFT));
  }
  out.mem_unit = 1;
  TRY(task.CopyOutObject(args.Address(0), out));
  return 0;
}

Result<Word> SysGetrandom(Task& task, const SyscallArgs& args) {
  constexpr unsigned kInsecure = 4;  // GRND_INSECURE
  const unsigned flags = args.Uint(2);
  if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | kInsecure)) != 0) return Error(EINVAL);
  if ((flags & (GRND_RANDOM | kInsecure)) == (GRND_RANDOM | kInsecure)) return Error(EINVAL);
  size_t left = std::min<size_t>(args.Size(1), 0x7ffff000);
  uint64_t address = args.Address(0);
  size_t total = 0;
  std::array<char, 4096> bytes;
  while (left > 0) {
    const size_t size = std::min(left, bytes.size());
    const ssize_t got = getrandom(bytes.data(), size, 0);
    if (got < 0) return Error(errno);
    Status copied = task.CopyOut(address, bytes.data(), static_cast<size_t>(got));
    if (!copied.ok()) {
      if (total > 0) return total;
      return std::move(copied).error();
    }
    total += static_cast<size_t>(got);
    address += static_cast<size_t>(got);
    left -= static_cast<size_t>(got);
    if (left > 0 && task.HasDeliverableSignal()) break;
  }
  return total;
}

// The log is empty: there is nothing of the host's to be seen here.
Result<Word> SysSyslog(Task& task, const SyscallArgs& args) {
  constexpr int kReadAll = 3, kClose = 0, kOpen = 1, kSizeUnread = 9, kSizeBuffer = 10;
  switch (args.Int(0)) {
    case kClose:
    case kOpen:
      return 0;
    case kReadAll:
      if (args.Address(1) == 0 || args.Int(2) < 0) return Error(EINVAL);
      return 0;
    case kSizeUnread:
    case kSizeBuffer:
      return 0;
    default:
      return Error(task.credentials()->HasInitially(CAP_SYSLOG) ? EINVAL : EPERM);
  }
}

Result<Word> SysReboot(Task&, const SyscallArgs&) { return Error(EPERM); }

Result<Word> SysVhangup(Task& task, const SyscallArgs&) {
  if (!task.credentials()->Has(CAP_SYS_TTY_CONFIG)) return Error(EPERM);
  const ControllingTerminalRef terminal = JobControl::TerminalOf(task.group());
  if (terminal != nullptr) terminal->HangUp();
  return 0;
}

}  // namespace runsc::boot
