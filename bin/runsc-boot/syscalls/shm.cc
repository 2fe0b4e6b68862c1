// shmget(2), shmat(2), shmdt(2), shmctl(2)

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"
#include "bin/runsc-boot/syscalls/ipc_arguments.h"

namespace runsc::boot {

namespace {

using sysv::Naming;
using sysv::SharedMemory;

constexpr uint64_t kPageMask = 4095;
constexpr uint64_t PageUp(uint64_t size) { return (size + kPageMask) & ~kPageMask; }

// Where shmat(2) puts a segment, and how.
struct Place {
  uint64_t address = 0;  // 0: anywhere
  bool replace = false;  // SHM_REMAP
};

Result<Place> PlaceOf(uint64_t address, int flags) {
  const bool replace = (flags & SHM_REMAP) != 0;
  if (address == 0) {
    if (replace) return Error(EINVAL);
    return Place{};
  }
  if ((address & kPageMask) != 0) {
    if ((flags & SHM_RND) == 0) return Error(EINVAL);
    address &= ~kPageMask;
    if (address == 0 && replace) return Error(EINVAL);
  }
  return Place{address, replace};
}

Result<Word> MapSegment(Task& task, const Place& place, uint64_t size, int protection, int fd) {
  uint64_t end = 0;
  int flags = MAP_SHARED;
  if (place.address != 0) {
    if (__builtin_add_overflow(place.address, size, &end)) return Error(EINVAL);
    if (task.memory().address_space().MeetsStub(place.address, end)) {
      return Error(place.replace ? ENOMEM : EINVAL);
    }
    flags |= place.replace ? MAP_FIXED : MAP_FIXED_NOREPLACE;
  }
  // Takes the segment's place, so that the stub does not keep its memory.
  const FileDescriptor empty(memfd_create("empty", MFD_CLOEXEC));
  if (!empty.valid()) return Error(ENFILE);
  TRY(task.thread().EnterStub());
  absl::MutexLock lock(&task.memory().attach_mutex());
  TRY(task.thread().InstallFd(fd, kAttachFd));
  platform::NativeCall call;
  call.number = SYS_mmap;
  call.args = {place.address, size, static_cast<uint64_t>(protection), static_cast<uint64_t>(flags),
               kAttachFd,     0};
  TRY(task.thread().RunNative({&call, 1}, true));
  TRY(task.thread().InstallFd(empty.get(), kAttachFd));
  if (call.result == -EEXIST) return Error(EINVAL);
  if (call.result < 0 && call.result >= -4095) return Error(static_cast<int>(-call.result));
  return static_cast<Word>(call.result);
}

SharedMemory::MakeFile FileMaker(Task& task) {
  return [&task](const std::string& name, uint64_t size, int id) -> Result<FileRef> {
    auto* memory =
        dynamic_cast<TmpfsFilesystem*>(task.kernel().filesystems().shared_memory().get());
    if (memory == nullptr) return Error(ENOSYS);
    return memory->CreateSegment(task, name, size, static_cast<uint64_t>(id));
  };
}

// The mappings that a shmdt(2) of `address` ends: of one attachment, and its
// parts.
std::vector<MappedRange> PartsOf(const MemoryManager& memory,
                                 const std::vector<MappedRange>& mappings, uint64_t address) {
  std::vector<MappedRange> parts;
  uint64_t size = 0;
  for (const MappedRange& range : mappings) {
    if (range.start < address || range.start - address != range.offset) continue;
    if (!memory.HasAttached(range.file)) continue;
    if (parts.empty()) {
      const std::shared_ptr<Attachable> segment = memory.FindAttachment(range.file);
      size = segment != nullptr ? PageUp(segment->size()) : range.end - address;
    } else if (range.file != parts[0].file || range.end - address > size) {
      continue;
    }
    parts.push_back(range);
  }
  return parts;
}

Result<Word> Stat(Task& task, const IpcContext& ipc, const SyscallArgs& args, Naming naming) {
  SharedMemory& memory = ipc->shared_memory();
  TRY_ASSIGN(auto found, memory.Stat(ipc.caller(), args.Int(0), naming,
                                     [&task] { return task.kernel().CountAttachments(); }));
  found.second.shm_cpid = task.FromKernelPid(found.second.shm_cpid);
  found.second.shm_lpid = task.FromKernelPid(found.second.shm_lpid);
  TRY(task.CopyOutObject(args.Address(2), found.second));
  return naming == Naming::kId ? 0 : static_cast<Word>(found.first);
}

}  // namespace

Result<Word> SysShmget(Task& task, const SyscallArgs& args) {
  const IpcContext ipc(task);
  SharedMemory& memory = ipc->shared_memory();
  task.kernel().SweepSharedMemory(memory);
  TRY_ASSIGN(const int id, memory.Get(ipc.caller(), args.Int(0), args.Raw(1), args.Int(2), &task,
                                      FileMaker(task)));
  return static_cast<Word>(id);
}

Result<Word> SysShmat(Task& task, const SyscallArgs& args) {
  const IpcContext ipc(task);
  const int flags = args.Int(2);
  if (args.Int(0) < 0) return Error(EINVAL);
  TRY_ASSIGN(const Place place, PlaceOf(args.Address(1), flags));
  const bool writable = (flags & SHM_RDONLY) == 0;
  int protection = PROT_READ | (writable ? PROT_WRITE : 0);
  unsigned wanted = writable ? 0666 : 0444;
  if ((flags & SHM_EXEC) != 0) {
    protection |= PROT_EXEC;
    wanted |= 0111;
  }
  task.kernel().SweepSharedMemory(ipc->shared_memory());
  TRY_ASSIGN(SharedMemory::Attachment attachment,
             ipc->shared_memory().Attach(task, ipc.caller(), args.Int(0), wanted, writable));
  TRY_ASSIGN(const HostMapping host, attachment.file()->GetHostMapping(protection, MAP_SHARED));
  struct stat status {};
  if (fstat(host.fd, &status) != 0) return Error(errno);
  // Before it is mapped, so that no count misses it.
  const HostFileId file{status.st_dev, status.st_ino};
  task.memory().NoteFileMapping(file.first, file.second, attachment.file()->path());
  task.memory().NoteAttachment(file, attachment.segment());
  TRY_ASSIGN(const Word address,
             MapSegment(task, place, PageUp(attachment.size()), protection, host.fd));
  attachment.Done(task.tgid(), file);
  return address;
}

Result<Word> SysShmdt(Task& task, const SyscallArgs& args) {
  const uint64_t address = args.Address(0);
  if ((address & kPageMask) != 0 || !task.memory().has_attachments()) return Error(EINVAL);
  TRY_ASSIGN(const std::vector<MappedRange> mappings, task.kernel().MappingsOf(task.group()));
  const std::vector<MappedRange> parts = PartsOf(task.memory(), mappings, address);
  if (parts.empty()) return Error(EINVAL);
  std::vector<platform::NativeCall> calls;
  for (const MappedRange& part : parts) {
    calls.push_back({SYS_munmap, {part.start, part.end - part.start}});
  }
  TRY(task.thread().EnterStub());
  TRY(task.thread().RunNative(calls, true));
  if (const auto segment = task.memory().FindAttachment(parts[0].file); segment != nullptr) {
    segment->OnEnd(task.tgid());
    segment->AfterEnd([&task] { return task.kernel().CountAttachments(); });
  }
  return 0;
}

Result<Word> SysShmctl(Task& task, const SyscallArgs& args) {
  const IpcContext ipc(task);
  SharedMemory& memory = ipc->shared_memory();
  const int id = args.Int(0), command = args.Int(1);
  if (id < 0 || command < 0) return Error(EINVAL);
  task.kernel().SweepSharedMemory(memory);
  switch (command) {
    case IPC_INFO: {
      const auto [highest, info] = memory.Info();
      TRY(task.CopyOutObject(args.Address(2), info));
      return static_cast<Word>(highest);
    }
    case SHM_INFO: {
      const auto [highest, usage] = memory.Usage();
      TRY(task.CopyOutObject(args.Address(2), usage));
      return static_cast<Word>(highest);
    }
    case IPC_STAT:
      return Stat(task, ipc, args, Naming::kId);
    case SHM_STAT:
      return Stat(task, ipc, args, Naming::kIndex);
    case SHM_STAT_ANY:
      return Stat(task, ipc, args, Naming::kIndexAny);
    case IPC_SET: {
      TRY_ASSIGN(const shmid_ds wanted, task.CopyInObject<shmid_ds>(args.Address(2)));
      TRY(memory.Set(ipc.caller(), id, wanted));
      return 0;
    }
    case IPC_RMID:
      TRY(memory.Remove(ipc.caller(), id));
      task.kernel().SweepSharedMemory(memory);
      return 0;
    case SHM_LOCK:
    case SHM_UNLOCK:
      TRY(memory.Lock(ipc.caller(), id, command == SHM_LOCK,
                      task.group().limit(RLIMIT_MEMLOCK).rlim_cur));
      return 0;
    default:
      return Error(EINVAL);
  }
}

}  // namespace runsc::boot
