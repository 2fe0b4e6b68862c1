// The shared memory segments of an ipc namespace: shmget(2), shmat(2),
// shmctl(2).
//
// A segment is a file of the tmpfs behind memfds, which processes map natively.
// How often it is attached only the host knows (mm/attachable.h); so a segment
// that waits for its last detachment goes when one of these calls, or the end of
// a process that had attached it, finds that it is attached no more.
//
// One lock for all segments of a namespace; a leaf but for that tmpfs. Counts
// are taken without it.
#ifndef RUNSC_BOOT_IPC_SYSV_SHARED_MEMORY_H_
#define RUNSC_BOOT_IPC_SYSV_SHARED_MEMORY_H_

#include <sys/shm.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/ipc_sysv/id_table.h"
#include "bin/runsc-boot/ipc_sysv/memory_budget.h"
#include "bin/runsc-boot/mm/attachable.h"
#include "bin/runsc-boot/vfs/file.h"

namespace runsc::boot::sysv {

class SharedMemory : public std::enable_shared_from_this<SharedMemory> {
 public:
  class Segment;
  using SegmentRef = std::shared_ptr<Segment>;

  explicit SharedMemory(MemoryBudgetRef budget) : budget_(std::move(budget)) {}

  // /proc/sys/kernel/{shmmax,shmall,shmmni,shm_rmid_forced}.
  struct Limits {
    uint64_t segment = ~uint64_t{0} - (uint64_t{1} << 24);  // bytes
    uint64_t pages = ~uint64_t{0} - (uint64_t{1} << 24);
    int segments = 4096;
    bool remove_orphans = false;
  };
  Limits limits() const ABSL_LOCKS_EXCLUDED(mutex_);
  void set_limits(const Limits& limits) ABSL_LOCKS_EXCLUDED(mutex_);

  // Makes the file of a segment with this name and inode number, opened for
  // reading and writing.
  using MakeFile = std::function<Result<FileRef>(const std::string& name, uint64_t size, int id)>;
  // `creator`: the task, only compared. EINVAL, ENOSPC, ENOMEM, ENOENT, EEXIST,
  // EACCES, EPERM.
  Result<int> Get(const Caller& caller, key_t key, uint64_t size, int flags, const void* creator,
                  const MakeFile& make) ABSL_LOCKS_EXCLUDED(mutex_);

  // A segment on its way into a process; it stays meanwhile.
  class Attachment {
   public:
    Attachment(SegmentRef segment, FileRef file, uint64_t size)
        : segment_(std::move(segment)), file_(std::move(file)), size_(size) {}
    Attachment(Attachment&&) = default;
    ~Attachment();
    const FileRef& file() const { return file_; }
    uint64_t size() const { return size_; }
    std::shared_ptr<Attachable> segment() const;
    // It is mapped, from a host file with this identity.
    void Done(pid_t pid, const HostFileId& host);

   private:
    friend class SharedMemory;

    SegmentRef segment_;
    FileRef file_;
    uint64_t size_;
  };
  // `wanted`: permission bits. EINVAL, EACCES.
  Result<Attachment> Attach(Context& context, const Caller& caller, int id, unsigned wanted,
                            bool writable) ABSL_LOCKS_EXCLUDED(mutex_);

  // --- shmctl(2). Objects by id, or by index for SHM_STAT and SHM_STAT_ANY.
  Result<std::pair<int, shmid_ds>> Stat(const Caller& caller, int id, Naming naming,
                                        const AttachmentCounter& count) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  Status Set(const Caller& caller, int id, const shmid_ds& wanted) ABSL_LOCKS_EXCLUDED(mutex_);
  // The segment goes with its last detachment: call Sweep. EINVAL, EPERM.
  Status Remove(const Caller& caller, int id) ABSL_LOCKS_EXCLUDED(mutex_);
  // SHM_LOCK and SHM_UNLOCK. `limit`: RLIMIT_MEMLOCK in bytes. EPERM, ENOMEM.
  Status Lock(const Caller& caller, int id, bool lock, uint64_t limit) ABSL_LOCKS_EXCLUDED(mutex_);
  std::pair<int, shminfo> Info() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::pair<int, shm_info> Usage() const ABSL_LOCKS_EXCLUDED(mutex_);

  // What /proc/sysvipc/shm says of one segment; process ids are the kernel's.
  struct Row {
    Permissions permissions;  // the mode with SHM_DEST and SHM_LOCKED
    uint64_t size = 0, attached = 0, resident = 0;
    pid_t creator = 0, last = 0;
    time_t attach_time = 0, detach_time = 0, change_time = 0;
  };
  std::vector<Row> Rows(const AttachmentCounts& counts) const ABSL_LOCKS_EXCLUDED(mutex_);

  // Lets go of what has waited for its last detachment. `count` is asked only
  // when something waits.
  void Sweep(const AttachmentCounter& count) ABSL_LOCKS_EXCLUDED(mutex_);
  // The task that made segments ends: true when it had made any.
  bool CreatorEnds(const void* creator) ABSL_LOCKS_EXCLUDED(mutex_);
  bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }

 private:
  Result<SegmentRef> Make(const Caller& caller, key_t key, uint64_t size, int flags,
                          const void* creator, const MakeFile& make)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsDoomed(const Segment& segment) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool NeedsSweep() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  static uint64_t CountOf(const Segment& segment, const AttachmentCounts& counts);

  const MemoryBudgetRef budget_;
  mutable absl::Mutex mutex_;
  Limits limits_ ABSL_GUARDED_BY(mutex_);
  IdTable<Segment> segments_ ABSL_GUARDED_BY(mutex_);
  uint64_t pages_ ABSL_GUARDED_BY(mutex_) = 0;  // of all segments
  int removed_ ABSL_GUARDED_BY(mutex_) = 0;     // IPC_RMID: of those still there
  // Changes with every attachment: counts from before it mean nothing.
  uint64_t attachments_ ABSL_GUARDED_BY(mutex_) = 0;
  std::atomic<int> count_{0};  // of segments
};

// Its state is guarded by the lock of its namespace.
class SharedMemory::Segment final : public Attachable,
                                    public std::enable_shared_from_this<Segment> {
 public:
  explicit Segment(std::weak_ptr<SharedMemory> where) : where_(std::move(where)) {}

  uint64_t size() const override { return size_; }
  void OnFork(pid_t parent) override;
  void OnEnd(pid_t process) override;
  void AfterEnd(const AttachmentCounter& count) override;

  Permissions permissions;  // what the table of ids wants to see

 private:
  friend class SharedMemory;
  friend class SharedMemory::Attachment;

  const std::weak_ptr<SharedMemory> where_;
  FileRef file_;
  MemoryCharge charge_;
  uint64_t size_ = 0;  // constant
  bool removed_ = false, locked_ = false;
  bool was_attached_ = false;
  int attaching_ = 0;
  std::optional<HostFileId> host_;  // once it has been attached
  const void* creator_task_ = nullptr;
  pid_t creator_ = 0, last_ = 0;
  time_t attach_time_ = 0, detach_time_ = 0, change_time_ = 0;
};

}  // namespace runsc::boot::sysv

#endif  // RUNSC_BOOT_IPC_SYSV_SHARED_MEMORY_H_
