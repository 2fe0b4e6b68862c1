// On whose behalf a file-system operation runs.
#ifndef RUNSC_BOOT_VFS_CONTEXT_H_
#define RUNSC_BOOT_VFS_CONTEXT_H_

#include "bin/runsc-boot/auth/credentials.h"
#include "common/result.h"

namespace runsc::boot {

class Task;

// Implemented by the task; a plain KernelContext serves set-up code and tests.
class Context {
 public:
  virtual ~Context() = default;
  virtual CredentialsRef credentials() const = 0;
  // The caller's ids for /proc/self and /proc/thread-self; 0 outside a task.
  virtual pid_t caller_tid() const { return 0; }
  // The task itself, for those who know what one is (the namespaces that it is
  // in); null outside one.
  virtual Task* caller_task() { return nullptr; }
  virtual pid_t caller_pid() const { return 0; }
  // RLIMIT_FSIZE of the caller, in bytes.
  virtual uint64_t file_size_limit() const { return ~uint64_t{0}; }
  // Application memory for ioctl arguments and the like; EFAULT as a rule.
  virtual Status CopyIn(uint64_t address, void* buffer, size_t size) { return Error(EFAULT); }
  virtual Status CopyOut(uint64_t address, const void* buffer, size_t size) {
    return Error(EFAULT);
  }
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_CONTEXT_H_
