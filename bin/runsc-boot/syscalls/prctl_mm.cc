// prctl(2), PR_SET_MM: where a process says its arguments and environment lie.
// Only /proc/PID shows it, so any address of the caller's own is harmless.

#include <linux/prctl.h>

#include <cstring>

#include "bin/runsc-boot/syscalls/prctl.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kLowest = 65536, kTaskSize = (uint64_t{1} << 47) - 4096;

bool IsMapped(Task& task, uint64_t address) {
  char byte;
  return task.CopyIn(address, &byte, 1).ok();
}

// prctl_mm_map of linux/prctl.h.
Status SetMap(Task& task, uint64_t address, uint64_t size) {
  if (size != sizeof(prctl_mm_map)) return Error(EINVAL);
  TRY_ASSIGN(prctl_mm_map map, task.CopyInObject<prctl_mm_map>(address));
  for (uint64_t value :
       {map.start_code, map.end_code, map.start_data, map.end_data, map.start_brk, map.brk,
        map.start_stack, map.arg_start, map.arg_end, map.env_start, map.env_end}) {
    if (value < kLowest || value >= kTaskSize) return Error(EINVAL);
  }
  if (map.start_code >= map.end_code || map.start_data > map.end_data || map.start_brk > map.brk ||
      map.arg_start > map.arg_end || map.env_start > map.env_end) {
    return Error(EINVAL);
  }
  // Another program's name is not to be had: the check of exe_fd needs its file.
  if (map.exe_fd != ~uint32_t{0}) return Error(EPERM);
  MemoryManager::Image image = task.memory().image();
  image.code_start = map.start_code;
  image.code_end = map.end_code;
  image.data_start = map.start_data;
  image.data_end = map.end_data;
  image.stack_start = map.start_stack;
  image.arg_start = map.arg_start;
  image.arg_end = map.arg_end;
  image.env_start = map.env_start;
  image.env_end = map.env_end;
  task.memory().set_image(std::move(image));
  return Ok();
}

uint64_t* FieldOf(MemoryManager::Image& image, uint64_t option) {
  switch (option) {
    case PR_SET_MM_START_CODE:
      return &image.code_start;
    case PR_SET_MM_END_CODE:
      return &image.code_end;
    case PR_SET_MM_START_DATA:
      return &image.data_start;
    case PR_SET_MM_END_DATA:
      return &image.data_end;
    case PR_SET_MM_START_STACK:
      return &image.stack_start;
    case PR_SET_MM_ARG_START:
      return &image.arg_start;
    case PR_SET_MM_ARG_END:
      return &image.arg_end;
    case PR_SET_MM_ENV_START:
      return &image.env_start;
    case PR_SET_MM_ENV_END:
      return &image.env_end;
    default:
      return nullptr;
  }
}

}  // namespace

Result<Word> PrctlSetMm(Task& task, const SyscallArgs& args) {
  const uint64_t option = args.Raw(1), address = args.Address(2);
  const bool is_map = option == PR_SET_MM_MAP || option == PR_SET_MM_MAP_SIZE;
  if (args.Raw(4) != 0 || (args.Raw(3) != 0 && option != PR_SET_MM_AUXV && !is_map)) {
    return Error(EINVAL);
  }
  if (option == PR_SET_MM_MAP_SIZE) {
    TRY(task.CopyOutObject(address, unsigned{sizeof(prctl_mm_map)}));
    return 0;
  }
  if (option == PR_SET_MM_MAP) {
    TRY(SetMap(task, address, args.Raw(3)));
    return 0;
  }
  if (!task.credentials()->Has(CAP_SYS_RESOURCE)) return Error(EPERM);
  if (address < kLowest || address >= kTaskSize) return Error(EINVAL);
  MemoryManager::Image image = task.memory().image();
  uint64_t* field = FieldOf(image, option);
  // The heap is the host's, the auxiliary vector and the program exec's.
  if (field == nullptr || !IsMapped(task, address)) return Error(EINVAL);
  *field = address;
  task.memory().set_image(std::move(image));
  return 0;
}

}  // namespace runsc::boot
