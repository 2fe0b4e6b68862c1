// mmap(2), munmap(2), mprotect(2), mremap(2), brk(2), msync(2), mincore(2),
// madvise(2), mlock(2), mlock2(2), munlock(2), mlockall(2), munlockall(2), mseal(2),
// process_madvise(2), process_mrelease(2)
//
// The host is the MMU. What arrives here is checked and then done by the host
// in the application's own address space.

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "bin/runsc-boot/kernel/ptrace_access.h"
#include "bin/runsc-boot/mm/user_io.h"
#include "bin/runsc-boot/syscalls/arguments.h"
#include "bin/runsc-boot/syscalls/calls.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kPageMask = 4095;

struct MapRequest {
  uint64_t address, size;
  int protection, flags, fd;
  uint64_t offset;
  bool shared() const { return (flags & MAP_TYPE) != MAP_PRIVATE; }
};

// True when [address, address + size) meets the stub.
bool MeetsStub(Task& task, uint64_t address, uint64_t size) {
  uint64_t end;
  if (__builtin_add_overflow(address, size, &end)) return true;
  return task.memory().address_space().MeetsStub(address, end);
}

Status CheckPlace(Task& task, const MapRequest& request) {
  if (request.size == 0) return Error(EINVAL);
  const bool fixed = (request.flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
  if (fixed && MeetsStub(task, request.address, request.size)) return Error(ENOMEM);
  return Ok();
}

// In the order of Linux's do_mmap.
Status CheckFile(const File& file, const MapRequest& request) {
  if (request.shared() && (request.protection & PROT_WRITE) != 0 && !file.writable()) {
    return Error(EACCES);
  }
  if (!file.readable()) return Error(EACCES);
  const MountRef& mount = file.path().mount;
  const bool no_exec = mount != nullptr && (mount->flags() & MS_NOEXEC) != 0;
  if (no_exec && (request.protection & PROT_EXEC) != 0) return Error(EPERM);
  return Ok();
}

// mmap by the stub with other arguments than the application's.
Result<Word> MapInStub(Task& task, const MapRequest& request) {
  TRY(task.thread().EnterStub());
  platform::NativeCall call;
  call.number = SYS_mmap;
  call.args = {request.address,
               request.size,
               static_cast<uint64_t>(request.protection),
               static_cast<uint64_t>(request.flags),
               static_cast<uint64_t>(request.fd),
               request.offset};
  TRY(task.thread().RunNative({&call, 1}, true));
  return static_cast<Word>(call.result);
}

void NoteMapping(Task& task, const File& file, int host_fd) {
  struct stat host {};
  if (fstat(host_fd, &host) != 0) return;
  task.memory().NoteFileMapping(host.st_dev, host.st_ino, file.path());
}

Result<Word> MapFile(Task& task, MapRequest request) {
  TRY_ASSIGN(FileRef file, FileForIo(task, request.fd));
  TRY(CheckPlace(task, request));
  TRY(CheckFile(*file, request));
  if (file->MapsAsAnonymous()) {
    request.flags |= MAP_ANONYMOUS;
    request.fd = -1;
    request.offset = 0;
    return MapInStub(task, request);
  }
  TRY_ASSIGN(HostMapping mapping, file->GetHostMapping(request.protection, request.flags));
  request.offset += mapping.offset;
  if (request.fd == kAttachFd) {
    TRY(task.thread().EnterStub());
    absl::MutexLock lock(&task.memory().attach_mutex());
    TRY(task.thread().InstallFd(mapping.fd, request.fd));
    NoteMapping(task, *file, mapping.fd);
    return MapInStub(task, request);
  }
  TRY(task.thread().InstallFd(mapping.fd, request.fd));
  NoteMapping(task, *file, mapping.fd);
  return mapping.offset == 0 ? task.EndOnHost() : MapInStub(task, request);
}

// mlock(2): what is locked is the host's affair, the limits are the caller's.
Result<Word> CheckLock(Task& task, uint64_t size) {
  const rlimit limit = task.group().limit(RLIMIT_MEMLOCK);
  if (task.credentials()->HasInitially(CAP_IPC_LOCK)) return 0;
  if (limit.rlim_cur == 0) return Error(EPERM);
  if (size > limit.rlim_cur) return Error(ENOMEM);
  return 0;
}

Status CheckAdvice(int advice) {
  switch (advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_DONTNEED:
    case MADV_FREE:
    case MADV_REMOVE:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_WIPEONFORK:
    case MADV_KEEPONFORK:
    case MADV_COLD:
    case MADV_PAGEOUT:
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
      return Ok();
    case MADV_MERGEABLE:  // pages shared across containers tell of each other
    case MADV_UNMERGEABLE:
      return Error(EINVAL);
    case MADV_HWPOISON:
      return Error(EPERM);
    default:
      return Error(EINVAL);
  }
}

// The bytes for which it succeeded before the first error, or that.
Result<Word> AdviseSelf(Task& task, const std::vector<iovec>& ranges, int advice) {
  TRY(CheckAdvice(advice));
  std::vector<platform::NativeCall> calls;
  for (const iovec& range : ranges) {
    const auto address = reinterpret_cast<uint64_t>(range.iov_base);
    if (MeetsStub(task, address, range.iov_len)) return Error(ENOMEM);
    calls.push_back({SYS_madvise, {address, range.iov_len, static_cast<uint64_t>(advice)}});
  }
  TRY(task.thread().EnterStub());
  TRY(task.thread().RunNative(calls, /*stop_on_error=*/true));
  Word done = 0;
  for (const platform::NativeCall& call : calls) {
    if (call.result < 0)
      return done != 0 ? Result<Word>(done) : Error(static_cast<int>(-call.result));
    done += call.args[1];
  }
  return done;
}

// Nobody but a process itself can give the host advice about it: what Linux
// allows about others is about speed alone, and is not followed.
Result<Word> CheckAdviceForOther(Task& task, const std::vector<iovec>& ranges, int advice) {
  constexpr int kCollapse = 25;  // newer than the C library's headers
  if (advice != MADV_COLD && advice != MADV_PAGEOUT && advice != MADV_WILLNEED &&
      advice != kCollapse) {
    return Error(EINVAL);
  }
  if (!task.credentials()->HasInitially(CAP_SYS_NICE)) return Error(EPERM);
  Word done = 0;
  for (const iovec& range : ranges) {
    if ((reinterpret_cast<uint64_t>(range.iov_base) & kPageMask) != 0) {
      return done != 0 ? Result<Word>(done) : Error(EINVAL);
    }
    done += range.iov_len;
  }
  return done;
}

}  // namespace

