#include "bin/runsc-boot/fs/devpts/devpts_filesystem.h"

#include <dirent.h>
#include <linux/magic.h>
#include <sys/sysmacros.h>

#include <charconv>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/kernel/kernel.h"

namespace runsc::boot::devpts {
namespace {

// Inode numbers as Linux has them.
constexpr uint64_t kPtmxIno = 2;
constexpr uint64_t kFirstSlaveIno = 3;
// What Linux leaves to mounts other than the first.
constexpr size_t kMostTerminals = 4096 - 1024;

Attributes NodeAttributes(mode_t mode, uid_t uid, gid_t gid) {
  Attributes attributes;
  attributes.mode = S_IFCHR | mode;
  attributes.uid = uid;
  attributes.gid = gid;
  attributes.blksize = 1024;
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  attributes.atime = attributes.mtime = attributes.ctime = now;
  return attributes;
}

// The number of a name as the directory shows it; -1: it is none.
int IndexOf(std::string_view name) {
  if (name.empty() || (name[0] == '0' && name.size() > 1)) return -1;
  int index = 0;
  auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), index);
  return code == std::errc() && end == name.data() + name.size() && index >= 0 ? index : -1;
}

class RootDirectory final : public pseudo::DynamicDirectory {
 public:
  RootDirectory(DevptsFilesystem& filesystem, const Options& options)
      : DynamicDirectory(filesystem, pseudo::kRootIno, 0755),
        devpts_(filesystem),
        ptmx_(std::make_shared<PtmxInode>(
            filesystem, kPtmxIno, makedev(tty::kPtmxMajor, tty::kPtmxMinor),
            NodeAttributes(options.ptmx_mode, options.root_uid, options.root_gid))),
        owner_{options.root_uid, options.root_gid} {}

  Result<InodeRef> Lookup(Context&, std::string_view name,
                          std::span<const std::string_view>) override {
    if (name == "ptmx") return InodeRef(ptmx_);
    const int index = IndexOf(name);
    std::shared_ptr<SlaveInode> slave = index < 0 ? nullptr : devpts_.FindSlave(index);
    if (slave == nullptr) return Error(ENOENT);
    return InodeRef(std::move(slave));
  }

  Result<std::vector<pseudo::Entry>> List(Context&, int64_t from) override {
    std::vector<pseudo::Entry> entries;
    auto add = [&](std::string name, uint64_t ino) {
      const int64_t offset = static_cast<int64_t>(ino - kPtmxIno) + pseudo::kFirstOffset;
      if (offset >= from) entries.push_back({std::move(name), ino, DT_CHR, offset});
    };
    add("ptmx", kPtmxIno);
    for (const int index : devpts_.Slaves()) {
      add(absl::StrCat(index), kFirstSlaveIno + static_cast<uint64_t>(index));
    }
    return entries;
  }

 protected:
  pseudo::Owner owner() override { return owner_; }

 private:
  DevptsFilesystem& devpts_;
  const std::shared_ptr<PtmxInode> ptmx_;
  const pseudo::Owner owner_;
};

}  // namespace

DeviceInode::DeviceInode(Filesystem& filesystem, uint64_t ino, dev_t device,
                         const Attributes& initial)
    : PseudoInode(filesystem, ino, initial.mode), attributes_(initial) {
  attributes_.ino = ino;
  attributes_.rdev = device;
}

Result<Attributes> DeviceInode::GetAttributes() {
  absl::MutexLock lock(&mutex_);
  return attributes_;
}

Status DeviceInode::SetAttributes(const AttributeChange& change) {
  absl::MutexLock lock(&mutex_);
  if (change.mode) attributes_.mode = S_IFCHR | (*change.mode & 07777);
  if (change.uid) attributes_.uid = *change.uid;
  if (change.gid) attributes_.gid = *change.gid;
  if (change.atime) attributes_.atime = *change.atime;
  if (change.mtime) attributes_.mtime = *change.mtime;
  clock_gettime(CLOCK_REALTIME, &attributes_.ctime);
  return Ok();
}

DevptsFilesystem::DevptsFilesystem(Kernel& kernel, const Options& options, dev_t dev)
    : PseudoFilesystem({"devpts", DEVPTS_SUPER_MAGIC, dev, options.ToString()}),
      kernel_(kernel),
      options_(options) {}

Result<tty::TerminalRef> DevptsFilesystem::NewTerminal(const Credentials& owner) {
  int index = 0;
  {
    absl::MutexLock lock(&mutex_);
    const size_t most = options_.max.has_value()
                            ? std::min(static_cast<size_t>(*options_.max), kMostTerminals)
                            : kMostTerminals;
    if (used_.size() >= most) return Error(ENOSPC);
    for (const int used : used_) {
      if (used != index) break;
      ++index;
    }
    used_.insert(index);
  }
  const std::weak_ptr<Filesystem> self = weak_from_this();
  auto call = [self, index](void (DevptsFilesystem::*method)(int)) {
    if (const FilesystemRef alive = self.lock(); alive != nullptr) {
      (static_cast<DevptsFilesystem&>(*alive).*method)(index);
    }
  };
  tty::Terminal::Owner callbacks{[call] { call(&DevptsFilesystem::RemoveNode); },
                                 [call] { call(&DevptsFilesystem::ReleaseIndex); }};
  auto terminal = std::make_shared<tty::Terminal>(kernel_, index, std::move(callbacks));
  auto node =
      std::make_shared<SlaveInode>(*this, kFirstSlaveIno + static_cast<uint64_t>(index),
                                   NodeAttributes(options_.mode, options_.uid.value_or(owner.fsuid),
                                                  options_.gid.value_or(owner.fsgid)),
                                   terminal);
  absl::MutexLock lock(&mutex_);
  slaves_[index] = std::move(node);
  return terminal;
}

std::shared_ptr<SlaveInode> DevptsFilesystem::FindSlave(int index) {
  absl::MutexLock lock(&mutex_);
  auto found = slaves_.find(index);
  return found == slaves_.end() ? nullptr : found->second;
}

std::vector<int> DevptsFilesystem::Slaves() {
  std::vector<int> indices;
  absl::MutexLock lock(&mutex_);
  for (const auto& [index, slave] : slaves_) indices.push_back(index);
  return indices;
}

void DevptsFilesystem::RemoveNode(int index) {
  std::shared_ptr<SlaveInode> node;  // dropped without the lock
  absl::MutexLock lock(&mutex_);
  auto found = slaves_.find(index);
  if (found == slaves_.end()) return;
  node = std::move(found->second);
  slaves_.erase(found);
}

void DevptsFilesystem::ReleaseIndex(int index) {
  absl::MutexLock lock(&mutex_);
  used_.erase(index);
}

FilesystemRef MakeDevptsFilesystem(Kernel& kernel, const Options& options, dev_t dev) {
  auto filesystem = std::make_shared<DevptsFilesystem>(kernel, options, dev);
  filesystem->SetRoot(std::make_shared<RootDirectory>(*filesystem, options));
  return filesystem;
}

}  // namespace runsc::boot::devpts
