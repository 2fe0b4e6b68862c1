#include "bin/runsc-boot/fs/proc/proc_filesystem.h"

#include <linux/magic.h>

#include "bin/runsc-boot/fs/proc/root_directory.h"
#include "bin/runsc-boot/fs/proc/task_directory.h"

namespace runsc::boot::proc {

ProcFilesystem::ProcFilesystem(Kernel& kernel, std::shared_ptr<const HostProc> host,
                               std::shared_ptr<const Sysctls> sysctls, PidNamespaceRef pids,
                               const Options& options, dev_t dev)
    : PseudoFilesystem({"proc", PROC_SUPER_MAGIC, dev}),
      kernel_(kernel),
      host_(std::move(host)),
      sysctls_(std::move(sysctls)),
      pids_(std::move(pids)),
      options_(options) {}

bool ProcFilesystem::MaySee(Context& context, const Task& task, HidePid hidden) const {
  const Options options = this->options();
  if (options.hide < hidden) return true;
  if (options.hide != HidePid::kPtraceable && context.credentials()->InGroup(options.kernel_gid)) {
    return true;
  }
  return CheckInspect(context, task).ok();
}

Options ProcFilesystem::options() const {
  absl::ReaderMutexLock lock(&options_mutex_);
  return options_;
}

Status ProcFilesystem::Reconfigure(Context& context, std::string_view data) {
  absl::MutexLock lock(&options_mutex_);
  TRY_ASSIGN(options_, ParseOptions(data, context.credentials().get(), options_));
  return Ok();
}

TaskRef ProcFilesystem::FindTask(pid_t pid) const {
  const pid_t number = ToKernelPid(pid_namespace(), pid);
  return number == 0 ? nullptr : kernel_.FindTask(number);
}

uint64_t ProcFilesystem::TicksSinceStart(Context& reader, int64_t monotonic_ns) const {
  const NamespaceSetRef set = kernel_.NamespacesOf(reader);
  return static_cast<uint64_t>(kernel_.Uptime(*set->time, monotonic_ns)) / kNanosecondsPerTick;
}

FilesystemRef MakeProcFilesystem(Kernel& kernel, std::shared_ptr<const HostProc> host,
                                 std::shared_ptr<const Sysctls> sysctls, PidNamespaceRef pids,
                                 const Options& options, dev_t dev) {
  auto filesystem = std::make_shared<ProcFilesystem>(kernel, std::move(host), std::move(sysctls),
                                                     std::move(pids), options, dev);
  filesystem->SetRoot(MakeRootDirectory(*filesystem));
  return filesystem;
}

}  // namespace runsc::boot::proc
