#include "bin/runsc-boot/kernel/directory_notify.h"

#include <fcntl.h>
#include <sys/inotify.h>

#include <utility>

#include "bin/runsc-boot/vfs/watch.h"

namespace runsc::boot {
namespace {

uint32_t EventsOf(uint32_t inotify) {
  uint32_t events = 0;
  if ((inotify & IN_ACCESS) != 0) events |= DN_ACCESS;
  if ((inotify & IN_MODIFY) != 0) events |= DN_MODIFY;
  if ((inotify & IN_ATTRIB) != 0) events |= DN_ATTRIB;
  if ((inotify & (IN_CREATE | IN_MOVED_TO)) != 0) events |= DN_CREATE;
  if ((inotify & (IN_DELETE | IN_MOVED_FROM)) != 0) events |= DN_DELETE;
  return events;
}

}  // namespace

class DirectoryNotify::Request final : public Watch {
 public:
  Request(InodeRef directory, const FdTable& table, Notify notify)
      : Watch(std::move(directory)), table_(&table), notify_(std::move(notify)) {}

  bool IsOf(const FdTable& table) const { return table_ == &table; }

  void Extend(int fd, uint32_t events) {
    absl::MutexLock lock(&mutex_);
    fd_ = fd;
    events_ |= events;
  }

  void Deliver(const WatchEvent& event) override {
    if (Takes(EventsOf(event.mask))) notify_(fd());
    if (IsRename(event) && Takes(DN_RENAME)) notify_(fd());
  }
  void End(uint32_t) override {}

 private:
  // Whether it has been asked for `events`; without DN_MULTISHOT, once.
  bool Takes(uint32_t events) {
    absl::MutexLock lock(&mutex_);
    if ((events_ & events) == 0) return false;
    if ((events_ & DN_MULTISHOT) == 0) events_ = 0;
    return true;
  }

  // DN_RENAME means from one name to another of this directory.
  bool IsRename(const WatchEvent& event) {
    absl::MutexLock lock(&mutex_);
    if ((event.mask & IN_MOVED_FROM) != 0) moved_from_ = event.cookie;
    return (event.mask & IN_MOVED_TO) != 0 && event.cookie == moved_from_;
  }

  int fd() {
    absl::MutexLock lock(&mutex_);
    return fd_;
  }

  const FdTable* const table_;  // only for its identity
  const Notify notify_;
  absl::Mutex mutex_;  // a leaf
  int fd_ ABSL_GUARDED_BY(mutex_) = -1;
  uint32_t events_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t moved_from_ ABSL_GUARDED_BY(mutex_) = 0;
};

void DirectoryNotify::Add(const InodeRef& directory, const FdTable& table, int fd, uint32_t events,
                          const Notify& notify) {
  absl::MutexLock lock(&mutex_);
  for (const auto& request : requests_) {
    if (request->IsOf(table)) return request->Extend(fd, events);
  }
  auto request = std::make_shared<Request>(directory, table, notify);
  request->Extend(fd, events);
  requests_.push_back(request);
  directory->filesystem().watches().Add(std::move(request));
}

void DirectoryNotify::Remove(const FdTable& table) {
  absl::MutexLock lock(&mutex_);
  std::erase_if(requests_, [&table](const std::shared_ptr<Request>& request) {
    if (!request->IsOf(table)) return false;
    request->inode()->filesystem().watches().Remove(*request);
    return true;
  });
}

void DirectoryNotify::RemoveAll() {
  absl::MutexLock lock(&mutex_);
  for (const auto& request : requests_) request->inode()->filesystem().watches().Remove(*request);
  requests_.clear();
}

}  // namespace runsc::boot
