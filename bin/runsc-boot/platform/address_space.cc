#include "bin/runsc-boot/platform/address_space.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace runsc::boot::platform {
namespace {

constexpr uint64_t kUserEnd = uint64_t{1} << 47;
constexpr uint64_t kPageSize = 4096;
constexpr unsigned long kHwcap2Fsgsbase = 1 << 1;

iovec RemoteRange(uint64_t address, size_t size) {
  return {reinterpret_cast<void*>(address), size};
}

}  // namespace

Result<std::shared_ptr<StubAddressSpace>> StubAddressSpace::Create() {
  FileDescriptor fd(memfd_create("stub-region", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return ErrnoError("memfd_create", "stub region");
  if (ftruncate(fd.get(), stub::kRegionSize) != 0) return ErrnoError("ftruncate", "stub region");
  // A shorter file would make boot's accesses fail.
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return ErrnoError("seal", "stub region");
  }
  void* memory = mmap(nullptr, stub::kRegionSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return ErrnoError("mmap", "stub region");
  return std::shared_ptr<StubAddressSpace>(
      new StubAddressSpace(std::move(fd), static_cast<std::byte*>(memory)));
}

StubAddressSpace::~StubAddressSpace() { munmap(region_, stub::kRegionSize); }

template <typename Transfer>
Result<size_t> StubAddressSpace::WithThread(Transfer transfer) {
  pid_t tid = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (host_tids_.empty()) return Error(EFAULT);
    tid = host_tids_.front();
  }
  ssize_t count = transfer(tid);
  if (count >= 0) return static_cast<size_t>(count);
  if (errno != ESRCH) return Error(EFAULT);
  // That thread has ended (a leader may end before the others).
  std::vector<pid_t> others;
  {
    absl::MutexLock lock(&mutex_);
    others = host_tids_;
  }
  for (pid_t other : others) {
    count = transfer(other);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != ESRCH) break;
  }
  return Error(EFAULT);
}

Result<size_t> StubAddressSpace::Read(uint64_t address, void* buffer, size_t size) {
  if (size == 0) return size_t{0};
  if (auto source = original(); source != nullptr) return source->Read(address, buffer, size);
  iovec local{buffer, size};
  iovec remote = RemoteRange(address, size);
  return WithThread([&](pid_t tid) { return process_vm_readv(tid, &local, 1, &remote, 1, 0); });
}

Result<size_t> StubAddressSpace::Write(uint64_t address, const void* buffer, size_t size) {
  if (size == 0) return size_t{0};
  iovec local{const_cast<void*>(buffer), size};
  iovec remote = RemoteRange(address, size);
  return WithThread([&](pid_t tid) { return process_vm_writev(tid, &local, 1, &remote, 1, 0); });
}

Result<size_t> StubAddressSpace::ReadV(std::span<const iovec> remote,
                                       std::span<const iovec> local) {
  if (remote.size() > IOV_MAX || local.size() > IOV_MAX) return Error(EINVAL);
  if (auto source = original(); source != nullptr) return source->ReadV(remote, local);
  return WithThread([&](pid_t tid) {
    return process_vm_readv(tid, local.data(), local.size(), remote.data(), remote.size(), 0);
  });
}

Result<size_t> StubAddressSpace::WriteV(std::span<const iovec> local,
                                        std::span<const iovec> remote) {
  if (remote.size() > IOV_MAX || local.size() > IOV_MAX) return Error(EINVAL);
  return WithThread([&](pid_t tid) {
    return process_vm_writev(tid, local.data(), local.size(), remote.data(), remote.size(), 0);
  });
}

bool StubAddressSpace::AwaitStart(int milliseconds) {
  absl::MutexLock lock(&mutex_);
  auto started = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return original_ == nullptr; };
  return mutex_.AwaitWithTimeout(absl::Condition(&started), absl::Milliseconds(milliseconds));
}

bool StubAddressSpace::MeetsStub(uint64_t begin, uint64_t end) const {
  constexpr uint64_t kImageEnd = stub::kImageBase + stub::kImageSize;
  return (begin < kImageEnd && end > stub::kImageBase) ||
         (begin < stub::kRangeEnd && end > stub::kRegionBase);
}

void StubAddressSpace::SetVdsoBase(uint64_t address) {
  vdso_base_.store(0, std::memory_order_relaxed);
  if (address == 0 || address % kPageSize != 0 || address >= kUserEnd) return;
  if (address >= stub::kRangeBegin && address < stub::kRangeEnd) return;
  char magic[SELFMAG];
  Result<size_t> size = Read(address, magic, sizeof magic);
  if (!size || *size != sizeof magic || std::memcmp(magic, ELFMAG, SELFMAG) != 0) return;
  vdso_base_.store(address, std::memory_order_relaxed);
}

Result<uint32_t> StubAddressSpace::AllocateSlot() {
  uint32_t index = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (!free_slots_.empty()) {
      index = free_slots_.back();
      free_slots_.pop_back();
    } else {
      if (used_slots_ == stub::kMaxSlots) return Error(EAGAIN);
      index = used_slots_++;
    }
  }
  stub::Control* control = slot(index).control();
  control->set_fs_base = control->set_gs_base = 0;
  control->token = 0;
  control->has_fsgsbase = (getauxval(AT_HWCAP2) & kHwcap2Fsgsbase) != 0;
  return index;
}

void StubAddressSpace::FreeSlot(uint32_t index) {
  absl::MutexLock lock(&mutex_);
  free_slots_.push_back(index);
}

Slot StubAddressSpace::slot(uint32_t index) const {
  uint64_t offset = index * stub::kSlotSize;
  return {region_ + offset, stub::kRegionBase + offset};
}

Result<uint32_t> StubAddressSpace::AllocateForkStack() {
  absl::MutexLock lock(&mutex_);
  static_assert(stub::kForkStacks == 64);
  if (fork_stacks_ == ~uint64_t{0}) return Error(EAGAIN);
  auto index = static_cast<uint32_t>(__builtin_ctzll(~fork_stacks_));
  fork_stacks_ |= uint64_t{1} << index;
  return index;
}

void StubAddressSpace::FreeForkStack(uint32_t index) {
  absl::MutexLock lock(&mutex_);
  fork_stacks_ &= ~(uint64_t{1} << index);
}

void StubAddressSpace::AddThread(pid_t host_tid) {
  absl::MutexLock lock(&mutex_);
  host_tids_.push_back(host_tid);
  original_.reset();
}

void StubAddressSpace::ReadFromUntilStarted(std::shared_ptr<StubAddressSpace> original) {
  vdso_base_.store(original->VdsoBase(), std::memory_order_relaxed);
  absl::MutexLock lock(&mutex_);
  original_ = std::move(original);
}

std::shared_ptr<StubAddressSpace> StubAddressSpace::original() {
  absl::MutexLock lock(&mutex_);
  return original_;
}

void StubAddressSpace::RemoveThread(pid_t host_tid) {
  absl::MutexLock lock(&mutex_);
  auto it = std::find(host_tids_.begin(), host_tids_.end(), host_tid);
  if (it != host_tids_.end()) host_tids_.erase(it);
}

}  // namespace runsc::boot::platform
