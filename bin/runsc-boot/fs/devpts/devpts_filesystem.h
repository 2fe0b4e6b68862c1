// devpts: ptmx, and the slave ends of its terminals by their numbers (pts(4)).
#ifndef RUNSC_BOOT_FS_DEVPTS_DEVPTS_FILESYSTEM_H_
#define RUNSC_BOOT_FS_DEVPTS_DEVPTS_FILESYSTEM_H_

#include <map>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/fs/devpts/options.h"
#include "bin/runsc-boot/fs/pseudo/directory.h"
#include "bin/runsc-boot/tty/terminal.h"

namespace runsc::boot::devpts {

// A device node whose owner, mode and times can be changed.
class DeviceInode : public pseudo::PseudoInode {
 public:
  DeviceInode(Filesystem& filesystem, uint64_t ino, dev_t device, const Attributes& initial);
  Result<Attributes> GetAttributes() override ABSL_LOCKS_EXCLUDED(mutex_);
  Status SetAttributes(const AttributeChange& change) override ABSL_LOCKS_EXCLUDED(mutex_);
  // Nodes are opened by the VFS through the device table.
  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    return Error(ENXIO);
  }

 private:
  absl::Mutex mutex_;
  Attributes attributes_ ABSL_GUARDED_BY(mutex_);
};

class PtmxInode final : public DeviceInode {
 public:
  using DeviceInode::DeviceInode;
};

class SlaveInode final : public DeviceInode {
 public:
  SlaveInode(Filesystem& filesystem, uint64_t ino, const Attributes& initial,
             tty::TerminalRef terminal)
      : DeviceInode(filesystem, ino, terminal->device(), initial), terminal_(terminal) {}
  // Null once the terminal is gone.
  tty::TerminalRef terminal() const { return terminal_.lock(); }

 private:
  const std::weak_ptr<tty::Terminal> terminal_;
};

// Lock order: mutex_ is a leaf.
class DevptsFilesystem final : public pseudo::PseudoFilesystem {
 public:
  DevptsFilesystem(Kernel& kernel, const Options& options, dev_t dev);

  // A new terminal with its node, owned by `owner` unless the mount says
  // otherwise, and locked. ENOSPC: there are too many.
  Result<tty::TerminalRef> NewTerminal(const Credentials& owner) ABSL_LOCKS_EXCLUDED(mutex_);
  // Null: no such node.
  std::shared_ptr<SlaveInode> FindSlave(int index) ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<int> Slaves() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void ReleaseIndex(int index) ABSL_LOCKS_EXCLUDED(mutex_);
  void RemoveNode(int index) ABSL_LOCKS_EXCLUDED(mutex_);

  Kernel& kernel_;
  const Options options_;
  absl::Mutex mutex_;
  std::set<int> used_ ABSL_GUARDED_BY(mutex_);  // by terminals, also without a node
  std::map<int, std::shared_ptr<SlaveInode>> slaves_ ABSL_GUARDED_BY(mutex_);
};

FilesystemRef MakeDevptsFilesystem(Kernel& kernel, const Options& options, dev_t dev);

}  // namespace runsc::boot::devpts

#endif  // RUNSC_BOOT_FS_DEVPTS_DEVPTS_FILESYSTEM_H_
