// Application memory as the destination or source of I/O.
#ifndef RUNSC_BOOT_MM_USER_IO_H_
#define RUNSC_BOOT_MM_USER_IO_H_

#include <sys/uio.h>

#include <vector>

#include "bin/runsc-boot/mm/memory_manager.h"
#include "bin/runsc-boot/vfs/io_buffer.h"

namespace runsc::boot {

// A list of application ranges, as readv(2) takes it. Transfers stop at the
// first page that cannot be accessed.
class UserIo final : public IoBuffer {
 public:
  // `size` is cut at MAX_RW_COUNT (0x7ffff000).
  UserIo(MemoryManager& memory, uint64_t address, size_t size);
  UserIo(MemoryManager& memory, std::vector<iovec> ranges);
  // EFAULT: not all of it lies where an application may have memory, whatever is
  // mapped (Linux's access_ok).
  static Result<UserIo> FromRange(MemoryManager& memory, uint64_t address, uint64_t size);
  // Reads an iovec array from the application. EINVAL: count > IOV_MAX (1024)
  // or a length negative; EFAULT.
  static Result<UserIo> FromIovecs(MemoryManager& memory, uint64_t address, uint64_t count);

  size_t remaining() const override { return remaining_; }
  size_t transferred() const { return transferred_; }
  Result<size_t> Put(const void* data, size_t size) override;
  Result<size_t> Take(void* data, size_t size) override;
  void StepBack(size_t size) override;
  // The next `size` bytes as ranges.
  std::vector<iovec> Next(size_t size) const;

 private:
  void Advance(size_t size);

  MemoryManager* memory_;
  std::vector<iovec> ranges_;
  size_t index_ = 0;   // range of the position
  size_t offset_ = 0;  // within it
  size_t remaining_ = 0;
  size_t transferred_ = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_MM_USER_IO_H_
