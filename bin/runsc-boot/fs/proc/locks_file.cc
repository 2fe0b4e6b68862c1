// /proc/locks: the advisory locks of the files that processes have open, without
// those who wait for one.
#include <sys/sysmacros.h>

#include <set>

#include "absl/strings/str_format.h"
#include "bin/runsc-boot/fs/proc/root_directory.h"
#include "bin/runsc-boot/vfs/file_locks.h"

namespace runsc::boot::proc {
namespace {

// The inodes of all open files, each once.
std::set<InodeRef> OpenInodes(Kernel& kernel) {
  std::set<const FdTable*> tables;
  std::set<InodeRef> inodes;
  for (const ThreadGroupRef& group : kernel.Groups()) {
    for (const TaskRef& task : group->tasks()) {
      const std::shared_ptr<FdTable> table = task->fds_ref();
      if (table == nullptr || !tables.insert(table.get()).second) continue;
      for (int fd : table->Numbers()) {
        const Result<FileRef> file = table->Get(fd);
        if (file.ok() && (*file)->inode() != nullptr) inodes.insert((*file)->inode());
      }
    }
  }
  return inodes;
}

std::string Describe(const ShownLock& lock, pid_t shown_pid, const Attributes& attributes) {
  using enum ShownLock::Kind;
  const char* kind = lock.kind == kWhole ? "FLOCK " : lock.kind == kRecord ? "POSIX " : "OFDLCK";
  std::string text =
      absl::StrFormat("%s ADVISORY  %s %d %02x:%02x:%u ", kind, lock.exclusive ? "WRITE" : "READ",
                      shown_pid, major(attributes.dev), minor(attributes.dev), attributes.ino);
  absl::StrAppendFormat(&text, "%u ", lock.range.begin);
  if (lock.range.end == LockRange::kToEnd) return text + "EOF\n";
  return text + absl::StrFormat("%u\n", lock.range.end - 1);
}

}  // namespace

Result<std::string> GenerateLocks(ProcFilesystem& filesystem) {
  std::string text;
  int number = 0;
  for (const InodeRef& inode : OpenInodes(filesystem.kernel())) {
    const std::vector<ShownLock> locks = inode->locks().List();
    if (locks.empty()) continue;
    Result<Attributes> attributes = inode->GetAttributes();
    if (!attributes.ok()) continue;
    attributes->dev = inode->filesystem().dev();
    for (const ShownLock& lock : locks) {
      // As Linux: not those of processes that /proc does not show.
      const pid_t pid = lock.pid < 0 ? -1 : FromKernelPid(filesystem.pid_namespace(), lock.pid);
      if (pid == 0) continue;
      absl::StrAppendFormat(&text, "%d: %s", ++number, Describe(lock, pid, *attributes));
    }
  }
  return text;
}

}  // namespace runsc::boot::proc
