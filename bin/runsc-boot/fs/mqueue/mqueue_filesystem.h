// mqueue: the POSIX message queues of an ipc namespace by their names, as
// mq_open(3) and the file system at /dev/mqueue find them (mq_overview(7)).
#ifndef RUNSC_BOOT_FS_MQUEUE_MQUEUE_FILESYSTEM_H_
#define RUNSC_BOOT_FS_MQUEUE_MQUEUE_FILESYSTEM_H_

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/fs/mqueue/queue.h"
#include "bin/runsc-boot/fs/mqueue/quota.h"
#include "bin/runsc-boot/fs/mqueue/settings.h"
#include "bin/runsc-boot/fs/pseudo/inode.h"
#include "bin/runsc-boot/vfs/file.h"

namespace runsc::boot::mqueue {

class QueueInode;

// One per ipc namespace, however often it is mounted.
class MqueueFilesystem final : public pseudo::PseudoFilesystem {
 public:
  // What all of them in a sandbox count together.
  struct Accounts {
    MemoryBudgetRef memory;
    QuotaRef quota;
  };
  // The root directory belongs to `uid` and `gid`.
  static std::shared_ptr<MqueueFilesystem> Make(uid_t uid, gid_t gid, Accounts accounts);

  Settings& settings() { return settings_; }
  // Its namespace ends: what only names keep goes.
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

  // mq_open(2). `mode`: permissions without the umask's; `size`: for a new queue,
  // else the default; `limit`: RLIMIT_MSGQUEUE in bytes. ENOENT, EEXIST, EACCES,
  // EINVAL, ENAMETOOLONG, ENOSPC, EMFILE.
  struct OpenRequest {
    std::string_view name;
    int flags = 0;
    mode_t mode = 0;
    std::optional<QueueSize> size;
    uint64_t limit = 0;
  };
  Result<FileRef> Open(Context& context, const OpenRequest& request) ABSL_LOCKS_EXCLUDED(mutex_);
  // mq_unlink(2). ENOENT, EACCES, ENAMETOOLONG.
  Status Unlink(Context& context, std::string_view name) ABSL_LOCKS_EXCLUDED(mutex_);

  // --- For the directory.
  struct Name {
    std::string name;
    int64_t key;  // ascending, never used twice
    uint64_t ino;
  };
  std::vector<Name> Names() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::shared_ptr<QueueInode> Find(std::string_view name) const ABSL_LOCKS_EXCLUDED(mutex_);
  Result<std::shared_ptr<QueueInode>> Create(const Credentials& creator, std::string_view name,
                                             const NewInode& node,
                                             const std::optional<QueueSize>& size, uint64_t limit)
      ABSL_LOCKS_EXCLUDED(mutex_);
  Status Remove(std::string_view name) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  friend class QueueInode;

  MqueueFilesystem(dev_t dev, Accounts accounts);
  Result<QueueSize> SizeFor(const Credentials& creator, const std::optional<QueueSize>& wanted);

  const Accounts accounts_;
  Settings settings_;
  std::atomic<int> queues_{0};  // also those without a name
  mutable absl::Mutex mutex_;
  struct Entry {
    int64_t key;
    std::shared_ptr<QueueInode> inode;
  };
  std::map<std::string, Entry, std::less<>> entries_ ABSL_GUARDED_BY(mutex_);
  int64_t next_key_ ABSL_GUARDED_BY(mutex_) = 2;
};

// A queue behind a descriptor; null for files of other kinds.
QueueRef QueueOf(const File& file);

}  // namespace runsc::boot::mqueue

#endif  // RUNSC_BOOT_FS_MQUEUE_MQUEUE_FILESYSTEM_H_
