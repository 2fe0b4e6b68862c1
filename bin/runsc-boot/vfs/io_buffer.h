// Where the data of a read goes and the data of a write comes from: application
// memory (mm/user_io.h) or a buffer of the kernel. Each transfer moves the
// position in the buffer forward.
#ifndef RUNSC_BOOT_VFS_IO_BUFFER_H_
#define RUNSC_BOOT_VFS_IO_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "common/result.h"

namespace runsc::boot {

class IoBuffer {
 public:
  virtual ~IoBuffer() = default;
  // Bytes that can still be transferred.
  virtual size_t remaining() const = 0;
  // Puts up to `size` bytes at the position (for reads of a file). The result
  // may be smaller when memory ends; EFAULT when not one byte could be put.
  virtual Result<size_t> Put(const void* data, size_t size) = 0;
  // Takes up to `size` bytes from the position (for writes to a file).
  virtual Result<size_t> Take(void* data, size_t size) = 0;
  // Gives back the last `size` bytes of what Put or Take moved, when they
  // could not be used: the position moves back.
  virtual void StepBack(size_t size) = 0;
};

// A buffer in the kernel's own memory.
class KernelBuffer final : public IoBuffer {
 public:
  KernelBuffer(void* data, size_t size) : data_(static_cast<char*>(data)), size_(size) {}
  size_t remaining() const override { return size_ - position_; }
  size_t position() const { return position_; }
  Result<size_t> Put(const void* data, size_t size) override {
    size = std::min(size, remaining());
    if (size > 0) memcpy(data_ + position_, data, size);
    position_ += size;
    return size;
  }
  Result<size_t> Take(void* data, size_t size) override {
    size = std::min(size, remaining());
    if (size > 0) memcpy(data, data_ + position_, size);
    position_ += size;
    return size;
  }
  void StepBack(size_t size) override { position_ -= size; }

 private:
  char* data_;
  size_t size_;
  size_t position_ = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_IO_BUFFER_H_
