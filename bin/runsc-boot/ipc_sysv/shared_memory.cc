#include "bin/runsc-boot/ipc_sysv/shared_memory.h"

#include <sys/sysinfo.h>

#include <algorithm>
#include <ctime>

#include "absl/strings/str_format.h"

namespace runsc::boot::sysv {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kMostFileSize = (uint64_t{1} << 63) - 1;

// What a segment takes of boot's memory, with its file and names.
constexpr size_t kSegmentBytes = 1536;

constexpr uint64_t PagesOf(uint64_t size) { return size / kPage + (size % kPage != 0 ? 1 : 0); }

// What Linux refuses to promise without SHM_NORESERVE: more than there is.
bool ExceedsMemory(uint64_t pages) {
  struct sysinfo info {};
  sysinfo(&info);
  return pages > (info.totalram + info.totalswap) * info.mem_unit / kPage;
}

}  // namespace

SharedMemory::Limits SharedMemory::limits() const {
  absl::MutexLock lock(&mutex_);
  return limits_;
}

void SharedMemory::set_limits(const Limits& limits) {
  absl::MutexLock lock(&mutex_);
  limits_ = limits;
}

Result<SharedMemory::SegmentRef> SharedMemory::Make(const Caller& caller, key_t key, uint64_t size,
                                                    int flags, const void* creator,
                                                    const MakeFile& make) {
  if (size == 0 || size > limits_.segment) return Error(EINVAL);
  const uint64_t pages = PagesOf(size);
  uint64_t sum = 0;
  if (__builtin_add_overflow(pages_, pages, &sum) || sum > limits_.pages) return Error(ENOSPC);
  if ((flags & SHM_HUGETLB) != 0) {
    // There are none: vm.nr_hugepages is 0.
    return Error(caller.credentials.HasInitially(CAP_IPC_LOCK) ? ENOMEM : EPERM);
  }
  if (size > kMostFileSize) return Error(EINVAL);
  if ((flags & SHM_NORESERVE) == 0 && ExceedsMemory(pages)) return Error(ENOMEM);
  auto segment = std::make_shared<Segment>(weak_from_this());
  TRY_ASSIGN(segment->charge_, budget_->Take(kSegmentBytes));
  segment->permissions = Permissions::Of(caller, key, flags);
  segment->size_ = size;
  segment->creator_ = caller.pid;
  segment->creator_task_ = creator;
  segment->change_time_ = time(nullptr);
  TRY(segments_.Add(segment, limits_.segments));
  const std::string name = absl::StrFormat("/SYSV%08x (deleted)", static_cast<unsigned>(key));
  Result<FileRef> file = make(name, size, segment->permissions.id);
  if (!file.ok()) {
    segments_.Remove(*segment);
    return std::move(file).error();
  }
  segment->file_ = *std::move(file);
  pages_ = sum;
  count_.fetch_add(1, std::memory_order_relaxed);
  return segment;
}

Result<int> SharedMemory::Get(const Caller& caller, key_t key, uint64_t size, int flags,
                              const void* creator, const MakeFile& make) {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const std::optional<int> known,
             FindObject(segments_, caller, key, flags, [size](const Segment& segment) {
               return size > segment.size_ ? Status(Error(EINVAL)) : Ok();
             }));
  if (known.has_value()) return *known;
  TRY_ASSIGN(const SegmentRef made, Make(caller, key, size, flags, creator, make));
  return made->permissions.id;
}

Result<SharedMemory::Attachment> SharedMemory::Attach(Context& context, const Caller& caller,
                                                      int id, unsigned wanted, bool writable) {
  SegmentRef segment;
  {
    absl::MutexLock lock(&mutex_);
    TRY_ASSIGN(segment, segments_.Find(id));
    TRY(CheckAccess(caller, segment->permissions, wanted));
    ++segment->attaching_;
    ++attachments_;
  }
  Attachment attachment(segment, segment->file_, segment->size_);
  if (!writable) {
    const FileRef& file = segment->file_;
    TRY_ASSIGN(attachment.file_, file->inode()->Open(context, file->path(), O_RDONLY));
  }
  return attachment;
}

