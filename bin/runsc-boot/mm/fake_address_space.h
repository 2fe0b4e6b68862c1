// An address space for tests: pages in a map, no process behind them.
#ifndef RUNSC_BOOT_MM_FAKE_ADDRESS_SPACE_H_
#define RUNSC_BOOT_MM_FAKE_ADDRESS_SPACE_H_

#include <array>
#include <cstring>
#include <map>

#include "bin/runsc-boot/platform/platform.h"

namespace runsc::boot {

class FakeAddressSpace final : public platform::AddressSpace {
 public:
  static constexpr uint64_t kPage = 4096;

  void Map(uint64_t address, uint64_t size) {
    for (uint64_t page = address / kPage; page < (address + size + kPage - 1) / kPage; ++page) {
      pages_[page].fill(0);
    }
  }

  Result<size_t> Read(uint64_t address, void* buffer, size_t size) override {
    return Copy(address, size, [&](char* memory, size_t offset, size_t length) {
      memcpy(static_cast<char*>(buffer) + offset, memory, length);
    });
  }
  Result<size_t> Write(uint64_t address, const void* buffer, size_t size) override {
    return Copy(address, size, [&](char* memory, size_t offset, size_t length) {
      memcpy(memory, static_cast<const char*>(buffer) + offset, length);
    });
  }
  // One local range is all that the kernel uses.
  Result<size_t> ReadV(std::span<const iovec> remote, std::span<const iovec> local) override {
    return Vector(remote, local[0], [this](uint64_t address, char* buffer, size_t size) {
      return Read(address, buffer, size);
    });
  }
  Result<size_t> WriteV(std::span<const iovec> local, std::span<const iovec> remote) override {
    return Vector(remote, local[0], [this](uint64_t address, char* buffer, size_t size) {
      return Write(address, buffer, size);
    });
  }
  bool MeetsStub(uint64_t begin, uint64_t end) const override {
    return begin < 0x2000 && end > 0x1000;
  }
  uint64_t VdsoBase() const override { return 0; }

  int transfers() const { return transfers_; }

 private:
  template <typename F>
  Result<size_t> Copy(uint64_t address, size_t size, F copy) {
    ++transfers_;
    size_t done = 0;
    while (done < size) {
      auto page = pages_.find((address + done) / kPage);
      if (page == pages_.end()) break;
      const uint64_t offset = (address + done) % kPage;
      const size_t length = std::min<size_t>(kPage - offset, size - done);
      copy(page->second.data() + offset, done, length);
      done += length;
    }
    if (done == 0 && size > 0) return Error(EFAULT);
    return done;
  }
  template <typename F>
  static Result<size_t> Vector(std::span<const iovec> remote, const iovec& local, F transfer) {
    size_t done = 0;
    for (const iovec& range : remote) {
      const size_t length = std::min(range.iov_len, local.iov_len - done);
      Result<size_t> copied = transfer(reinterpret_cast<uint64_t>(range.iov_base),
                                       static_cast<char*>(local.iov_base) + done, length);
      if (!copied.ok()) break;
      done += *copied;
      if (*copied < length) break;
    }
    if (done == 0) return Error(EFAULT);
    return done;
  }

  std::map<uint64_t, std::array<char, kPage>> pages_;
  int transfers_ = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_MM_FAKE_ADDRESS_SPACE_H_
