// pagemap: which pages are there (proc_pid_pagemap(5)). The host answers; it
// hides the numbers of its page frames from boot, which has no capabilities.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/fs/proc/memory_entries.h"
#include "bin/runsc-boot/fs/proc/task_files.h"
#include "common/file_descriptor.h"

namespace runsc::boot::proc {
namespace {

constexpr size_t kEntry = sizeof(uint64_t);
constexpr size_t kChunk = 64 << 10;

class PagemapFile final : public File {
 public:
  PagemapFile(Path path, int flags, TaskHandle handle, std::shared_ptr<MemoryManager> memory)
      : File(std::move(path), flags), handle_(handle), memory_(std::move(memory)) {}

  bool seekable() const override { return true; }

  Result<size_t> PRead(Context& context, IoBuffer& destination, uint64_t offset) override {
    if (offset % kEntry != 0 || destination.remaining() % kEntry != 0) return Error(EINVAL);
    auto task = handle_.Get();
    // The memory that was opened has an end with its program.
    if (!task.ok() || (*task)->memory_ref() != memory_) return size_t{0};
    const TaskView view(handle_.filesystem(), **task, handle_.process(), context);
    const std::string name = absl::StrCat("/proc/", view.host_pid(), "/pagemap");
    const FileDescriptor host(open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!host) return size_t{0};
    std::vector<char> buffer(std::min(destination.remaining(), kChunk));
    const ssize_t count =
        pread(host.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count < 0) return Error(errno);
    return destination.Put(buffer.data(), static_cast<size_t>(count));
  }

 private:
  const TaskHandle handle_;
  const std::shared_ptr<MemoryManager> memory_;
};

class PagemapInode final : public pseudo::PseudoInode {
 public:
  PagemapInode(TaskHandle handle, uint64_t ino)
      : PseudoInode(handle.filesystem(), ino, S_IFREG | 0400), handle_(handle) {}

  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    TRY(CheckInspectMemory(context, *task));
    std::shared_ptr<MemoryManager> memory = task->memory_ref();
    if (memory == nullptr) return Error(ESRCH);
    return FileRef(std::make_shared<PagemapFile>(path, flags, handle_, std::move(memory)));
  }

 protected:
  pseudo::Owner owner() override { return handle_.owner(); }

 private:
  const TaskHandle handle_;
};

}  // namespace

std::shared_ptr<pseudo::PseudoInode> MakePagemapFile(const TaskHandle& handle, uint64_t ino) {
  return std::make_shared<PagemapInode>(handle, ino);
}

}  // namespace runsc::boot::proc
