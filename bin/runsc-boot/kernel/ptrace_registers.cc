// ptrace(2): registers of a stopped tracee, in the layouts of <sys/user.h> and
// of core files.
#include <asm/prctl.h>
#include <elf.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <algorithm>
#include <cstring>

#include "bin/runsc-boot/kernel/ptrace.h"

namespace runsc::boot {

namespace {

constexpr uint64_t kUserEnd = (uint64_t{1} << 47) - 4096;
constexpr uint64_t kUserCs = 0x33, kUserSs = 0x2b;
// What a tracer may set: the arithmetic flags, DF, TF, RF, NT, AC.
constexpr uint64_t kUserEflags = 0x54dd5;
constexpr size_t kLegacySize = 512;
// In the bytes of an xsave image that are left to software: signal frames have
// their own there, debuggers expect the set of features.
constexpr size_t kSoftwareBytes = 464;
constexpr size_t kHeaderOffset = 512;
constexpr size_t kMxcsrOffset = 24;
constexpr uint32_t kMxcsrMask = 0xffff;
// The kernel's struct user has two words more than the C library's.
constexpr uint64_t kUserSize = sizeof(struct user) + 2 * sizeof(uint64_t);

// struct _fpx_sw_bytes.
struct SoftwareBytes {
  uint32_t magic1, extended_size;
  uint64_t features;
  uint32_t xstate_size, padding[7];
};

user_regs_struct ToUser(const platform::Registers& r, int64_t original_rax) {
  user_regs_struct user{};
  user.r15 = r.r15, user.r14 = r.r14, user.r13 = r.r13, user.r12 = r.r12;
  user.r11 = r.r11, user.r10 = r.r10, user.r9 = r.r9, user.r8 = r.r8;
  user.rbp = r.rbp, user.rbx = r.rbx, user.rax = r.rax, user.rcx = r.rcx;
  user.rdx = r.rdx, user.rsi = r.rsi, user.rdi = r.rdi;
  user.rip = r.rip, user.rsp = r.rsp;
  user.orig_rax = static_cast<uint64_t>(original_rax);
  user.cs = kUserCs, user.ss = kUserSs;
  user.eflags = r.eflags | 0x200;
  user.fs_base = r.fs_base, user.gs_base = r.gs_base;
  return user;
}

bool IsUserSelector(uint64_t value) { return value == 0 || (value & 3) == 3; }

Status FromUser(const user_regs_struct& user, platform::Registers& r, int64_t& original_rax) {
  for (uint64_t selector : {user.ds, user.es, user.fs, user.gs}) {
    if (!IsUserSelector(selector)) return Error(EIO);
  }
  if ((user.cs & 3) != 3 || (user.ss & 3) != 3) return Error(EIO);
  if (user.fs_base >= kUserEnd || user.gs_base >= kUserEnd) return Error(EIO);
  r.r15 = user.r15, r.r14 = user.r14, r.r13 = user.r13, r.r12 = user.r12;
  r.r11 = user.r11, r.r10 = user.r10, r.r9 = user.r9, r.r8 = user.r8;
  r.rbp = user.rbp, r.rbx = user.rbx, r.rax = user.rax, r.rcx = user.rcx;
  r.rdx = user.rdx, r.rsi = user.rsi, r.rdi = user.rdi;
  r.rip = user.rip, r.rsp = user.rsp;
  original_rax = static_cast<int64_t>(user.orig_rax);
  r.eflags = (r.eflags & ~kUserEflags) | (user.eflags & kUserEflags);
  r.fs_base = user.fs_base, r.gs_base = user.gs_base;
  return Ok();
}

}  // namespace

Result<uint64_t> Tracee::User(Task& caller, Task& task, int request, uint64_t offset,
                              uint64_t data) {
  constexpr uint64_t kDebug = offsetof(struct user, u_debugreg);
  if (offset % sizeof(uint64_t) != 0 || offset >= kUserSize) return Error(EIO);
  platform::Registers& r = task.thread().registers();
  const bool poke = request == PTRACE_POKEUSR;
  const bool is_debug =
      offset >= kDebug && offset < kDebug + DebugRegisters::kCount * sizeof(uint64_t);
  const int number = is_debug ? static_cast<int>((offset - kDebug) / sizeof(uint64_t)) : 0;
  user_regs_struct user = ToUser(r, original_rax_);
  if (!poke) {
    uint64_t value = 0;
    if (offset < sizeof(user)) {
      memcpy(&value, reinterpret_cast<const char*>(&user) + offset, sizeof(value));
    } else if (is_debug) {
      value = debug_.Get(number);
    }
    TRY(caller.CopyOutObject(data, value));
    return 0;
  }
  if (offset < sizeof(user)) {
    memcpy(reinterpret_cast<char*>(&user) + offset, &data, sizeof(data));
    TRY(FromUser(user, r, original_rax_));
    return 0;
  }
  if (!is_debug) return Error(EIO);
  TRY(debug_.Set(number, data));
  return 0;
}

Result<std::vector<std::byte>> Tracee::ReadSet(Task& task, uint64_t type) {
  if (type == NT_PRSTATUS) {
    const user_regs_struct user = ToUser(task.thread().registers(), original_rax_);
    const auto* begin = reinterpret_cast<const std::byte*>(&user);
    return std::vector<std::byte>(begin, begin + sizeof(user));
  }
  if (type != NT_FPREGSET && type != NT_X86_XSTATE) return Error(EINVAL);
  std::vector<std::byte> image = task.thread().ReadXstate();
  SoftwareBytes software;
  memcpy(&software, image.data() + kSoftwareBytes, sizeof(software));
  if (type == NT_FPREGSET || image.size() <= kLegacySize) {
    if (type == NT_X86_XSTATE) return Error(ENODEV);
    image.resize(kLegacySize);
    memset(image.data() + kSoftwareBytes, 0, sizeof(software));
    return image;
  }
  image.resize(software.xstate_size);
  const uint64_t features = software.features;
  memset(image.data() + kSoftwareBytes, 0, sizeof(software));
  memcpy(image.data() + kSoftwareBytes, &features, sizeof(features));
  return image;
}

Status Tracee::WriteSet(Task& task, uint64_t type, std::span<const std::byte> bytes) {
  if (type == NT_PRSTATUS) {
    platform::Registers& r = task.thread().registers();
    user_regs_struct user = ToUser(r, original_rax_);
    memcpy(&user, bytes.data(), std::min(bytes.size(), sizeof(user)));
    return FromUser(user, r, original_rax_);
  }
  if (type != NT_FPREGSET && type != NT_X86_XSTATE) return Error(EINVAL);
  std::vector<std::byte> image = task.thread().ReadXstate();
  SoftwareBytes software;
  memcpy(&software, image.data() + kSoftwareBytes, sizeof(software));
  if (type == NT_X86_XSTATE) {
    if (image.size() <= kLegacySize) return Error(ENODEV);
    if (bytes.size() != software.xstate_size) return Error(EFAULT);
    memcpy(image.data(), bytes.data(), bytes.size());
  } else {
    memcpy(image.data(), bytes.data(), std::min(bytes.size(), kSoftwareBytes));
    if (image.size() > kLegacySize) {
      uint64_t in_use = 0;
      memcpy(&in_use, image.data() + kHeaderOffset, sizeof(in_use));
      in_use |= 3;  // x87 and SSE
      memcpy(image.data() + kHeaderOffset, &in_use, sizeof(in_use));
    }
  }
  uint32_t mxcsr = 0;
  memcpy(&mxcsr, image.data() + kMxcsrOffset, sizeof(mxcsr));
  if ((mxcsr & ~kMxcsrMask) != 0) return Error(EINVAL);
  memcpy(image.data() + kSoftwareBytes, &software, sizeof(software));
  return task.thread().WriteXstate(image);
}

Result<uint64_t> Tracee::Registers(Task& caller, Task& task, int request, uint64_t address) {
  const bool general = request == PTRACE_GETREGS || request == PTRACE_SETREGS;
  const uint64_t type = general ? NT_PRSTATUS : NT_FPREGSET;
  const size_t size = general ? sizeof(user_regs_struct) : kLegacySize;
  if (request == PTRACE_GETREGS || request == PTRACE_GETFPREGS) {
    TRY_ASSIGN(const std::vector<std::byte> bytes, ReadSet(task, type));
    TRY(caller.CopyOut(address, bytes.data(), bytes.size()));
    return 0;
  }
  std::vector<std::byte> bytes(size);
  TRY(caller.CopyIn(address, bytes.data(), bytes.size()));
  TRY(WriteSet(task, type, bytes));
  return 0;
}

Result<uint64_t> Tracee::SegmentBase(Task& caller, Task& task, uint64_t code, uint64_t address) {
  platform::Registers& r = task.thread().registers();
  switch (code) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
      if (address >= kUserEnd) return Error(EPERM);
      (code == ARCH_SET_FS ? r.fs_base : r.gs_base) = address;
      return 0;
    case ARCH_GET_FS:
    case ARCH_GET_GS:
      TRY(caller.CopyOutObject(address, code == ARCH_GET_FS ? r.fs_base : r.gs_base));
      return 0;
    default:
      return Error(EINVAL);
  }
}

Result<uint64_t> Tracee::RegisterSet(Task& caller, Task& task, bool set, uint64_t type,
                                     uint64_t vector_address) {
  TRY_ASSIGN(iovec vector, caller.CopyInObject<iovec>(vector_address));
  TRY_ASSIGN(std::vector<std::byte> bytes, ReadSet(task, static_cast<uint32_t>(type)));
  if (vector.iov_len % sizeof(uint64_t) != 0) return Error(EINVAL);
  const size_t size = std::min<size_t>(vector.iov_len, bytes.size());
  const auto address = reinterpret_cast<uint64_t>(vector.iov_base);
  if (set) {
    TRY(caller.CopyIn(address, bytes.data(), size));
    bytes.resize(size);
    TRY(WriteSet(task, static_cast<uint32_t>(type), bytes));
  } else {
    TRY(caller.CopyOut(address, bytes.data(), size));
  }
  vector.iov_len = size;
  TRY(caller.CopyOutObject(vector_address, vector));
  return 0;
}

}  // namespace runsc::boot
