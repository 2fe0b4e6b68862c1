// Writing and executing a file keep each other out (ETXTBSY, open(2) and
// execve(2)): the counterpart of Linux's i_writecount.
#ifndef RUNSC_BOOT_VFS_WRITE_ACCESS_H_
#define RUNSC_BOOT_VFS_WRITE_ACCESS_H_

#include <atomic>
#include <cerrno>
#include <memory>
#include <utility>

#include "common/result.h"

namespace runsc::boot {

class Inode;

// Of one inode. Thread-safe.
class WriteAccess {
 public:
  // One more writer. ETXTBSY: it is being executed.
  Status Get() { return Step(1); }
  void Put() { count_.fetch_sub(1, std::memory_order_release); }
  // One more program that runs it. ETXTBSY: it has writers.
  Status Deny() { return Step(-1); }
  void Allow() { count_.fetch_add(1, std::memory_order_release); }

 private:
  Status Step(int direction) {
    int count = count_.load(std::memory_order_relaxed);
    do {
      if (count * direction < 0) return Error(ETXTBSY);
    } while (!count_.compare_exchange_weak(count, count + direction, std::memory_order_acquire));
    return Ok();
  }

  std::atomic<int> count_{0};  // > 0: writers; < 0: programs
};

// Keeps writers away from a program as long as it lives; shared by the address
// spaces that execute it.
class WriteDenial {
 public:
  // ETXTBSY.
  static Result<std::shared_ptr<const WriteDenial>> Take(std::shared_ptr<Inode> inode);
  explicit WriteDenial(std::shared_ptr<Inode> denied) : inode_(std::move(denied)) {}
  ~WriteDenial();
  WriteDenial(const WriteDenial&) = delete;
  WriteDenial& operator=(const WriteDenial&) = delete;

 private:
  const std::shared_ptr<Inode> inode_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_WRITE_ACCESS_H_
