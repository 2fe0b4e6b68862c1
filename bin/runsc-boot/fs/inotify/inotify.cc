#include "bin/runsc-boot/fs/inotify/inotify.h"

#include <sys/inotify.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"

namespace runsc::boot {
namespace {

// The kernel's memory is the sandbox's: many long names overflow earlier than
// on Linux.
constexpr size_t kMaxQueuedBytes = 2 << 20;

}  // namespace

// A watch on one inode. Does not keep the instance: its end is the watch's.
class InotifyFile::Entry final : public Watch {
 public:
  Entry(std::shared_ptr<Inode> watched, std::weak_ptr<File> instance, int watch_number)
      : Watch(std::move(watched)), number(watch_number), instance_(std::move(instance)) {}

  void Deliver(const WatchEvent& event) override {
    if (auto instance = Instance()) instance->Take(*this, event);
  }
  void End(uint32_t last_event) override {
    if (auto instance = Instance()) instance->TakeEnd(*this, last_event);
  }

  const int number;
  uint32_t mask = 0;  // guarded by the instance's lock

 private:
  std::shared_ptr<InotifyFile> Instance() const {
    return std::static_pointer_cast<InotifyFile>(instance_.lock());
  }
  const std::weak_ptr<File> instance_;
};

size_t InotifyFile::Event::size() const {
  constexpr size_t kUnit = sizeof(inotify_event);
  if (name.empty()) return kUnit;
  return kUnit + (name.size() + 1 + kUnit - 1) / kUnit * kUnit;
}

Result<std::shared_ptr<InotifyFile>> InotifyFile::Make(Vfs& vfs, Context& context, int flags) {
  if ((flags & ~(IN_NONBLOCK | IN_CLOEXEC)) != 0) return Error(EINVAL);
  const uid_t user = context.credentials()->euid;
  TRY(vfs.watch_accounts().AddInstance(user));
  Path path = vfs.anonymous().MakePath(context, "anon_inode:inotify", 0600);
  return std::make_shared<InotifyFile>(std::move(path), O_RDONLY | (flags & O_NONBLOCK),
                                       vfs.watch_accounts(), user);
}

InotifyFile::InotifyFile(Path path, int flags, WatchAccounts& accounts, uid_t user)
    : File(std::move(path), flags), accounts_(accounts), user_(user) {}

InotifyFile::~InotifyFile() {
  std::map<int, EntryRef> watches;
  {
    absl::MutexLock lock(&mutex_);
    watches.swap(watches_);
  }
  for (const auto& [number, entry] : watches) entry->inode()->filesystem().watches().Remove(*entry);
  accounts_.RemoveWatches(user_, watches.size());
  accounts_.RemoveInstance(user_);
}

int InotifyFile::NewNumberLocked() {
  // As Linux: numbers are used again only after all others.
  do {
    last_number_ = last_number_ == std::numeric_limits<int>::max() ? 1 : last_number_ + 1;
  } while (watches_.contains(last_number_));
  return last_number_;
}

Result<int> InotifyFile::AddWatch(const Path& path, uint32_t mask) {
  constexpr uint32_t kKept = IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK;
  const InodeRef& inode = path.dentry->inode();
  absl::MutexLock lock(&mutex_);
  if (auto known = by_inode_.find(inode.get()); known != by_inode_.end()) {
    if ((mask & IN_MASK_CREATE) != 0) return Error(EEXIST);
    Entry& entry = *watches_.find(known->second)->second;
    entry.mask = (mask & kKept) | ((mask & IN_MASK_ADD) != 0 ? entry.mask : 0);
    return entry.number;
  }
  TRY(accounts_.AddWatch(user_));
  const int number = NewNumberLocked();
  auto entry = std::make_shared<Entry>(inode, weak_from_this(), number);
  entry->mask = mask & kKept;
  watches_[number] = entry;
  by_inode_[inode.get()] = number;
  inode->filesystem().watches().Add(std::move(entry));
  return number;
}

InotifyFile::EntryRef InotifyFile::DropLocked(int number) {
  auto found = watches_.find(number);
  if (found == watches_.end()) return nullptr;
  EntryRef entry = std::move(found->second);
  watches_.erase(found);
  by_inode_.erase(entry->inode().get());
  accounts_.RemoveWatches(user_, 1);
  PutLocked({number, IN_IGNORED, 0, ""});
  return entry;
}

Status InotifyFile::RemoveWatch(int number) {
  EntryRef entry;
  {
    absl::MutexLock lock(&mutex_);
    entry = DropLocked(number);
  }
  if (entry == nullptr) return Error(EINVAL);
  entry->inode()->filesystem().watches().Remove(*entry);
  wait_queue_.Notify(EPOLLIN | EPOLLRDNORM);
  return Ok();
}

void InotifyFile::PutLocked(Event event) {
  // The same again says nothing new.
  if (!events_.empty() && (event.mask & IN_IGNORED) == 0) {
    const Event& last = events_.back();
    if (last.watch == event.watch && last.mask == event.mask && last.name == event.name) return;
  }
  if (events_.size() >= WatchAccounts::kMaxQueuedEvents || queued_bytes_ >= kMaxQueuedBytes) {
    if (overflowed_) return;
    overflowed_ = true;
    event = {-1, IN_Q_OVERFLOW, 0, ""};
  }
  queued_bytes_ += event.size();
  events_.push_back(std::move(event));
}

void InotifyFile::Take(const Entry& entry, const WatchEvent& event) {
  EntryRef done;  // let go without the lock
  {
    absl::MutexLock lock(&mutex_);
    auto found = watches_.find(entry.number);
    if (found == watches_.end() || found->second.get() != &entry) return;
    if ((event.mask & entry.mask & IN_ALL_EVENTS) == 0) return;
    if (event.unlinked && (entry.mask & IN_EXCL_UNLINK) != 0) return;
    const bool self = (event.mask & (IN_MOVE_SELF | IN_DELETE_SELF)) != 0;
    const uint32_t mask = self ? event.mask & ~uint32_t{IN_ISDIR} : event.mask;
    PutLocked({entry.number, mask, event.cookie, std::string(event.name)});
    if ((entry.mask & IN_ONESHOT) != 0) done = DropLocked(entry.number);
  }
  if (done != nullptr) done->inode()->filesystem().watches().Remove(*done);
  wait_queue_.Notify(EPOLLIN | EPOLLRDNORM);
}

void InotifyFile::TakeEnd(const Entry& entry, uint32_t last_event) {
  EntryRef done;  // let go without the lock
  {
    absl::MutexLock lock(&mutex_);
    auto found = watches_.find(entry.number);
    if (found == watches_.end() || found->second.get() != &entry) return;
    // IN_UNMOUNT is not asked for.
    if ((last_event & (entry.mask | IN_UNMOUNT)) != 0) {
      const bool unmounted_directory = last_event == IN_UNMOUNT && S_ISDIR(entry.inode()->Type());
      PutLocked({entry.number, last_event | (unmounted_directory ? IN_ISDIR : 0), 0, ""});
    }
    done = DropLocked(entry.number);
  }
  wait_queue_.Notify(EPOLLIN | EPOLLRDNORM);
}

Result<size_t> InotifyFile::Read(Context&, IoBuffer& destination) {
  std::vector<char> bytes;
  {
    absl::MutexLock lock(&mutex_);
    if (events_.empty()) return Error(EAGAIN);
    while (!events_.empty()) {
      const Event& event = events_.front();
      const size_t size = event.size(), start = bytes.size();
      if (size > destination.remaining() - start) break;
      inotify_event header{};
      header.wd = event.watch;
      header.mask = event.mask;
      header.cookie = event.cookie;
      header.len = static_cast<uint32_t>(size - sizeof header);
      bytes.resize(start + size);
      std::copy_n(reinterpret_cast<const char*>(&header), sizeof header, &bytes[start]);
      std::copy(event.name.begin(), event.name.end(),
                bytes.begin() + static_cast<ptrdiff_t>(start + sizeof header));
      if ((event.mask & IN_Q_OVERFLOW) != 0) overflowed_ = false;
      queued_bytes_ -= size;
      events_.pop_front();
    }
  }
  if (bytes.empty()) return Error(EINVAL);
  // As on Linux, what cannot be stored is lost.
  return destination.Put(bytes.data(), bytes.size());
}

Result<int64_t> InotifyFile::Ioctl(Context& context, uint64_t command, uint64_t argument) {
  if (command != FIONREAD) return Error(ENOTTY);
  int size;
  {
    absl::MutexLock lock(&mutex_);
    size = static_cast<int>(queued_bytes_);
  }
  TRY(context.CopyOut(argument, &size, sizeof size));
  return 0;
}

PollEvents InotifyFile::Poll() {
  absl::MutexLock lock(&mutex_);
  return events_.empty() ? 0 : PollEvents{EPOLLIN | EPOLLRDNORM};
}

std::string InotifyFile::FdInfo() const {
  std::map<int, std::pair<InodeRef, uint32_t>> watches;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [number, entry] : watches_) watches[number] = {entry->inode(), entry->mask};
  }
  std::string text;
  for (const auto& [number, watch] : watches) {
    Result<Attributes> attributes = watch.first->GetAttributes();
    const uint64_t ino = attributes.ok() ? attributes->ino : 0;
    absl::StrAppendFormat(&text, "inotify wd:%x ino:%x sdev:%x mask:%x ignored_mask:0 \n", number,
                          ino, watch.first->filesystem().dev(), watch.second);
  }
  return text;
}

}  // namespace runsc::boot
