#include "bin/runsc-boot/fs/mqueue/mqueue_filesystem.h"

#include <dirent.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/fs/pseudo/directory.h"
#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/device_numbers.h"
#include "bin/runsc-boot/vfs/io_buffer.h"
#include "bin/runsc-boot/vfs/permission.h"

namespace runsc::boot::mqueue {
namespace {

constexpr long kMqueueMagic = 0x19800202;
constexpr uint64_t kFileSize = 80;   // what stat(2) says of a queue
constexpr uint64_t kEntrySize = 20;  // what each adds to that of the directory
constexpr size_t kMaxName = 255;
// In bytes, for queues that are made by creat(2): such a caller's limit is not
// known here.
constexpr uint64_t kUsualLimit = 819200;

timespec Now() {
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now;
}

class QueueFile final : public File {
 public:
  QueueFile(const Path& path, int flags, QueueRef queue)
      : File(path, flags), queue_(std::move(queue)) {}

  const QueueRef& queue() const { return queue_; }
  bool seekable() const override { return true; }
  Result<size_t> PRead(Context&, IoBuffer& destination, uint64_t offset) override {
    const std::string text = queue_->Text();
    if (offset >= text.size()) return 0;
    return destination.Put(text.data() + offset,
                           std::min<size_t>(text.size() - offset, destination.remaining()));
  }
  Result<size_t> PWrite(Context&, IoBuffer&, uint64_t) override { return Error(EINVAL); }
  Result<uint64_t> Seek(Context&, int64_t offset, int whence) override {
    absl::MutexLock lock(&position_mutex());
    TRY_ASSIGN(position_, SeekTarget(position_, kFileSize, offset, whence));
    return position_;
  }
  PollEvents Poll() override { return queue_->Poll(); }
  WaitQueue* wait_queue() override { return &queue_->wait_queue(); }
  Status Flush(Context& context) override {
    queue_->Unregister(context.caller_pid());
    return Ok();
  }

 private:
  const QueueRef queue_;
};

}  // namespace

class QueueInode final : public Inode {
 public:
  QueueInode(std::shared_ptr<MqueueFilesystem> filesystem, uint64_t ino, const NewInode& node,
             const QueueSize& size, QuotaCharge charge, MemoryCharge memory)
      : Inode(*filesystem),
        mqueue_(std::move(filesystem)),
        queue_(std::make_shared<Queue>(size, mqueue_->accounts_.memory)),
        charge_(std::move(charge)),
        memory_(std::move(memory)) {
    mqueue_->queues_.fetch_add(1, std::memory_order_relaxed);
    attributes_.ino = ino;
    attributes_.mode = S_IFREG | (node.mode & 07777);
    attributes_.uid = node.uid;
    attributes_.gid = node.gid;
    attributes_.size = kFileSize;
    attributes_.dev = mqueue_->dev();
    attributes_.atime = attributes_.mtime = attributes_.ctime = Now();
  }
  ~QueueInode() override { mqueue_->queues_.fetch_sub(1, std::memory_order_relaxed); }

  Result<Attributes> GetAttributes() override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return attributes_;
  }
  Status SetAttributes(const AttributeChange& change) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (change.mode) attributes_.mode = S_IFREG | (*change.mode & 07777);
    if (change.uid) attributes_.uid = *change.uid;
    if (change.gid) attributes_.gid = *change.gid;
    if (change.atime) attributes_.atime = *change.atime;
    if (change.mtime) attributes_.mtime = *change.mtime;
    attributes_.ctime = Now();
    return Ok();
  }
  Result<FileRef> Open(Context&, const Path& path, int flags) override {
    return FileRef(std::make_shared<QueueFile>(path, flags, queue_));
  }
  void LoseName() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    attributes_.nlink = 0;
    attributes_.ctime = Now();
  }

 private:
  const std::shared_ptr<MqueueFilesystem> mqueue_;
  const QueueRef queue_;
  const QuotaCharge charge_;
  const MemoryCharge memory_;
  absl::Mutex mutex_;  // a leaf
  Attributes attributes_ ABSL_GUARDED_BY(mutex_);
};

namespace {

class RootDirectory final : public pseudo::DynamicDirectory {
 public:
  RootDirectory(MqueueFilesystem& filesystem, pseudo::Owner owner)
      : DynamicDirectory(filesystem, pseudo::kRootIno, S_ISVTX | 0777),
        mqueue_(filesystem),
        owner_(owner) {}

