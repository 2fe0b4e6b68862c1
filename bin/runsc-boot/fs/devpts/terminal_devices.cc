#include "bin/runsc-boot/fs/devpts/terminal_devices.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <utility>

#include "bin/runsc-boot/fs/devpts/devpts_filesystem.h"
#include "bin/runsc-boot/kernel/job_control.h"
#include "bin/runsc-boot/tty/terminal_file.h"
#include "bin/runsc-boot/vfs/device_numbers.h"

namespace runsc::boot::devpts {
namespace {

constexpr unsigned kTtyMajor = 5, kTtyMinor = 0;

// The root of the devpts that `ptmx` belongs to. ENODEV: there is none.
Result<Path> DevptsOf(Context& context, const Path& ptmx) {
  if (dynamic_cast<DevptsFilesystem*>(&ptmx.dentry->inode()->filesystem()) != nullptr) {
    return Path{ptmx.mount, ptmx.mount->root()};
  }
  Task* task = tty::TaskOf(context);
  const DentryRef parent = ptmx.dentry->parent();
  if (task == nullptr || parent == nullptr) return Error(ENODEV);
  WalkOptions walk;
  walk.start = Path{ptmx.mount, parent};
  walk.follow_last = false;
  Result<Path> beside = task->vfs().Walk(task->caller(), walk, "pts");
  if (!beside.ok() ||
      dynamic_cast<DevptsFilesystem*>(&beside->dentry->inode()->filesystem()) == nullptr) {
    return Error(ENODEV);
  }
  return Path{beside->mount, beside->mount->root()};
}

Result<FileRef> OpenPtmx(Context& context, const Path& path, int flags) {
  TRY_ASSIGN(Path directory, DevptsOf(context, path));
  auto& devpts = static_cast<DevptsFilesystem&>(directory.dentry->inode()->filesystem());
  TRY_ASSIGN(tty::TerminalRef terminal, devpts.NewTerminal(*context.credentials()));
  return FileRef(
      std::make_shared<tty::MasterFile>(path, flags, std::move(terminal), std::move(directory)));
}

Result<FileRef> OpenSlave(Context& context, const Path& path, int flags) {
  auto* slave = dynamic_cast<SlaveInode*>(path.dentry->inode().get());
  tty::TerminalRef terminal = slave == nullptr ? nullptr : slave->terminal();
  if (terminal == nullptr) return Error(EIO);
  return tty::SlaveFile::Open(context, path, flags, std::move(terminal));
}

Result<FileRef> OpenOwnTerminal(Context& context, const Path& path, int flags) {
  Task* task = tty::TaskOf(context);
  if (task == nullptr) return Error(ENXIO);
  auto terminal = std::dynamic_pointer_cast<tty::Terminal>(JobControl::TerminalOf(task->group()));
  if (terminal == nullptr) return Error(ENXIO);
  return tty::SlaveFile::Open(context, path, flags | O_NOCTTY, std::move(terminal));
}

}  // namespace

void RegisterTerminalDevices(Kernel& kernel) {
  Vfs& vfs = kernel.vfs();
  vfs.RegisterDevice(S_IFCHR, makedev(kTtyMajor, kTtyMinor), OpenOwnTerminal);
  vfs.RegisterDevice(S_IFCHR, makedev(tty::kPtmxMajor, tty::kPtmxMinor), OpenPtmx);
  vfs.RegisterDevice(S_IFCHR, makedev(tty::kSlaveMajor, kAnyMinor), OpenSlave);
}

}  // namespace runsc::boot::devpts
