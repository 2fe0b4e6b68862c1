// Inodes of an overlay.
#ifndef RUNSC_BOOT_FS_OVERLAY_INODE_H_
#define RUNSC_BOOT_FS_OVERLAY_INODE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/fs/overlay/overlay.h"
#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/string_map.h"

namespace runsc::boot {

class OverlayDirectory;

// A file, link or node: one inode above or below, or both once copied up.
class OverlayInode : public Inode {
 public:
  // `parent` and `name`: where to copy it up to; null for the root.
  OverlayInode(OverlayFilesystem& filesystem, std::shared_ptr<OverlayDirectory> parent,
               std::string name, InodeRef upper, InodeRef lower);
  ~OverlayInode() override;

  Result<Attributes> GetAttributes() override;
  Status SetAttributes(const AttributeChange& change) override;
  Result<std::string> ReadLink(Context& context) override { return Top()->ReadLink(context); }
  Result<FileRef> Open(Context& context, const Path& path, int flags) override;
  Result<std::string> GetXattr(std::string_view name) override;
  Status SetXattr(std::string_view name, std::string_view value, int flags) override;
  Result<std::vector<std::string>> ListXattr() override;
  Status RemoveXattr(std::string_view name) override;

  OverlayFilesystem& overlay() const { return overlay_; }
  InodeRef upper() const;  // null: not copied up
  const InodeRef& lower() const { return lower_; }
  // The one that counts.
  InodeRef Top() const;
  // The root is its own parent.
  OverlayInode& parent_directory();
  // What st_ino is, also after it has been copied up.
  static uint64_t StableNumber(Inode* upper, uint64_t upper_ino, Inode* lower);

  // Makes sure that it exists above.
  Result<InodeRef> CopyUp() ABSL_LOCKS_EXCLUDED(overlay_.change_mutex());
  // For holders of the overlay's change lock.
  Result<InodeRef> CopyUpLocked();
  // Its name is gone; it lives on as long as it is open.
  void set_removed() { removed_.store(true); }

 private:
  // A new inode above, under its name or (when removed) without one.
  Result<InodeRef> CreateAbove(Context& context, const NewInode& node);
  Status CopyContent(Inode& target, const Attributes& attributes);
  // Whose directory exists above.
  Result<InodeRef> CopyUpAlone();

  OverlayFilesystem& overlay_;
  std::shared_ptr<OverlayDirectory> parent_;  // stays until the end
  const std::string name_;                    // as long as it is not copied up, it keeps it
  const InodeRef lower_;
  std::atomic<bool> removed_{false};
  mutable absl::Mutex mutex_;
  InodeRef upper_ ABSL_GUARDED_BY(mutex_);
};

// A directory: entries above, and those below that are not covered.
class OverlayDirectory final : public OverlayInode {
 public:
  using OverlayInode::OverlayInode;

  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override;
  bool CacheLookups() const override { return lower() == nullptr || lower()->CacheLookups(); }
  Result<InodeRef> Create(Context& context, std::string_view name, const NewInode& node) override;
  Result<InodeRef> CreateUnnamed(Context& context, const NewInode& node) override;
  Status Link(std::string_view name, Inode& target) override;
  Status Unlink(std::string_view name, Inode& victim) override;
  Status Rmdir(std::string_view name, Inode& victim) override;
  Status Rename(std::string_view old_name, Inode& new_parent, std::string_view new_name,
                unsigned flags) override;
  Result<FileRef> Open(Context& context, const Path& path, int flags) override;

  struct Entry {
    std::string name;
    uint64_t ino;
    uint8_t type;
  };
  // All entries but "." and "..".
  Result<std::vector<Entry>> List(Context& context);
  uint64_t parent_ino();

 private:
  // What is above and below at a name. A whiteout is above and covers.
  struct Found {
    InodeRef upper, lower;
    bool whiteout = false;
    bool exists() const { return (upper != nullptr && !whiteout) || lower_visible(); }
    bool lower_visible() const { return upper == nullptr && lower != nullptr; }
  };
  Result<Found> Find(Context& context, std::string_view name,
                     std::span<const std::string_view> ahead);
  // The live object of a name, so that a name has one only.
  std::shared_ptr<OverlayInode> Remember(std::string_view name, InodeRef upper, InodeRef lower)
      ABSL_LOCKS_EXCLUDED(children_mutex_);
  void Forget(std::string_view name) ABSL_LOCKS_EXCLUDED(children_mutex_);
  Result<std::shared_ptr<OverlayInode>> Child(Context& context, std::string_view name,
                                              const Found& found);

  // The changes below expect the change lock.
  Status RemoveWhiteout(Inode& above, std::string_view name, const Found& found);
  // Covers what is below at `name`, if there is anything.
  Status Cover(Context& context, Inode& above, std::string_view name, const Found& found);
  // A directory that is empty but for whiteouts: takes them away. ENOTEMPTY.
  Status PrepareRemoval(Context& context);
  Status CheckRename(const OverlayInode& moved) const;
  Status ReplaceTarget(Context& context, OverlayInode& moved, OverlayDirectory& target,
                       Inode& above, std::string_view name, const Found& found);

  absl::Mutex children_mutex_;
  StringMap<std::weak_ptr<OverlayInode>> children_ ABSL_GUARDED_BY(children_mutex_);
};

// Marks of the overlay on upper inodes.
inline constexpr std::string_view kOverlayXattrPrefix = "trusted.overlay.";
inline constexpr std::string_view kOpaqueXattr = "trusted.overlay.opaque";
// The inode number below that a copied file keeps.
inline constexpr std::string_view kOriginXattr = "trusted.overlay.origin";

bool IsWhiteout(const Attributes& attributes);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_FS_OVERLAY_INODE_H_