Result<Word> SysMmap(Task& task, const SyscallArgs& args) {
  const MapRequest request = {args.Address(0), args.Raw(1), args.Int(2),
                              args.Int(3),     args.Fd(4),  args.Raw(5)};
  if ((request.offset & kPageMask) != 0) return Error(EINVAL);
  if ((request.flags & MAP_ANONYMOUS) == 0) return MapFile(task, request);
  TRY(CheckPlace(task, request));
  return task.EndOnHost();
}

Result<Word> SysMunmap(Task& task, const SyscallArgs& args) {
  if (MeetsStub(task, args.Address(0), args.Raw(1))) return Error(EINVAL);
  return task.EndOnHost();
}

Result<Word> SysMprotect(Task& task, const SyscallArgs& args) {
  if (MeetsStub(task, args.Address(0), args.Raw(1))) return Error(EACCES);
  return task.EndOnHost();
}

Result<Word> SysMremap(Task& task, const SyscallArgs& args) {
  if (MeetsStub(task, args.Address(0), args.Raw(1))) return Error(EFAULT);
  if ((args.Int(3) & MREMAP_FIXED) != 0 && MeetsStub(task, args.Address(4), args.Raw(2))) {
    return Error(EINVAL);
  }
  return task.EndOnHost();
}

Result<Word> SysMadvise(Task& task, const SyscallArgs& args) {
  TRY(CheckAdvice(args.Int(2)));
  return task.EndOnHost();
}

Result<Word> SysProcessMadvise(Task& task, const SyscallArgs& args) {
  const int advice = args.Int(3);
  if (args.Uint(4) != 0) return Error(EINVAL);
  TRY_ASSIGN(const UserIo io, UserIo::FromIovecs(task.memory(), args.Address(1), args.Raw(2)));
  TRY_ASSIGN(FileRef pidfd, task.fds().Get(args.Fd(0)));
  TRY_ASSIGN(const ThreadGroupRef group, Kernel::PidFdTarget(*pidfd));
  const TaskRef target = group->leader();
  if (target == nullptr || target->memory_ref() == nullptr) return Error(ESRCH);
  const std::vector<iovec> ranges = io.Next(io.remaining());
  if (target->memory_ref().get() == &task.memory()) return AdviseSelf(task, ranges, advice);
  if (!CheckPtraceAccess(task, *target, PtraceIds::kFileSystem).ok()) return Error(EACCES);
  return CheckAdviceForOther(task, ranges, advice);
}

Result<Word> SysProcessMrelease(Task& task, const SyscallArgs& args) {
  if (args.Uint(1) != 0) return Error(EINVAL);
  TRY_ASSIGN(FileRef pidfd, task.fds().Get(args.Fd(0)));
  TRY_ASSIGN(const ThreadGroupRef group, Kernel::PidFdTarget(*pidfd));
  const TaskRef target = group->leader();
  if (target == nullptr || target->memory_ref() == nullptr) return Error(ESRCH);
  // The host lets go of a killed process's memory with the process.
  return target->exiting() ? Result<Word>(0) : Error(EINVAL);
}

Result<Word> SysMlock(Task& task, const SyscallArgs& args) { return CheckLock(task, args.Raw(1)); }

Result<Word> SysMlock2(Task& task, const SyscallArgs& args) {
  if ((args.Uint(2) & ~unsigned{MLOCK_ONFAULT}) != 0) return Error(EINVAL);
  return CheckLock(task, args.Raw(1));
}

Result<Word> SysMlockall(Task& task, const SyscallArgs& args) {
  constexpr int kFlags = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;
  if (args.Int(0) == 0 || (args.Int(0) & ~kFlags) != 0 || args.Int(0) == MCL_ONFAULT) {
    return Error(EINVAL);
  }
  return CheckLock(task, 0);
}

Result<Word> SysMseal(Task& task, const SyscallArgs& args) {
  uint64_t end;
  if (__builtin_add_overflow(args.Address(0), args.Raw(1), &end)) return Error(EINVAL);
  if (MeetsStub(task, args.Address(0), args.Raw(1))) return Error(ENOMEM);
  return task.EndOnHost();
}

Result<Word> SysMunlock(Task&, const SyscallArgs&) { return 0; }

Result<Word> SysMunlockall(Task&, const SyscallArgs&) { return 0; }

}  // namespace runsc::boot
