// Inodes whose contents are made when they are read: the base of /proc, /sys
// and the other file systems that show the kernel's state.
//
//   class Uptime final : public FileInode {
//     Result<std::string> Generate(Context& context) override { ... }
//   };
//
// directory.h has their directories, tree.h builds whole trees of them.
//
// Inode numbers are derived from names (ChildIno), so that an inode can be made
// afresh for each lookup and readdir(3) and stat(2) still agree.
#ifndef RUNSC_BOOT_FS_PSEUDO_INODE_H_
#define RUNSC_BOOT_FS_PSEUDO_INODE_H_

#include <functional>
#include <string>
#include <string_view>

#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot::pseudo {

// What a file system of this kind reports about itself.
struct FilesystemTraits {
  const char* type = "";
  long magic = 0;  // statfs(2)
  dev_t dev = 0;
  std::string mount_options;
};

class PseudoFilesystem : public Filesystem {
 public:
  explicit PseudoFilesystem(FilesystemTraits traits) : traits_(std::move(traits)) {}
  // Once, before the file system is mounted.
  void SetRoot(InodeRef root) { root_ = std::move(root); }

  const char* type() const override { return traits_.type; }
  InodeRef root() override { return root_; }
  dev_t dev() const override { return traits_.dev; }
  Result<struct statfs> StatFs() override;
  std::string mount_options() const override { return traits_.mount_options; }

 private:
  const FilesystemTraits traits_;
  InodeRef root_;
};

constexpr uint64_t kRootIno = 1;
uint64_t ChildIno(uint64_t parent, std::string_view name);

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
};

class PseudoInode : public Inode {
 public:
  PseudoInode(Filesystem& filesystem, uint64_t ino, mode_t mode);

  uint64_t ino() const { return ino_; }
  mode_t mode() const { return mode_; }
  Result<Attributes> GetAttributes() override;
  // Size, owner and times are accepted and ignored, as Linux's own files of this
  // kind forget them with the inode; EPERM for the mode.
  Status SetAttributes(const AttributeChange& change) override;

 protected:
  virtual Owner owner() { return {}; }
  virtual uint32_t links() { return 1; }
  virtual uint64_t size() { return 0; }

 private:
  const uint64_t ino_;
  const mode_t mode_;  // with the type
  timespec created_;
};

// A regular file. `mode` of the constructor: permission bits.
class FileInode : public PseudoInode {
 public:
  FileInode(Filesystem& filesystem, uint64_t ino, mode_t mode)
      : PseudoInode(filesystem, ino, S_IFREG | mode) {}

  // The whole contents, taken when the file is read from its beginning.
  virtual Result<std::string> Generate(Context& context) = 0;
  // One write(2). Linux's control files ignore the offset.
  virtual Status Store(Context& context, std::string_view text) { return Error(EIO); }
  // What open(2) checks behind the permission bits.
  virtual Status CheckOpen(Context& context, int flags) { return Ok(); }

  Result<FileRef> Open(Context& context, const Path& path, int flags) override;
};

// A regular file made of functions.
class FunctionFile final : public FileInode {
 public:
  using Generator = std::function<Result<std::string>(Context& context)>;
  using Writer = std::function<Status(Context& context, std::string_view text)>;

  FunctionFile(Filesystem& filesystem, uint64_t ino, mode_t mode, Generator generator,
               Writer writer = nullptr, uint64_t size = 0)
      : FileInode(filesystem, ino, mode),
        generator_(std::move(generator)),
        writer_(std::move(writer)),
        size_(size) {}

  Result<std::string> Generate(Context& context) override { return generator_(context); }
  Status Store(Context& context, std::string_view text) override {
    if (writer_ == nullptr) return Error(EIO);
    return writer_(context, text);
  }

 protected:
  uint64_t size() override { return size_; }

 private:
  const Generator generator_;
  const Writer writer_;
  const uint64_t size_;
};

// A symbolic link whose target is made when it is read.
class LinkInode final : public PseudoInode {
 public:
  using Target = std::function<Result<std::string>(Context& context)>;
  LinkInode(Filesystem& filesystem, uint64_t ino, Target target)
      : PseudoInode(filesystem, ino, S_IFLNK | 0777), target_(std::move(target)) {}

  Result<std::string> ReadLink(Context& context) override { return target_(context); }
  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    return Error(ELOOP);
  }

 private:
  const Target target_;
};

}  // namespace runsc::boot::pseudo

#endif  // RUNSC_BOOT_FS_PSEUDO_INODE_H_
