// One application process's memory as boot sees it: copies by
// process_vm_readv/writev, and the region of slots that its threads share with
// boot.
#ifndef RUNSC_BOOT_PLATFORM_ADDRESS_SPACE_H_
#define RUNSC_BOOT_PLATFORM_ADDRESS_SPACE_H_

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/platform/platform.h"
#include "bin/runsc-boot/platform/signal_frame.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot::platform {

class StubAddressSpace : public AddressSpace {
 public:
  // With a region of its own, not yet mapped by any stub.
  static Result<std::shared_ptr<StubAddressSpace>> Create();
  ~StubAddressSpace() override;
  StubAddressSpace(const StubAddressSpace&) = delete;
  StubAddressSpace& operator=(const StubAddressSpace&) = delete;

  Result<size_t> Read(uint64_t address, void* buffer, size_t size) override;
  Result<size_t> Write(uint64_t address, const void* buffer, size_t size) override;
  Result<size_t> ReadV(std::span<const iovec> remote, std::span<const iovec> local) override;
  Result<size_t> WriteV(std::span<const iovec> local, std::span<const iovec> remote) override;
  bool AwaitStart(int milliseconds) override;
  bool MeetsStub(uint64_t begin, uint64_t end) const override;
  uint64_t VdsoBase() const override { return vdso_base_.load(std::memory_order_relaxed); }

  // Keeps `address` if it is plausible: page aligned, outside the stub, and
  // an ELF image lies there.
  void SetVdsoBase(uint64_t address);

  // The memory file behind the region, until the stub has mapped it.
  int region_fd() const { return region_fd_.get(); }
  void CloseRegionFd() { region_fd_.Reset(); }

  // A free slot, prepared. EAGAIN: all are in use.
  Result<uint32_t> AllocateSlot();
  void FreeSlot(uint32_t index);
  Slot slot(uint32_t index) const;

  // A free stack for the child of a fork. EAGAIN: all are in use.
  Result<uint32_t> AllocateForkStack();
  void FreeForkStack(uint32_t index);

  // For the child of a fork: until its first thread is known, reads go to the
  // memory that it is a copy of.
  void ReadFromUntilStarted(std::shared_ptr<StubAddressSpace> original);

  // The host threads through which the memory can be reached.
  void AddThread(pid_t host_tid);
  void RemoveThread(pid_t host_tid);

 private:
  StubAddressSpace(FileDescriptor region_fd, std::byte* region)
      : region_fd_(std::move(region_fd)), region_(region) {}
  template <typename Transfer>
  Result<size_t> WithThread(Transfer transfer);
  std::shared_ptr<StubAddressSpace> original();

  FileDescriptor region_fd_;
  std::byte* const region_;
  std::atomic<uint64_t> vdso_base_ = 0;
  absl::Mutex mutex_;
  std::vector<uint32_t> free_slots_ ABSL_GUARDED_BY(mutex_);
  uint32_t used_slots_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t fork_stacks_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<pid_t> host_tids_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<StubAddressSpace> original_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_ADDRESS_SPACE_H_
