// The files that the client of a tree knows, by number.
#ifndef RUNSC_GOFER_HANDLE_TABLE_H_
#define RUNSC_GOFER_HANDLE_TABLE_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::gofer {

// A file as the gofer holds it: an O_PATH descriptor and the type of the file,
// which never changes.
struct HeldFile {
  FileDescriptor fd;
  mode_t type = 0;  // S_IFMT bits
};
using HeldFileRef = std::shared_ptr<const HeldFile>;

// Thread-safe. A number is never given out twice, so that a stale handle does
// not name another file.
class HandleTable {
 public:
  // Far above what a client caches; a client that reaches it gets ENFILE.
  static constexpr size_t kMaxHandles = 1 << 20;

  Result<uint64_t> Add(HeldFile file);
  // EBADF for a number that is not in the table. The file stays open as long as
  // the reference, even when another thread closes the handle.
  Result<HeldFileRef> Get(uint64_t handle) const;
  void Close(uint64_t handle);
  size_t size() const;

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<uint64_t, HeldFileRef> files_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace runsc::gofer

#endif  // RUNSC_GOFER_HANDLE_TABLE_H_
