#include "bin/runsc-boot/auth/user_namespace.h"

#include "absl/strings/str_format.h"

namespace runsc::boot {

namespace {

// As many as a sandbox may have at once (max_user_namespaces).
constexpr int kMaxNamespaces = 4096;
constexpr size_t kPageSize = 4096;
constexpr size_t kMaxSetGroupsText = 7;

bool Contains(const std::vector<IdExtent>& extents, uint32_t outside) {
  for (const IdExtent& extent : extents) {
    if (outside >= extent.outside && outside - extent.outside < extent.count) return true;
  }
  return false;
}

}  // namespace

UserNamespace::UserNamespace(std::shared_ptr<Shared> shared)
    : Namespace(NamespaceKind::kUser),
      shared_(std::move(shared)),
      level_(0),
      owner_uid_(0),
      owner_gid_(0),
      creator_could_set_file_capabilities_(true) {}

UserNamespace::UserNamespace(UserNamespaceRef parent, const Credentials& creator)
    : Namespace(NamespaceKind::kUser, parent),
      shared_(parent->shared_),
      level_(parent->level_ + 1),
      owner_uid_(creator.euid),
      owner_gid_(creator.egid),
      creator_could_set_file_capabilities_(creator.Has(CAP_SETFCAP)) {
  absl::MutexLock lock(&parent->mutex_);
  absl::MutexLock own_lock(&mutex_);
  set_groups_allowed_ = parent->set_groups_allowed_;
}

UserNamespace::~UserNamespace() { shared_->count.fetch_sub(1); }

UserNamespaceRef UserNamespace::MakeInitial() {
  auto shared = std::make_shared<Shared>();
  shared->count.store(1);
  return UserNamespaceRef(new UserNamespace(std::move(shared)));
}

Result<UserNamespaceRef> UserNamespace::Make(const Credentials& creator) {
  const UserNamespaceRef& parent = creator.user_namespace;
  if (parent == nullptr) return Error(EPERM);
  if (parent->level_ > kMaxLevel) return Error(ENOSPC);
  if (parent->FromKernelUid(creator.euid) == kNoId ||
      parent->FromKernelGid(creator.egid) == kNoId) {
    return Error(EPERM);
  }
  if (parent->shared_->count.fetch_add(1) >= kMaxNamespaces) {
    parent->shared_->count.fetch_sub(1);
    return Error(ENOSPC);
  }
  return UserNamespaceRef(new UserNamespace(parent, creator));
}

Result<UserNamespaceRef> UserNamespace::MakeMapped(std::string_view uid_map,
                                                   std::string_view gid_map) {
  const Credentials creator = RootOf(MakeInitial());
  TRY_ASSIGN(UserNamespaceRef made, Make(creator));
  TRY(made->SetMap(Ids::kUsers, creator, uid_map));
  TRY(made->SetMap(Ids::kGroups, creator, gid_map));
  return made;
}

unsigned UserNamespace::NewNumber() { return shared_->next_number.fetch_add(1); }

bool UserNamespace::IsAncestorOf(const UserNamespace& other) const {
  for (const UserNamespace* up = &other; up != nullptr; up = up->parent().get()) {
    if (up == this) return true;
  }
  return false;
}

bool UserNamespace::MaySetGroups() const {
  if (is_initial()) return true;
  absl::MutexLock lock(&mutex_);
  return set_groups_allowed_ && gids_.written();
}

std::string UserNamespace::MapText(Ids ids, const Credentials& reader) const {
  if (is_initial()) return absl::StrFormat("%10u %10u %10u\n", 0u, 0u, kNoId);
  if (!MapOf(ids).written()) return "";
  // Outside ids as the reader's namespace has them, or the parent's for one
  // that reads its own.
  const UserNamespace* lower = reader.user_namespace.get();
  if (lower == this) lower = parent().get();
  std::string text;
  for (const IdExtent& extent : MapOf(ids).map().extents()) {
    uint32_t outside = extent.outside;
    if (lower != nullptr) {
      outside = ids == Ids::kUsers ? lower->FromKernelUid(outside) : lower->FromKernelGid(outside);
    }
    text += absl::StrFormat("%10u %10u %10u\n", extent.inside, outside, extent.count);
  }
  return text;
}

// To make files that are root's outside, and so give capabilities there, takes
// the right to do so there.
bool UserNamespace::MayMapParentsRoot(const Credentials& writer) const {
  if (writer.user_namespace.get() == this) return creator_could_set_file_capabilities_;
  return writer.HasIn(*parent(), CAP_SETFCAP);
}

bool UserNamespace::MayMap(Ids ids, const Credentials& writer,
                           const std::vector<IdExtent>& extents) const {
  if (ids == Ids::kUsers && Contains(extents, 0) && !MayMapParentsRoot(writer)) return false;
  if (extents.size() == 1 && extents[0].count == 1 && owner_uid_ == writer.euid) {
    // Who made it may map itself; groups only where none can be dropped.
    const uint32_t id = extents[0].outside;
    if (ids == Ids::kUsers && parent()->ToKernelUid(id) == writer.euid) return true;
    if (ids == Ids::kGroups && !set_groups_allowed_ && parent()->ToKernelGid(id) == writer.egid) {
      return true;
    }
  }
  return writer.HasIn(*parent(), ids == Ids::kUsers ? CAP_SETUID : CAP_SETGID);
}

Status UserNamespace::SetMap(Ids ids, const Credentials& writer, std::string_view text) {
  if (is_initial()) return Error(EPERM);
  const UserNamespace* from = writer.user_namespace.get();
  if (from != this && from != parent().get()) return Error(EPERM);
  if (text.size() >= kPageSize) return Error(EINVAL);
  absl::MutexLock lock(&mutex_);
  OnceMap& target = ids == Ids::kUsers ? uids_ : gids_;
  if (target.written()) return Error(EPERM);
  if (!writer.HasIn(*this, CAP_SYS_ADMIN)) return Error(EPERM);
  // A string ends at its first zero.
  TRY_ASSIGN(std::vector<IdExtent> extents, IdMap::Parse(text.substr(0, text.find('\0'))));
  if (!MayMap(ids, writer, extents)) return Error(EPERM);
  for (IdExtent& extent : extents) {
    if (parent()->is_initial()) continue;
    const OnceMap& outer = parent()->MapOf(ids);
    if (!outer.written()) return Error(EPERM);
    extent.outside = outer.map().RangeToOutside(extent.outside, extent.count);
    if (extent.outside == kNoId) return Error(EPERM);
  }
  target.Write(IdMap(std::move(extents)));
  return Ok();
}

std::string UserNamespace::SetGroupsText() const {
  absl::MutexLock lock(&mutex_);
  return set_groups_allowed_ ? "allow\n" : "deny\n";
}

Status UserNamespace::SetSetGroups(std::string_view text) {
  if (text.size() > kMaxSetGroupsText) return Error(EINVAL);
  const std::string_view word = text.substr(0, text.find_first_of(" \t\n\v\f\r"));
  if (text.find_first_not_of(" \t\n\v\f\r", word.size()) != std::string_view::npos) {
    return Error(EINVAL);
  }
  absl::MutexLock lock(&mutex_);
  if (word == "allow") return set_groups_allowed_ ? Ok() : Status(Error(EPERM));
  if (word != "deny") return Error(EINVAL);
  // Too late once there are groups, even where it was denied before.
  if (is_initial() || gids_.written()) return Error(EPERM);
  set_groups_allowed_ = false;
  return Ok();
}

Credentials RootOf(UserNamespaceRef inside) {
  Credentials root;
  root.ruid = root.euid = root.suid = root.fsuid = inside->ToKernelUid(0);
  root.rgid = root.egid = root.sgid = root.fsgid = inside->ToKernelGid(0);
  root.permitted = root.effective = root.bounding = kAllCapabilities;
  root.user_namespace = std::move(inside);
  return root;
}

Credentials CredentialsInside(const Credentials& creator, UserNamespaceRef inside) {
  Credentials result = creator;
  result.user_namespace = std::move(inside);
  result.securebits = 0;
  result.inheritable = result.ambient = 0;
  result.permitted = result.effective = result.bounding = kAllCapabilities;
  return result;
}

bool Credentials::HasIn(const UserNamespace& target, int capability) const {
  const UserNamespace* own = user_namespace.get();
  if (own == nullptr) return Has(capability);
  const UserNamespace* space = &target;
  while (true) {
    if (space == own) return Has(capability);
    // Not below one's own: nothing that one has counts there.
    if (space->level() <= own->level()) return false;
    // Its maker has all capabilities, from the parent on.
    if (space->parent().get() == own && space->owner_uid() == euid) return true;
    space = space->parent().get();
  }
}

bool Credentials::HasInitially(int capability) const { return Has(capability) && MapsEverything(); }

uid_t Credentials::KernelUid(uid_t uid) const {
  return user_namespace == nullptr ? uid : user_namespace->ToKernelUid(uid);
}

gid_t Credentials::KernelGid(gid_t gid) const {
  return user_namespace == nullptr ? gid : user_namespace->ToKernelGid(gid);
}

uid_t Credentials::ShownUid(uid_t uid) const {
  if (user_namespace == nullptr) return uid;
  const uid_t shown = user_namespace->FromKernelUid(uid);
  return shown == kNoId ? kOverflowId : shown;
}

gid_t Credentials::ShownGid(gid_t gid) const {
  if (user_namespace == nullptr) return gid;
  const gid_t shown = user_namespace->FromKernelGid(gid);
  return shown == kNoId ? kOverflowId : shown;
}

bool Credentials::Maps(uid_t uid, gid_t gid) const {
  if (MapsEverything()) return true;
  return user_namespace->FromKernelUid(uid) != kNoId && user_namespace->FromKernelGid(gid) != kNoId;
}

bool Credentials::MapsUid(uid_t uid) const {
  return MapsEverything() || user_namespace->FromKernelUid(uid) != kNoId;
}

bool Credentials::MapsEverything() const {
  return user_namespace == nullptr || user_namespace->is_initial();
}

uid_t Credentials::RootUid() const {
  return user_namespace == nullptr ? 0 : user_namespace->ToKernelUid(0);
}

}  // namespace runsc::boot
