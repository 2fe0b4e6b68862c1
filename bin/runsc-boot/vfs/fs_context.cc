#include <utility>

#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

std::shared_ptr<FsContext> FsContext::Clone() const {
  absl::MutexLock lock(&mutex_);
  return std::make_shared<FsContext>(mounts_, root_, cwd_, umask_);
}

std::shared_ptr<MountNamespace> FsContext::mounts() const {
  absl::MutexLock lock(&mutex_);
  return mounts_;
}

Path FsContext::root() const {
  absl::MutexLock lock(&mutex_);
  return root_;
}

Path FsContext::cwd() const {
  absl::MutexLock lock(&mutex_);
  return cwd_;
}

mode_t FsContext::umask() const {
  absl::MutexLock lock(&mutex_);
  return umask_;
}

void FsContext::set_root(Path root) {
  absl::MutexLock lock(&mutex_);
  std::swap(root_, root);
}

void FsContext::set_cwd(Path cwd) {
  absl::MutexLock lock(&mutex_);
  std::swap(cwd_, cwd);
}

void FsContext::UnshareMounts(const UserNamespaceRef& owner) {
  absl::MutexLock lock(&mutex_);
  Path* const remap[] = {&root_, &cwd_};
  mounts_ = mounts_->Clone(owner, remap);
}

void FsContext::MoveRoot(const Path& from, const Path& to) {
  Path old_root, old_cwd;  // dropped without the lock
  absl::MutexLock lock(&mutex_);
  if (root_ == from) old_root = std::exchange(root_, to);
  if (cwd_ == from) old_cwd = std::exchange(cwd_, to);
}

void FsContext::EnterMounts(std::shared_ptr<MountNamespace> mounts) {
  const MountRef root = mounts->root();
  Path top = mounts->Descend({root, root->root()});
  Path cwd = top;
  absl::MutexLock lock(&mutex_);
  std::swap(root_, top);
  std::swap(cwd_, cwd);
  mounts_.swap(mounts);
}

mode_t FsContext::set_umask(mode_t mask) {
  absl::MutexLock lock(&mutex_);
  return std::exchange(umask_, mask & 0777);
}

}  // namespace runsc::boot
