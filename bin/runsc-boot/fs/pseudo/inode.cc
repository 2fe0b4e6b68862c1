#include "bin/runsc-boot/fs/pseudo/inode.h"

#include <climits>
#include <ctime>
#include <vector>

namespace runsc::boot::pseudo {
namespace {

// write(2) to a control file takes at most a page, as in Linux.
constexpr size_t kMaxWrite = 4096;

class GeneratedFile final : public File {
 public:
  GeneratedFile(Path path, int flags, std::shared_ptr<FileInode> inode)
      : File(std::move(path), flags), inode_(std::move(inode)) {}

  bool seekable() const override { return true; }
  bool pollable() const override { return true; }

  Result<size_t> PRead(Context& context, IoBuffer& destination, uint64_t offset) override {
    absl::MutexLock lock(&mutex_);
    if (offset == 0 || !generated_) {
      TRY_ASSIGN(text_, inode_->Generate(context));
      generated_ = true;
    }
    if (offset >= text_.size() || destination.remaining() == 0) return size_t{0};
    return destination.Put(text_.data() + offset, text_.size() - offset);
  }

  Result<size_t> PWrite(Context& context, IoBuffer& source, uint64_t offset) override {
    std::vector<char> buffer(std::min(source.remaining(), kMaxWrite));
    if (buffer.empty()) return size_t{0};
    TRY_ASSIGN(size_t taken, source.Take(buffer.data(), buffer.size()));
    TRY(inode_->Store(context, std::string_view(buffer.data(), taken)));
    return taken;
  }

  Status Truncate(Context& context, uint64_t size) override { return Ok(); }

 private:
  const std::shared_ptr<FileInode> inode_;
  absl::Mutex mutex_;
  bool generated_ ABSL_GUARDED_BY(mutex_) = false;
  std::string text_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

Result<struct statfs> PseudoFilesystem::StatFs() {
  struct statfs result{};
  result.f_type = traits_.magic;
  result.f_bsize = 4096;
  result.f_namelen = NAME_MAX;
  result.f_frsize = 4096;
  return result;
}

uint64_t ChildIno(uint64_t parent, std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  auto mix = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (int shift = 0; shift < 64; shift += 8) mix(static_cast<unsigned char>(parent >> shift));
  for (char c : name) mix(static_cast<unsigned char>(c));
  // Small enough to be printed and compared by programs that keep it signed.
  return (hash & ((uint64_t{1} << 48) - 1)) | 2;
}

PseudoInode::PseudoInode(Filesystem& filesystem, uint64_t ino, mode_t mode)
    : Inode(filesystem), ino_(ino), mode_(mode) {
  clock_gettime(CLOCK_REALTIME_COARSE, &created_);
}

Result<Attributes> PseudoInode::GetAttributes() {
  Attributes attributes;
  attributes.ino = ino_;
  attributes.mode = mode_;
  attributes.nlink = links();
  Owner ids = owner();
  attributes.uid = ids.uid;
  attributes.gid = ids.gid;
  attributes.size = size();
  attributes.blksize = 1024;
  attributes.atime = attributes.mtime = attributes.ctime = created_;
  return attributes;
}

Status PseudoInode::SetAttributes(const AttributeChange& change) {
  if (change.mode) return Error(EPERM);
  return Ok();
}

Result<FileRef> FileInode::Open(Context& context, const Path& path, int flags) {
  TRY(CheckOpen(context, flags));
  return FileRef(std::make_shared<GeneratedFile>(
      path, flags, std::static_pointer_cast<FileInode>(shared_from_this())));
}

}  // namespace runsc::boot::pseudo