  Result<InodeRef> Lookup(Context&, std::string_view name,
                          std::span<const std::string_view>) override {
    std::shared_ptr<QueueInode> inode = mqueue_.Find(name);
    if (inode == nullptr) return Error(ENOENT);
    return InodeRef(std::move(inode));
  }
  Result<std::vector<pseudo::Entry>> List(Context&, int64_t from) override {
    std::vector<pseudo::Entry> entries;
    for (MqueueFilesystem::Name& name : mqueue_.Names()) {
      if (name.key >= from) entries.push_back({std::move(name.name), name.ino, DT_REG, name.key});
    }
    return entries;
  }
  Result<InodeRef> Create(Context& context, std::string_view name, const NewInode& node) override {
    if (!S_ISREG(node.mode)) return Error(EPERM);
    TRY_ASSIGN(std::shared_ptr<QueueInode> inode,
               mqueue_.Create(*context.credentials(), name, node, std::nullopt, kUsualLimit));
    return InodeRef(std::move(inode));
  }
  Status Unlink(std::string_view name, Inode&) override { return mqueue_.Remove(name); }

 protected:
  pseudo::Owner owner() override { return owner_; }
  uint64_t size() override { return mqueue_.Names().size() * kEntrySize; }

 private:
  MqueueFilesystem& mqueue_;
  const pseudo::Owner owner_;
};

// As names of single components are checked.
Status CheckName(std::string_view name) {
  if (name.empty()) return Error(ENOENT);
  if (name.size() > kMaxName) return Error(ENAMETOOLONG);
  if (name == "." || name == ".." || name.find('/') != std::string_view::npos) {
    return Error(EACCES);
  }
  return Ok();
}

unsigned AccessOf(int flags) {
  switch (flags & O_ACCMODE) {
    case O_RDONLY:
      return kRead;
    case O_WRONLY:
      return kWrite;
    default:
      return kRead | kWrite;
  }
}

}  // namespace

MqueueFilesystem::MqueueFilesystem(dev_t dev, Accounts accounts)
    : PseudoFilesystem({"mqueue", kMqueueMagic, dev, ""}), accounts_(std::move(accounts)) {}

std::shared_ptr<MqueueFilesystem> MqueueFilesystem::Make(uid_t uid, gid_t gid, Accounts accounts) {
  std::shared_ptr<MqueueFilesystem> made(
      new MqueueFilesystem(NewAnonymousDevice(), std::move(accounts)));
  made->SetRoot(std::make_shared<RootDirectory>(*made, pseudo::Owner{uid, gid}));
  return made;
}

void MqueueFilesystem::Close() {
  std::map<std::string, Entry, std::less<>> gone;  // dropped without the lock
  absl::MutexLock lock(&mutex_);
  gone.swap(entries_);
}

Result<QueueSize> MqueueFilesystem::SizeFor(const Credentials& creator,
                                            const std::optional<QueueSize>& wanted) {
  if (!wanted.has_value()) {
    return QueueSize{std::min(settings_.msg_max.load(), settings_.msg_default.load()),
                     std::min(settings_.msgsize_max.load(), settings_.msgsize_default.load())};
  }
  if (wanted->messages <= 0 || wanted->message_size <= 0) return Error(EINVAL);
  const bool free = creator.HasInitially(CAP_SYS_RESOURCE);
  const int messages = free ? kMostMessages : settings_.msg_max.load();
  const int size = free ? kMostMessageSize : settings_.msgsize_max.load();
  if (wanted->messages > messages || wanted->message_size > size) return Error(EINVAL);
  return *wanted;
}

