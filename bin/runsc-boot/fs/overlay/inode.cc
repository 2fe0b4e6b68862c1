#include "bin/runsc-boot/fs/overlay/inode.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "bin/runsc-boot/fs/overlay/file.h"
#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/kernel_context.h"
#include "bin/runsc-boot/vfs/release_in_turn.h"

namespace runsc::boot {
namespace {

constexpr size_t kCopyChunk = 256 * 1024;
// Tells numbers of the upper file system from those of the lower one.
constexpr uint64_t kUpperNumber = uint64_t{1} << 62;

bool AllZero(const char* data, size_t size) {
  return size == 0 || (data[0] == 0 && std::equal(data, data + size - 1, data + 1));
}

// Copies a regular file; leaves holes where there is nothing but zeros.
Status CopyData(Context& context, Inode& from, Inode& to, uint64_t size) {
  Path nowhere{nullptr, std::make_shared<Dentry>(nullptr, "", from.shared_from_this())};
  TRY_ASSIGN(FileRef source, from.Open(context, nowhere, O_RDONLY));
  TRY_ASSIGN(FileRef target, to.Open(context, nowhere, O_WRONLY));
  std::vector<char> chunk(std::min<uint64_t>(kCopyChunk, size));
  uint64_t offset = 0;
  while (offset < size) {
    KernelBuffer in(chunk.data(), std::min<uint64_t>(chunk.size(), size - offset));
    TRY_ASSIGN(size_t count, source->PRead(context, in, offset));
    if (count == 0) break;
    if (!AllZero(chunk.data(), count)) {
      KernelBuffer out(chunk.data(), count);
      TRY_ASSIGN(size_t written, target->PWrite(context, out, offset));
      if (written < count) return Error(ENOSPC);
    }
    offset += count;
  }
  return target->Truncate(context, size);
}

}  // namespace

bool IsWhiteout(const Attributes& attributes) {
  return S_ISCHR(attributes.mode) && attributes.rdev == 0;
}

OverlayInode::OverlayInode(OverlayFilesystem& filesystem, std::shared_ptr<OverlayDirectory> parent,
                           std::string name, InodeRef upper, InodeRef lower)
    : Inode(filesystem),
      overlay_(filesystem),
      parent_(std::move(parent)),
      name_(std::move(name)),
      lower_(std::move(lower)),
      upper_(std::move(upper)) {}

OverlayInode::~OverlayInode() { DropLink(parent_); }

InodeRef OverlayInode::upper() const {
  absl::MutexLock lock(&mutex_);
  return upper_;
}

InodeRef OverlayInode::Top() const {
  absl::MutexLock lock(&mutex_);
  return upper_ != nullptr ? upper_ : lower_;
}

OverlayInode& OverlayInode::parent_directory() { return parent_ != nullptr ? *parent_ : *this; }

uint64_t OverlayInode::StableNumber(Inode* upper, uint64_t upper_ino, Inode* lower) {
  if (lower != nullptr) {
    Result<Attributes> attributes = lower->GetAttributes();
    if (attributes.ok()) return attributes->ino;
  }
  if (Result<std::string> origin = upper->GetXattr(kOriginXattr); origin.ok()) {
    uint64_t ino = 0;
    std::from_chars(origin->data(), origin->data() + origin->size(), ino);
    return ino;
  }
  return upper_ino | kUpperNumber;
}

Result<Attributes> OverlayInode::GetAttributes() {
  InodeRef above = upper();
  if (above == nullptr) return lower_->GetAttributes();
  TRY_ASSIGN(Attributes attributes, above->GetAttributes());
  attributes.ino = StableNumber(above.get(), attributes.ino, lower_.get());
  // As Linux: who counts subdirectories of a merged directory looks at each.
  if (lower_ != nullptr && attributes.IsDirectory()) attributes.nlink = 1;
  return attributes;
}

Status OverlayInode::SetAttributes(const AttributeChange& change) {
  TRY_ASSIGN(InodeRef above, CopyUp());
  return above->SetAttributes(change);
}

Result<FileRef> OverlayInode::Open(Context& context, const Path& path, int flags) {
  InodeRef real;
  if ((flags & O_ACCMODE) != O_RDONLY) {
    TRY_ASSIGN(real, CopyUp());
  } else {
    real = Top();
  }
  // Under a nameless dentry: what happens to it is the overlay's file's affair.
  Path inner{path.mount, std::make_shared<Dentry>(nullptr, "", real)};
  TRY_ASSIGN(FileRef file, real->Open(context, inner, flags));
  return FileRef(std::make_shared<OverlayFile>(path, flags, std::move(file)));
}

Result<std::string> OverlayInode::GetXattr(std::string_view name) {
  if (name.substr(0, kOverlayXattrPrefix.size()) == kOverlayXattrPrefix) return Error(ENODATA);
  return Top()->GetXattr(name);
}

Status OverlayInode::SetXattr(std::string_view name, std::string_view value, int flags) {
  if (name.substr(0, kOverlayXattrPrefix.size()) == kOverlayXattrPrefix) return Error(EPERM);
  TRY_ASSIGN(InodeRef above, CopyUp());
  return above->SetXattr(name, value, flags);
}

Result<std::vector<std::string>> OverlayInode::ListXattr() {
  TRY_ASSIGN(std::vector<std::string> names, Top()->ListXattr());
  std::erase_if(names, [](const std::string& name) {
    return name.compare(0, kOverlayXattrPrefix.size(), kOverlayXattrPrefix) == 0;
  });
  return names;
}

Status OverlayInode::RemoveXattr(std::string_view name) {
  if (name.substr(0, kOverlayXattrPrefix.size()) == kOverlayXattrPrefix) return Error(EPERM);
  TRY(Top()->GetXattr(name));
  TRY_ASSIGN(InodeRef above, CopyUp());
  return above->RemoveXattr(name);
}

Result<InodeRef> OverlayInode::CopyUp() {
  if (InodeRef above = upper(); above != nullptr) return above;
  absl::MutexLock lock(&overlay_.change_mutex());
  return CopyUpLocked();
}

Status OverlayInode::CopyContent(Inode& target, const Attributes& attributes) {
  KernelContext context;
  if (attributes.IsRegular() && attributes.size > 0) {
    TRY(CopyData(context, *lower_, target, attributes.size));
  }
  Result<std::vector<std::string>> names = lower_->ListXattr();
  if (names.ok()) {
    for (const std::string& name : *names) {
      Result<std::string> value = lower_->GetXattr(name);
      if (value.ok()) TRY(target.SetXattr(name, *value, 0));
    }
  }
  if (!attributes.IsDirectory())
    TRY(target.SetXattr(kOriginXattr, std::to_string(attributes.ino), 0));
  AttributeChange times;
  times.atime = attributes.atime;
  times.mtime = attributes.mtime;
  return target.SetAttributes(times);
}

Result<InodeRef> OverlayInode::CreateAbove(Context& context, const NewInode& node) {
  if (removed_) {
    if (!S_ISREG(node.mode)) return Error(ENOENT);
    auto root = std::static_pointer_cast<OverlayInode>(overlay_.root());
    return root->upper()->CreateUnnamed(context, node);
  }
  return parent_->upper()->Create(context, name_, node);
}

Result<InodeRef> OverlayInode::CopyUpLocked() {
  overlay_.change_mutex().AssertHeld();
  if (InodeRef above = upper(); above != nullptr) return above;
  // With the directories above it, this one first.
  std::vector<OverlayInode*> missing = {this};
  while (!missing.back()->removed_ && missing.back()->parent_->upper() == nullptr) {
    missing.push_back(missing.back()->parent_.get());
  }
  for (; missing.size() > 1; missing.pop_back()) TRY(missing.back()->CopyUpAlone());
  return CopyUpAlone();
}

Result<InodeRef> OverlayInode::CopyUpAlone() {
  TRY_ASSIGN(Attributes attributes, lower_->GetAttributes());
  KernelContext context;
  NewInode node{.mode = attributes.mode,
                .uid = attributes.uid,
                .gid = attributes.gid,
                .rdev = attributes.rdev};
  if (attributes.IsSymlink()) {
    TRY_ASSIGN(node.target, lower_->ReadLink(context));
  }
  TRY_ASSIGN(InodeRef above, CreateAbove(context, node));
  if (Status copied = CopyContent(*above, attributes); !copied.ok()) {
    if (removed_) return std::move(copied).error();
    InodeRef directory = parent_->upper();
    // What is half there must not cover the whole.
    Status removed = attributes.IsDirectory() ? directory->Rmdir(name_, *above)
                                              : directory->Unlink(name_, *above);
    return removed.ok() ? std::move(copied).error() : std::move(removed).error();
  }
  absl::MutexLock lock(&mutex_);
  upper_ = std::move(above);
  return upper_;
}

}  // namespace runsc::boot
