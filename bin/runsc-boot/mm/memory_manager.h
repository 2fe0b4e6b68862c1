// What the kernel must know of an application's memory. The host is the MMU:
// anonymous memory never comes here (DESIGN.md section 5).
#ifndef RUNSC_BOOT_MM_MEMORY_MANAGER_H_
#define RUNSC_BOOT_MM_MEMORY_MANAGER_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/auth/credentials.h"
#include "bin/runsc-boot/mm/attachable.h"
#include "bin/runsc-boot/platform/platform.h"
#include "bin/runsc-boot/vfs/file.h"
#include "bin/runsc-boot/vfs/path.h"
#include "common/result.h"

namespace runsc::boot {

// The number that a segment of shared memory has in the stub while it is mapped.
constexpr int kAttachFd = 202;

// One per address space; shared by tasks with CLONE_VM. Thread-safe.
class MemoryManager {
 public:
  explicit MemoryManager(std::shared_ptr<platform::AddressSpace> address_space);

  platform::AddressSpace& address_space() const { return *address_space_; }

  // Copies all of `size` bytes or fails with EFAULT.
  Status CopyIn(uint64_t address, void* buffer, size_t size) const;
  Status CopyOut(uint64_t address, const void* buffer, size_t size) const;
  // A NUL-terminated string of at most `limit` bytes without the NUL.
  // ENAMETOOLONG when there is no NUL within limit; EFAULT.
  Result<std::string> CopyInString(uint64_t address, size_t limit) const;

  // Facts for /proc/PID/{exe,cmdline,environ,auxv,stat}; set by exec.
  struct Image {
    Path executable;
    std::shared_ptr<const WriteDenial> write_denial;  // of the executable
    uint64_t code_start = 0, code_end = 0, data_start = 0, data_end = 0;
    uint64_t stack_start = 0;
    uint64_t arg_start = 0, arg_end = 0, env_start = 0, env_end = 0;
    uint64_t entry = 0, brk_start = 0;
    std::vector<uint64_t> auxv;
  };
  Image image() const;
  void set_image(Image image);

  // File mappings by host (device, inode), so that /proc/PID/maps can name what
  // the host's table shows. Kept as long as the address space lives.
  void NoteFileMapping(dev_t host_dev, ino_t host_ino, Path path);
  Path FindFileMapping(dev_t host_dev, ino_t host_ino) const;

  // Memory that has been attached (shmat(2)) from a file of the host; it may have
  // been unmapped since.
  void NoteAttachment(const HostFileId& file, const std::shared_ptr<Attachable>& attached);
  bool HasAttached(const HostFileId& file) const;
  // Null: it does not exist any more, though it may still be mapped.
  std::shared_ptr<Attachable> FindAttachment(const HostFileId& file) const;
  // Those that still exist.
  std::vector<std::shared_ptr<Attachable>> attachments() const;
  bool has_attachments() const { return has_attachments_.load(std::memory_order_relaxed); }
  // Held while the stub maps the file that lies at number kAttachFd of its host
  // descriptors: a segment, or what the application has at that number itself.
  absl::Mutex& attach_mutex() ABSL_LOCK_RETURNED(attach_mutex_) { return attach_mutex_; }

  // --- Who may look into it, see kernel/ptrace_access.h.
  // PR_SET_DUMPABLE: 0, 1 or 2.
  int dumpable() const { return dumpable_.load(std::memory_order_relaxed); }
  void set_dumpable(int value) { dumpable_.store(value, std::memory_order_relaxed); }
  // Of whoever executed the program, whatever namespace it has entered since;
  // null: the first one.
  UserNamespaceRef user_namespace() const;
  void set_user_namespace(UserNamespaceRef user_namespace);

  // For fork: the same facts over a new address space.
  std::shared_ptr<MemoryManager> CloneFor(
      std::shared_ptr<platform::AddressSpace> address_space) const;

 private:
  const std::shared_ptr<platform::AddressSpace> address_space_;
  absl::Mutex attach_mutex_;
  mutable absl::Mutex mutex_;
  Image image_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<dev_t, ino_t>, Path> file_mappings_ ABSL_GUARDED_BY(mutex_);
  std::map<HostFileId, std::weak_ptr<Attachable>> attachments_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> has_attachments_{false};
  UserNamespaceRef user_namespace_ ABSL_GUARDED_BY(mutex_);
  std::atomic<int> dumpable_{1};
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_MM_MEMORY_MANAGER_H_
