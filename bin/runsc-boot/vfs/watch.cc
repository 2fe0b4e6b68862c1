#include "bin/runsc-boot/vfs/watch.h"

#include <sys/inotify.h>

#include <algorithm>

#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot {
namespace {

WatchTable& TableOf(const Inode& inode) { return inode.filesystem().watches(); }

uint32_t DirectoryBit(Inode& inode) { return S_ISDIR(inode.Type()) ? IN_ISDIR : 0; }

}  // namespace

void WatchTable::Add(WatchRef watch) {
  absl::MutexLock lock(&mutex_);
  const Inode* inode = watch->inode().get();
  watches_[inode].push_back(std::move(watch));
  count_.fetch_add(1);
}

void WatchTable::Remove(const Watch& watch) {
  WatchRef removed;  // let go without the lock
  absl::MutexLock lock(&mutex_);
  auto found = watches_.find(watch.inode().get());
  if (found == watches_.end()) return;
  Watches& watches = found->second;
  auto place = std::find_if(watches.begin(), watches.end(),
                            [&watch](const WatchRef& other) { return other.get() == &watch; });
  if (place == watches.end()) return;
  removed = std::move(*place);
  watches.erase(place);
  if (watches.empty()) watches_.erase(found);
  count_.fetch_sub(1);
}

WatchTable::Watches WatchTable::Find(const Inode& inode) {
  absl::MutexLock lock(&mutex_);
  auto found = watches_.find(&inode);
  return found == watches_.end() ? Watches() : found->second;
}

void WatchTable::Deliver(const Inode& inode, const WatchEvent& event) {
  for (const WatchRef& watch : Find(inode)) watch->Deliver(event);
}

void WatchTable::End(const Inode* inode, uint32_t last_event) {
  Watches ended;
  {
    absl::MutexLock lock(&mutex_);
    for (auto entry = watches_.begin(); entry != watches_.end();) {
      auto current = entry++;
      if (inode != nullptr && current->first != inode) continue;
      ended.insert(ended.end(), current->second.begin(), current->second.end());
      watches_.erase(current);
    }
    count_.fetch_sub(ended.size());
  }
  for (const WatchRef& watch : ended) watch->End(last_event);
}

void ReportPath(const Path& path, uint32_t mask) {
  if (!path.valid() || path.dentry->inode() == nullptr) return;
  Inode& inode = *path.dentry->inode();
  if (!TableOf(inode).active()) return;
  mask |= DirectoryBit(inode);
  auto [parent, name] = path.dentry->parent_and_name();
  if (parent != nullptr && parent->inode() != nullptr) {
    TableOf(inode).Deliver(*parent->inode(), {mask, 0, name, path.dentry->deleted()});
  }
  TableOf(inode).Deliver(inode, {mask, 0, {}, false});
}

void ReportInode(Inode& inode, uint32_t mask) {
  if (!TableOf(inode).active()) return;
  TableOf(inode).Deliver(inode, {mask | DirectoryBit(inode), 0, {}, false});
}

void ReportEntry(Inode& directory, std::string_view name, uint32_t mask, bool is_directory,
                 uint32_t cookie) {
  if (!TableOf(directory).active()) return;
  TableOf(directory).Deliver(directory,
                             {mask | (is_directory ? IN_ISDIR : 0), cookie, name, false});
}

void ReportChange(const Path& path, const AttributeChange& change) {
  if (!path.valid() || !TableOf(*path.dentry->inode()).active()) return;
  if (change.size) ReportPath(path, IN_MODIFY);
  // Both times together are what utime(2) sets.
  const bool both = change.atime && change.mtime;
  if (change.atime && !both) ReportPath(path, IN_ACCESS);
  if (change.mtime && !both) ReportPath(path, IN_MODIFY);
  if (both || change.uid || change.gid || change.mode) ReportPath(path, IN_ATTRIB);
}

void ReportNameGone(const Dentry& dentry) {
  if (dentry.inode() == nullptr) return;
  Inode& inode = *dentry.inode();
  if (!TableOf(inode).active()) return;
  if (!S_ISDIR(inode.Type())) {
    Result<Attributes> attributes = inode.GetAttributes();
    if (attributes.ok() && attributes->nlink > 0) return;
  }
  TableOf(inode).End(&inode, IN_DELETE_SELF);
}

Status WatchAccounts::AddInstance(uid_t user) {
  absl::MutexLock lock(&mutex_);
  Used& used = users_[user];
  if (used.instances >= kMaxInstances) return Error(EMFILE);
  ++used.instances;
  return Ok();
}

void WatchAccounts::RemoveInstance(uid_t user) {
  absl::MutexLock lock(&mutex_);
  --users_[user].instances;
  Release(user);
}

Status WatchAccounts::AddWatch(uid_t user) {
  absl::MutexLock lock(&mutex_);
  Used& used = users_[user];
  if (used.watches >= kMaxWatches) return Error(ENOSPC);
  ++used.watches;
  return Ok();
}

void WatchAccounts::RemoveWatches(uid_t user, size_t count) {
  absl::MutexLock lock(&mutex_);
  users_[user].watches -= count;
  Release(user);
}

void WatchAccounts::Release(uid_t user) {
  auto found = users_.find(user);
  if (found->second.instances == 0 && found->second.watches == 0) users_.erase(found);
}

}  // namespace runsc::boot
