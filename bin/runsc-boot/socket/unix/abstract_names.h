// The abstract names of Unix sockets (unix(7)), which each network namespace has
// for itself.
#ifndef RUNSC_BOOT_SOCKET_UNIX_ABSTRACT_NAMES_H_
#define RUNSC_BOOT_SOCKET_UNIX_ABSTRACT_NAMES_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/vfs/string_map.h"
#include "common/result.h"

namespace runsc::boot {

class UnixSocket;

// Thread-safe; its lock is a leaf.
class AbstractNames {
 public:
  // EADDRINUSE.
  Status Bind(const std::string& name, const std::shared_ptr<UnixSocket>& socket)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // A free name of five hexadecimal digits.
  std::string BindAny(const std::shared_ptr<UnixSocket>& socket) ABSL_LOCKS_EXCLUDED(mutex_);
  // Of a socket that is being destroyed, so that nobody finds it any more.
  void Forget(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  // Null when nobody has the name.
  std::shared_ptr<UnixSocket> Find(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Mutex mutex_;
  StringMap<std::weak_ptr<UnixSocket>> sockets_ ABSL_GUARDED_BY(mutex_);
  uint32_t next_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SOCKET_UNIX_ABSTRACT_NAMES_H_