SharedMemory::Attachment::~Attachment() {
  if (segment_ == nullptr) return;
  const std::shared_ptr<SharedMemory> where = segment_->where_.lock();
  if (where == nullptr) return;
  absl::MutexLock lock(&where->mutex_);
  --segment_->attaching_;
}

std::shared_ptr<Attachable> SharedMemory::Attachment::segment() const { return segment_; }

void SharedMemory::Attachment::Done(pid_t pid, const HostFileId& host) {
  const std::shared_ptr<SharedMemory> where = segment_->where_.lock();
  if (where == nullptr) return;
  absl::MutexLock lock(&where->mutex_);
  segment_->host_ = host;
  segment_->was_attached_ = true;
  segment_->last_ = pid;
  segment_->attach_time_ = time(nullptr);
}

uint64_t SharedMemory::CountOf(const Segment& segment, const AttachmentCounts& counts) {
  if (!segment.host_.has_value()) return 0;
  auto found = counts.find(*segment.host_);
  return found == counts.end() ? 0 : found->second;
}

std::vector<SharedMemory::Row> SharedMemory::Rows(const AttachmentCounts& counts) const {
  std::vector<Row> rows;
  absl::MutexLock lock(&mutex_);
  for (const SegmentRef& segment : segments_.All()) {
    Row row;
    row.permissions = segment->permissions;
    if (segment->removed_) row.permissions.mode |= SHM_DEST;
    if (segment->locked_) row.permissions.mode |= SHM_LOCKED;
    row.size = segment->size_;
    row.attached = CountOf(*segment, counts);
    if (Result<Attributes> attributes = segment->file_->GetAttributes(); attributes.ok()) {
      row.resident = attributes->blocks * 512;
    }
    row.creator = segment->creator_;
    row.last = segment->last_;
    row.attach_time = segment->attach_time_;
    row.detach_time = segment->detach_time_;
    row.change_time = segment->change_time_;
    rows.push_back(row);
  }
  return rows;
}

Result<std::pair<int, shmid_ds>> SharedMemory::Stat(const Caller& caller, int id, Naming naming,
                                                    const AttachmentCounter& count) const {
  SegmentRef segment;
  {
    absl::MutexLock lock(&mutex_);
    TRY_ASSIGN(segment, FindShown(segments_, caller, id, naming));
  }
  const AttachmentCounts counts = count();
  absl::MutexLock lock(&mutex_);
  shmid_ds shown{};
  shown.shm_perm = Show(caller.credentials, segment->permissions);
  if (segment->removed_) shown.shm_perm.mode |= SHM_DEST;
  if (segment->locked_) shown.shm_perm.mode |= SHM_LOCKED;
  shown.shm_segsz = segment->size_;
  shown.shm_atime = segment->attach_time_;
  shown.shm_dtime = segment->detach_time_;
  shown.shm_ctime = segment->change_time_;
  shown.shm_cpid = segment->creator_;
  shown.shm_lpid = segment->last_;
  shown.shm_nattch = CountOf(*segment, counts);
  return std::make_pair(segment->permissions.id, shown);
}

Status SharedMemory::Set(const Caller& caller, int id, const shmid_ds& wanted) {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const SegmentRef segment, FindOwned(segments_, caller, id));
  TRY(Change(caller.credentials, wanted.shm_perm, segment->permissions));
  segment->change_time_ = time(nullptr);
  return Ok();
}

Status SharedMemory::Remove(const Caller& caller, int id) {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const SegmentRef segment, FindOwned(segments_, caller, id));
  if (!segment->removed_) ++removed_;
  segment->removed_ = true;
  // Nobody finds it by its key any more, those excepted who have its id.
  segments_.ForgetKey(*segment);
  segment->permissions.key = IPC_PRIVATE;
  return Ok();
}

