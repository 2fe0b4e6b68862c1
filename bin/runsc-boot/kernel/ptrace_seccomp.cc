// ptrace(2): the filters of a stopped tracee, for checkpoints.
#include <algorithm>

#include "bin/runsc-boot/kernel/ptrace.h"
#include "bin/runsc-boot/seccomp/filter.h"

namespace runsc::boot {

namespace {

// The filters of `task`, the first installed with index 0. EACCES: `caller` has
// no CAP_SYS_ADMIN in the first user namespace, or filters itself; EINVAL:
// `task` has none; ENOENT: not so many.
Result<const seccomp::Filter*> FilterAt(const Task& caller, const seccomp::Filter* youngest,
                                        uint64_t index) {
  if (!caller.credentials()->HasInitially(CAP_SYS_ADMIN) || caller.seccomp_filter() != nullptr) {
    return Error(EACCES);
  }
  if (youngest == nullptr || youngest->strict()) return Error(EINVAL);
  if (index >= youngest->count()) return Error(ENOENT);
  const seccomp::Filter* filter = youngest;
  for (size_t above = youngest->count() - 1 - index; above > 0; --above) {
    filter = filter->previous();
  }
  return filter;
}

}  // namespace

Result<uint64_t> Tracee::SeccompFilter(Task& caller, const Task& task, uint64_t index,
                                       uint64_t address) {
  const seccomp::FilterRef youngest = task.seccomp_filter();
  TRY_ASSIGN(const seccomp::Filter* filter, FilterAt(caller, youngest.get(), index));
  const std::span<const sock_filter> program = filter->program();
  if (address != 0) TRY(caller.CopyOut(address, program.data(), program.size_bytes()));
  return program.size();
}

Result<uint64_t> Tracee::SeccompMetadata(Task& caller, const Task& task, uint64_t size,
                                         uint64_t address) {
  seccomp_metadata metadata{};
  const seccomp::FilterRef youngest = task.seccomp_filter();
  // Whether the caller may ask at all comes first.
  if (Result<const seccomp::Filter*> any = FilterAt(caller, youngest.get(), 0);
      any.code() == EACCES) {
    return std::move(any).error();
  }
  size = std::min<uint64_t>(size, sizeof(metadata));
  if (size < sizeof(metadata.filter_off)) return Error(EINVAL);
  TRY_ASSIGN(metadata.filter_off, caller.CopyInObject<uint64_t>(address));
  TRY_ASSIGN(const seccomp::Filter* filter, FilterAt(caller, youngest.get(), metadata.filter_off));
  if (filter->options().log) metadata.flags |= SECCOMP_FILTER_FLAG_LOG;
  TRY(caller.CopyOut(address, &metadata, size));
  return size;
}

}  // namespace runsc::boot
