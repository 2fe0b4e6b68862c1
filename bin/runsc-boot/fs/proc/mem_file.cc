// mem: the memory of a process, at the offset that is the address.
#include <vector>

#include "bin/runsc-boot/fs/proc/task_files.h"
#include "bin/runsc-boot/kernel/ptrace.h"

namespace runsc::boot::proc {
namespace {

constexpr size_t kChunk = 64 << 10;

// Refers to the memory as it was at open: after an exec it reads as gone.
class MemFile final : public File {
 public:
  MemFile(Path path, int flags, TaskHandle handle, std::shared_ptr<MemoryManager> memory)
      : File(std::move(path), flags), handle_(handle), memory_(std::move(memory)) {}

  bool seekable() const override { return true; }

  Result<size_t> PRead(Context& context, IoBuffer& destination, uint64_t offset) override {
    std::vector<char> buffer(std::min(destination.remaining(), kChunk));
    if (buffer.empty() || Gone()) return size_t{0};
    auto read = [&] { return memory_->address_space().Read(offset, buffer.data(), buffer.size()); };
    Result<size_t> count = read();
    if (!count.ok()) TRY(Force(offset, buffer.size(), [&] { count = read(); }));
    if (!count.ok()) return Error(EIO);
    return destination.Put(buffer.data(), *count);
  }

  Result<size_t> PWrite(Context& context, IoBuffer& source, uint64_t offset) override {
    std::vector<char> buffer(std::min(source.remaining(), kChunk));
    if (buffer.empty() || Gone()) return size_t{0};
    TRY_ASSIGN(size_t taken, source.Take(buffer.data(), buffer.size()));
    if (Task* caller = context.caller_task(); caller != nullptr) {
      TRY(caller->AwaitStart(memory_->address_space()));
    }
    auto write = [&] { return memory_->address_space().Write(offset, buffer.data(), taken); };
    Result<size_t> count = write();
    if (!count.ok()) TRY(Force(offset, taken, [&] { count = write(); }));
    if (!count.ok()) return Error(EIO);
    return *count;
  }

 private:
  // A debugger writes breakpoints into text that the program cannot write.
  Status Force(uint64_t offset, uint64_t size, const std::function<void()>& access) {
    TRY_ASSIGN(const TaskRef task, handle_.Get());
    if (task->memory_ref() != memory_) return Error(EIO);
    constexpr uint64_t kPage = 4096;
    // One page at a time: its neighbours may be protected otherwise.
    size = std::min(size, kPage - offset % kPage);
    return Tracee::Force(*task, offset, size, [&] {
      access();
      return Ok();
    });
  }

  // Memory that is gone has an end; a hole in what is there is an error.
  bool Gone() const {
    auto task = handle_.Get();
    return !task.ok() || (*task)->memory_ref() != memory_;
  }

  const TaskHandle handle_;
  const std::shared_ptr<MemoryManager> memory_;
};

class MemInode final : public pseudo::PseudoInode {
 public:
  MemInode(TaskHandle handle, uint64_t ino)
      : PseudoInode(handle.filesystem(), ino, S_IFREG | 0600), handle_(handle) {}

  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    TRY_ASSIGN(TaskRef task, handle_.Get());
    TRY(CheckInspectMemory(context, *task));
    std::shared_ptr<MemoryManager> memory = task->memory_ref();
    if (memory == nullptr) return Error(ESRCH);
    return FileRef(std::make_shared<MemFile>(path, flags, handle_, std::move(memory)));
  }

 protected:
  pseudo::Owner owner() override { return handle_.owner(); }

 private:
  const TaskHandle handle_;
};

}  // namespace

std::shared_ptr<pseudo::PseudoInode> MakeMemFile(const TaskHandle& handle, uint64_t ino) {
  return std::make_shared<MemInode>(handle, ino);
}

}  // namespace runsc::boot::proc