Status SharedMemory::Lock(const Caller& caller, int id, bool lock_it, uint64_t limit) {
  absl::MutexLock lock(&mutex_);
  TRY_ASSIGN(const SegmentRef segment, segments_.Find(id));
  const Credentials& who = caller.credentials;
  if (!who.HasIn(caller.owner, CAP_IPC_LOCK)) {
    const Permissions& permissions = segment->permissions;
    if (who.euid != permissions.uid && who.euid != permissions.creator_uid) return Error(EPERM);
    if (lock_it && limit == 0) return Error(EPERM);
  }
  if (lock_it && !segment->locked_ && !who.HasInitially(CAP_IPC_LOCK) &&
      PagesOf(segment->size_) * kPage > limit) {
    return Error(ENOMEM);
  }
  segment->locked_ = lock_it;
  return Ok();
}

std::pair<int, shminfo> SharedMemory::Info() const {
  absl::MutexLock lock(&mutex_);
  shminfo info{};
  info.shmmax = limits_.segment;
  info.shmmin = 1;
  info.shmmni = info.shmseg = static_cast<unsigned long>(limits_.segments);
  info.shmall = limits_.pages;
  return {segments_.highest_index(), info};
}

std::pair<int, shm_info> SharedMemory::Usage() const {
  shm_info usage{};
  for (const Row& row : Rows({})) usage.shm_rss += row.resident / kPage;
  absl::MutexLock lock(&mutex_);
  usage.used_ids = segments_.size();
  usage.shm_tot = pages_;
  return {segments_.highest_index(), usage};
}

bool SharedMemory::IsDoomed(const Segment& segment) const {
  if (segment.attaching_ > 0) return false;
  return segment.removed_ ||
         (limits_.remove_orphans && (segment.creator_task_ == nullptr || segment.was_attached_));
}

bool SharedMemory::NeedsSweep() const {
  if (removed_ == 0 && !limits_.remove_orphans) return false;
  for (const SegmentRef& segment : segments_.All()) {
    if (IsDoomed(*segment)) return true;
  }
  return false;
}

void SharedMemory::Sweep(const AttachmentCounter& count) {
  if (empty()) return;
  uint64_t attachments = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (!NeedsSweep()) return;
    attachments = attachments_;
  }
  const AttachmentCounts counts = count();
  std::vector<SegmentRef> gone;  // dropped without the lock
  absl::MutexLock lock(&mutex_);
  if (attachments != attachments_) return;
  for (const SegmentRef& segment : segments_.All()) {
    if (!IsDoomed(*segment) || CountOf(*segment, counts) > 0) continue;
    segments_.Remove(*segment);
    if (segment->removed_) --removed_;
    pages_ -= PagesOf(segment->size_);
    count_.fetch_sub(1, std::memory_order_relaxed);
    gone.push_back(segment);
  }
}

bool SharedMemory::CreatorEnds(const void* creator) {
  bool found = false;
  absl::MutexLock lock(&mutex_);
  for (const SegmentRef& segment : segments_.All()) {
    if (segment->creator_task_ != creator) continue;
    segment->creator_task_ = nullptr;
    found = true;
  }
  return found;
}

void SharedMemory::Segment::OnFork(pid_t parent) {
  const std::shared_ptr<SharedMemory> where = where_.lock();
  if (where == nullptr) return;
  absl::MutexLock lock(&where->mutex_);
  last_ = parent;
  attach_time_ = time(nullptr);
}

void SharedMemory::Segment::OnEnd(pid_t process) {
  const std::shared_ptr<SharedMemory> where = where_.lock();
  if (where == nullptr) return;
  absl::MutexLock lock(&where->mutex_);
  last_ = process;
  detach_time_ = time(nullptr);
}

void SharedMemory::Segment::AfterEnd(const AttachmentCounter& count) {
  if (const std::shared_ptr<SharedMemory> where = where_.lock()) where->Sweep(count);
}

}  // namespace runsc::boot::sysv
