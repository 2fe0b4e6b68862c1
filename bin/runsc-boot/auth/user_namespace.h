// User namespaces (user_namespaces(7)): which ids exist in them, and who may do
// what to what they own.
//
// Everywhere in the kernel ids are those of the sandbox's first user namespace,
// whose map is the identity. They are translated where they come in from and
// go out to an application: Credentials::KernelUid, ShownUid and the like.
#ifndef RUNSC_BOOT_AUTH_USER_NAMESPACE_H_
#define RUNSC_BOOT_AUTH_USER_NAMESPACE_H_

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/auth/credentials.h"
#include "bin/runsc-boot/auth/id_map.h"
#include "bin/runsc-boot/auth/namespace.h"
#include "common/result.h"

namespace runsc::boot {

class UserNamespace final : public Namespace {
 public:
  static constexpr int kMaxLevel = 32;

  static UserNamespaceRef MakeInitial();
  // A container's, below a first one of its own, with the lines of its uid_map
  // and gid_map. EINVAL: malformed or overlapping.
  static Result<UserNamespaceRef> MakeMapped(std::string_view uid_map, std::string_view gid_map);
  // A child of the creator's. ENOSPC: too deep, or too many; EPERM: the
  // creator's own ids are not mapped.
  static Result<UserNamespaceRef> Make(const Credentials& creator);
  ~UserNamespace() override;

  // Null for the first one.
  const UserNamespaceRef& parent() const { return owner(); }
  bool is_initial() const { return parent() == nullptr; }
  int level() const { return level_; }
  // Who made it, as kernel ids.
  uid_t owner_uid() const { return owner_uid_; }
  gid_t owner_gid() const { return owner_gid_; }
  // True for itself, too.
  bool IsAncestorOf(const UserNamespace& other) const;

  // kNoId when not mapped. Lock-free.
  uid_t ToKernelUid(uid_t uid) const { return is_initial() ? uid : uids_.ToOutside(uid); }
  gid_t ToKernelGid(gid_t gid) const { return is_initial() ? gid : gids_.ToOutside(gid); }
  uid_t FromKernelUid(uid_t uid) const { return is_initial() ? uid : uids_.ToInside(uid); }
  gid_t FromKernelGid(gid_t gid) const { return is_initial() ? gid : gids_.ToInside(gid); }

  // setgroups(2) needs a gid map, and nobody who forbade it.
  bool MaySetGroups() const;

  // --- /proc/PID/{uid_map,gid_map,setgroups} for `reader` and `writer`.
  enum class Ids { kUsers, kGroups };
  std::string MapText(Ids ids, const Credentials& reader) const;
  // Once only. EPERM, EINVAL.
  Status SetMap(Ids ids, const Credentials& writer, std::string_view text);
  std::string SetGroupsText() const;
  Status SetSetGroups(std::string_view text);

  // For a namespace that this one owns.
  unsigned NewNumber();

 private:
  // What all user namespaces of a sandbox share.
  struct Shared {
    std::atomic<unsigned> next_number{4026532200};
    std::atomic<int> count{0};
  };
  // Readable without the lock once it is marked as written, and constant then.
  class OnceMap {
   public:
    uint32_t ToOutside(uint32_t id) const { return written() ? map_.ToOutside(id) : kNoId; }
    uint32_t ToInside(uint32_t id) const { return written() ? map_.ToInside(id) : kNoId; }
    const IdMap& map() const { return map_; }
    bool written() const { return written_.load(std::memory_order_acquire); }
    void Write(IdMap map) {
      map_ = std::move(map);
      written_.store(true, std::memory_order_release);
    }

   private:
    IdMap map_;
    std::atomic<bool> written_{false};
  };

  explicit UserNamespace(std::shared_ptr<Shared> shared);
  UserNamespace(UserNamespaceRef parent, const Credentials& creator);
  const OnceMap& MapOf(Ids ids) const { return ids == Ids::kUsers ? uids_ : gids_; }
  bool MayMap(Ids ids, const Credentials& writer, const std::vector<IdExtent>& extents) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayMapParentsRoot(const Credentials& writer) const;

  const std::shared_ptr<Shared> shared_;
  const int level_;
  const uid_t owner_uid_;
  const gid_t owner_gid_;
  const bool creator_could_set_file_capabilities_;

  mutable absl::Mutex mutex_;  // a leaf: one writer at a time
  bool set_groups_allowed_ ABSL_GUARDED_BY(mutex_) = true;
  OnceMap uids_, gids_;
};

// The root user of `inside`, whose ids must be mapped to be of use.
Credentials RootOf(UserNamespaceRef inside);
// What the creator of a user namespace has in it: everything.
Credentials CredentialsInside(const Credentials& creator, UserNamespaceRef inside);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_AUTH_USER_NAMESPACE_H_
