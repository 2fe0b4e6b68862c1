// Files of nsfs: what the links in /proc/PID/ns lead to, and what ioctl_ns(2)
// and setns(2) take.
#ifndef RUNSC_BOOT_NAMESPACES_NS_FILE_H_
#define RUNSC_BOOT_NAMESPACES_NS_FILE_H_

#include "bin/runsc-boot/auth/namespace.h"
#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot {

// Makes inodes and paths of namespaces; one per sandbox.
class NamespaceFilesystem final : public Filesystem {
 public:
  explicit NamespaceFilesystem(dev_t dev) : dev_(dev) {}
  const char* type() const override { return "nsfs"; }
  InodeRef root() override { return nullptr; }
  dev_t dev() const override { return dev_; }
  Result<struct statfs> StatFs() override;

  // A path for a link that leads to it; shown as "mnt:[4026531841]".
  Path PathOf(NamespaceRef target);
  static std::string TextOf(const Namespace& target);

 private:
  const dev_t dev_;
};

class NamespaceFile final : public File {
 public:
  NamespaceFile(Path path, int flags, NamespaceRef target)
      : File(std::move(path), flags), target_(std::move(target)) {}

  const NamespaceRef& target() const { return target_; }
  Result<size_t> Read(Context&, IoBuffer&) override { return Error(EINVAL); }
  Result<size_t> Write(Context&, IoBuffer&) override { return Error(EINVAL); }
  bool pollable() const override { return false; }
  // ioctl_ns(2): NS_GET_NSTYPE and NS_GET_OWNER_UID. The commands that make a
  // descriptor are the system call's; it asks Related.
  Result<int64_t> Ioctl(Context& context, uint64_t command, uint64_t argument) override;
  // What NS_GET_USERNS and NS_GET_PARENT give. EPERM: outside the caller's own
  // namespaces; EINVAL: it has no parent; ENOTTY: another command.
  Result<NamespaceRef> Related(Context& context, uint64_t command) const;

 private:
  const NamespaceRef target_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_NAMESPACES_NS_FILE_H_