Result<std::shared_ptr<QueueInode>> MqueueFilesystem::Create(const Credentials& creator,
                                                             std::string_view name,
                                                             const NewInode& node,
                                                             const std::optional<QueueSize>& wanted,
                                                             uint64_t limit) {
  if (queues_.load(std::memory_order_relaxed) >= settings_.queues_max.load() &&
      !creator.HasInitially(CAP_SYS_RESOURCE)) {
    return Error(ENOSPC);
  }
  TRY_ASSIGN(const QueueSize size, SizeFor(creator, wanted));
  TRY_ASSIGN(const uint64_t bytes, Quota::BytesOf(size));
  TRY_ASSIGN(QuotaCharge charge, accounts_.quota->Take(creator.ruid, bytes, limit));
  TRY_ASSIGN(MemoryCharge memory, accounts_.memory->Take(sizeof(QueueInode) + sizeof(Queue)));
  auto self = std::static_pointer_cast<MqueueFilesystem>(shared_from_this());
  absl::MutexLock lock(&mutex_);
  if (entries_.contains(name)) return Error(EEXIST);
  const int64_t key = next_key_++;
  auto inode = std::make_shared<QueueInode>(std::move(self), static_cast<uint64_t>(key), node, size,
                                            std::move(charge), std::move(memory));
  entries_.emplace(name, Entry{key, inode});
  return inode;
}

std::shared_ptr<QueueInode> MqueueFilesystem::Find(std::string_view name) const {
  absl::MutexLock lock(&mutex_);
  auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.inode;
}

std::vector<MqueueFilesystem::Name> MqueueFilesystem::Names() const {
  std::vector<Name> names;
  absl::MutexLock lock(&mutex_);
  for (const auto& [name, entry] : entries_) {
    names.push_back({name, entry.key, static_cast<uint64_t>(entry.key)});
  }
  std::sort(names.begin(), names.end(), [](const Name& a, const Name& b) { return a.key < b.key; });
  return names;
}

Status MqueueFilesystem::Remove(std::string_view name) {
  std::shared_ptr<QueueInode> gone;  // dropped without the lock
  absl::MutexLock lock(&mutex_);
  auto found = entries_.find(name);
  if (found == entries_.end()) return Error(ENOENT);
  gone = std::move(found->second.inode);
  gone->LoseName();
  entries_.erase(found);
  return Ok();
}

Result<FileRef> MqueueFilesystem::Open(Context& context, const OpenRequest& request) {
  TRY(CheckName(request.name));
  const CredentialsRef credentials = context.credentials();
  std::shared_ptr<QueueInode> inode = Find(request.name);
  if (inode == nullptr) {
    if ((request.flags & O_CREAT) == 0) return Error(ENOENT);
    TRY_ASSIGN(const Attributes directory, root()->GetAttributes());
    TRY(CheckPermission(*credentials, directory, kWrite | kExecute));
    NewInode node{
        .mode = S_IFREG | request.mode, .uid = credentials->fsuid, .gid = credentials->fsgid};
    auto made = Create(*credentials, request.name, node, request.size, request.limit);
    if (made.ok()) {
      inode = *std::move(made);
    } else if (made.code() == EEXIST && (request.flags & O_EXCL) == 0) {
      inode = Find(request.name);  // somebody was faster
      if (inode == nullptr) return Error(ENOENT);
    } else {
      return std::move(made).error();
    }
  } else {
    if ((request.flags & O_CREAT) != 0 && (request.flags & O_EXCL) != 0) return Error(EEXIST);
    if ((request.flags & O_ACCMODE) == O_ACCMODE) return Error(EINVAL);
    TRY_ASSIGN(const Attributes attributes, inode->GetAttributes());
    TRY(CheckPermission(*credentials, attributes, AccessOf(request.flags)));
  }
  const Path path{nullptr, std::make_shared<Dentry>(
                               nullptr, absl::StrCat("/", std::string(request.name)), inode)};
  constexpr int kNotKept = O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC;
  return inode->Open(context, path, request.flags & ~kNotKept);
}

Status MqueueFilesystem::Unlink(Context& context, std::string_view name) {
  TRY(CheckName(name));
  const std::shared_ptr<QueueInode> inode = Find(name);
  if (inode == nullptr) return Error(ENOENT);
  const CredentialsRef credentials = context.credentials();
  TRY_ASSIGN(const Attributes directory, root()->GetAttributes());
  TRY_ASSIGN(const Attributes victim, inode->GetAttributes());
  TRY(CheckPermission(*credentials, directory, kWrite | kExecute));
  TRY(CheckSticky(*credentials, directory, victim));
  return Remove(name);
}

QueueRef QueueOf(const File& file) {
  const auto* queue_file = dynamic_cast<const QueueFile*>(&file);
  return queue_file == nullptr ? nullptr : queue_file->queue();
}

}  // namespace runsc::boot::mqueue
