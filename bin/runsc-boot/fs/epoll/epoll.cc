#include "bin/runsc-boot/fs/epoll/epoll.h"

#include <sys/sysmacros.h>

#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"

namespace runsc::boot {
namespace {

constexpr PollEvents kAlways = EPOLLERR | EPOLLHUP;
constexpr PollEvents kModes = EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE;
constexpr int kMaxNesting = 5;

// A device number as Linux has it inside, which fdinfo shows.
uint64_t DeviceInKernel(dev_t device) { return uint64_t{major(device)} << 20 | minor(device); }

// Serialises additions of instances to instances, so that two of them cannot
// close a circle from both ends.
absl::Mutex& NestingMutex() {
  static absl::Mutex mutex(absl::kConstInit);
  return mutex;
}

}  // namespace

struct EpollFile::Item {
  Item(EpollFile& owner, Key k, const FileRef& watched, const epoll_event& wanted)
      : key(k),
        file(watched),
        events(wanted.events | kAlways),
        data(wanted.data.u64),
        entry(~PollEvents{0}, [this, &owner](PollEvents) { owner.Notified(*this); }) {}

  const Key key;
  const std::weak_ptr<File> file;  // a closed file leaves the set
  // Written with both locks held, read with one of them.
  PollEvents events;
  uint64_t data;
  bool armed = true;  // false: EPOLLONESHOT has fired
  // Guarded by the ready lock.
  bool ready = false;
  std::list<Item*>::iterator position;
  WaitEntry entry;
};

std::shared_ptr<EpollFile> EpollFile::Make(Vfs& vfs, Context& context) {
  return std::make_shared<EpollFile>(
      vfs.anonymous().MakePath(context, "anon_inode:[eventpoll]", 0600));
}

EpollFile::EpollFile(Path path) : File(std::move(path), O_RDWR) {}

EpollFile::~EpollFile() {
  absl::MutexLock lock(&mutex_);
  items_.clear();
}

void EpollFile::MarkReady(Item& item) {
  {
    absl::MutexLock lock(&ready_mutex_);
    if (!item.armed || item.ready) return;
    item.ready = true;
    item.position = ready_.insert(ready_.end(), &item);
  }
  wait_queue_.Notify(EPOLLIN | EPOLLRDNORM);
}

void EpollFile::Notified(Item& item) { MarkReady(item); }

PollEvents EpollFile::Ask(Context* context, const Item& item, const FileRef& file) {
  const PollEvents ready = context == nullptr ? file->Poll() : file->PollBy(*context);
  return ready & item.events & ~kModes;
}

EpollFile::Item* EpollFile::FindLocked(int fd, const FileRef& file) {
  auto found = items_.find(Key(fd, file.get()));
  if (found == items_.end()) return nullptr;
  // Another file at the address of one that was closed.
  if (found->second->file.lock() != file) return nullptr;
  return found->second.get();
}

void EpollFile::ForgetClosedFiles() {
  absl::MutexLock lock(&ready_mutex_);
  absl::erase_if(items_, [this](auto& entry) {
    ready_mutex_.AssertHeld();
    Item& item = *entry.second;
    if (!item.file.expired()) return false;
    if (item.ready) ready_.erase(item.position);
    return true;
  });
}

Status EpollFile::CheckNesting(File& file, int depth) {
  auto* inner = dynamic_cast<EpollFile*>(&file);
  if (inner == nullptr) return Ok();
  if (inner == this || depth >= kMaxNesting) return Error(ELOOP);
  std::vector<FileRef> watched;
  {
    absl::MutexLock lock(&inner->mutex_);
    for (const auto& [key, item] : inner->items_) {
      if (FileRef next = item->file.lock(); next != nullptr) watched.push_back(std::move(next));
    }
  }
  for (const FileRef& next : watched) TRY(CheckNesting(*next, depth + 1));
  return Ok();
}

Status EpollFile::CheckEvents(const FileRef& file, const epoll_event& event, bool add) {
  if (file.get() == this) return Error(EINVAL);
  if (!file->pollable()) return Error(EPERM);
  if ((event.events & EPOLLEXCLUSIVE) == 0) return Ok();
  constexpr PollEvents kAllowed = EPOLLIN | EPOLLOUT | kAlways | EPOLLWAKEUP | EPOLLET |
                                  EPOLLEXCLUSIVE | EPOLLRDNORM | EPOLLWRNORM;
  if (!add || (event.events & ~kAllowed) != 0) return Error(EINVAL);
  if (dynamic_cast<EpollFile*>(file.get()) != nullptr) return Error(EINVAL);
  return Ok();
}

Status EpollFile::Add(Context& context, int fd, const FileRef& file, const epoll_event& event) {
  TRY(CheckEvents(file, event, /*add=*/true));
  absl::MutexLock nesting(&NestingMutex());
  TRY(CheckNesting(*file, 0));
  absl::MutexLock lock(&mutex_);
  if (FindLocked(fd, file) != nullptr) return Error(EEXIST);
  if (items_.size() == items_.capacity() || items_.contains(Key(fd, file.get()))) {
    ForgetClosedFiles();
  }
  auto item = std::make_unique<Item>(*this, Key(fd, file.get()), file, event);
  if (WaitQueue* queue = file->wait_queue(); queue != nullptr) queue->Register(item->entry);
  Item& added = *item;
  items_[added.key] = std::move(item);
  if (Ask(&context, added, file) != 0) MarkReady(added);
  return Ok();
}

Status EpollFile::Modify(Context& context, int fd, const FileRef& file, const epoll_event& event) {
  TRY(CheckEvents(file, event, /*add=*/false));
  absl::MutexLock lock(&mutex_);
  Item* item = FindLocked(fd, file);
  if (item == nullptr) return Error(ENOENT);
  if ((item->events & EPOLLEXCLUSIVE) != 0) return Error(EINVAL);
  {
    absl::MutexLock ready_lock(&ready_mutex_);
    item->events = event.events | kAlways;
    item->data = event.data.u64;
    item->armed = true;
  }
  if (Ask(&context, *item, file) != 0) MarkReady(*item);
  return Ok();
}

Status EpollFile::Remove(int fd, const FileRef& file) {
  std::unique_ptr<Item> removed;
  absl::MutexLock lock(&mutex_);
  Item* item = FindLocked(fd, file);
  if (item == nullptr) return Error(ENOENT);
  // No notification once the entry has left the file's queue.
  item->entry.Unregister();
  {
    absl::MutexLock ready_lock(&ready_mutex_);
    if (item->ready) ready_.erase(item->position);
  }
  auto found = items_.find(item->key);
  removed = std::move(found->second);
  items_.erase(found);
  return Ok();
}

size_t EpollFile::Collect(Context& context, std::span<epoll_event> events) {
  absl::MutexLock lock(&mutex_);
  std::list<Item*> candidates;
  {
    absl::MutexLock ready_lock(&ready_mutex_);
    candidates.swap(ready_);
    for (Item* item : candidates) item->ready = false;
  }
  size_t count = 0;
  // Ready ones that stay ready go to the end, so that all get their turn.
  std::vector<Item*> again;
  std::vector<Key> closed;
  auto candidate = candidates.begin();
  for (; candidate != candidates.end() && count < events.size(); ++candidate) {
    Item& item = **candidate;
    FileRef file = item.file.lock();
    if (file == nullptr) {
      closed.push_back(item.key);
      continue;
    }
    if (!item.armed) continue;
    PollEvents ready = Ask(&context, item, file);
    if (ready == 0) continue;
    events[count++] = epoll_event{.events = ready, .data = {.u64 = item.data}};
    if ((item.events & EPOLLONESHOT) != 0) {
      absl::MutexLock ready_lock(&ready_mutex_);
      item.armed = false;
    } else if ((item.events & EPOLLET) == 0) {
      again.push_back(&item);
    }
  }
  bool more = false;
  {
    absl::MutexLock ready_lock(&ready_mutex_);
    auto put_back = [this](Item* item, std::list<Item*>::iterator where) {
      ready_mutex_.AssertHeld();
      if (item->ready || !item->armed) return;
      item->ready = true;
      item->position = ready_.insert(where, item);
    };
    // Those that found no room come first next time.
    auto front = ready_.begin();
    for (; candidate != candidates.end(); ++candidate) {
      put_back(*candidate, front);
      more = true;
    }
    for (Item* item : again) put_back(item, ready_.end());
  }
  for (const Key& key : closed) items_.erase(key);
  // Another waiter may take what is left.
  if (more) wait_queue_.Notify(EPOLLIN | EPOLLRDNORM);
  return count;
}

PollEvents EpollFile::FirstReady(Context* context) {
  absl::MutexLock lock(&mutex_);
  std::vector<Item*> candidates;
  {
    absl::MutexLock ready_lock(&ready_mutex_);
    candidates.assign(ready_.begin(), ready_.end());
  }
  PollEvents answer = 0;
  for (Item* item : candidates) {
    FileRef file = item->file.lock();
    if (file != nullptr && item->armed && Ask(context, *item, file) != 0) {
      answer = EPOLLIN | EPOLLRDNORM;
      break;
    }
  }
  return answer;
}

Result<FileRef> EpollFile::Target(uint32_t fd, uint32_t offset) {
  std::map<const File*, FileRef> found;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [key, item] : items_) {
      if (key.first != static_cast<int>(fd)) continue;
      if (FileRef file = item->file.lock(); file != nullptr) found[file.get()] = std::move(file);
    }
  }
  if (offset >= found.size()) return Error(ENOENT);
  return std::next(found.begin(), offset)->second;
}

std::string EpollFile::FdInfo() const {
  struct Watched {
    int fd;
    PollEvents events;
    uint64_t data;
    FileRef file;
  };
  std::vector<Watched> all;  // asked without the lock, as files have locks of their own
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [key, item] : items_) {
      FileRef file = item->file.lock();
      if (file != nullptr) all.push_back({key.first, item->events, item->data, std::move(file)});
    }
  }
  std::string text;
  for (const Watched& watched : all) {
    const Result<Attributes> attributes = watched.file->GetAttributes();
    absl::StrAppendFormat(
        &text, "tfd: %8d events: %8x data: %16x  pos:%d ino:%x sdev:%x\n", watched.fd,
        watched.events, watched.data, static_cast<int64_t>(watched.file->position()),
        attributes.ok() ? attributes->ino : 0,
        watched.file->inode() != nullptr ? DeviceInKernel(watched.file->inode()->filesystem().dev())
                                         : 0);
  }
  return text;
}

}  // namespace runsc::boot
