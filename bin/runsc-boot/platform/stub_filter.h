// The seccomp filter of the stubs: which calls the host executes by itself
// for application code and for stub code, which trap into the stub, and that
// everything else goes to the kernel by notification.
//
// It is the boundary between the application and the host. What it allows can
// touch nothing but the caller's own address space, its own thread and its
// clock. Application code can jump into the stub, so "from the stub" protects
// nothing but the application from itself.
#ifndef RUNSC_BOOT_PLATFORM_STUB_FILTER_H_
#define RUNSC_BOOT_PLATFORM_STUB_FILTER_H_

#include <linux/filter.h>
#include <sched.h>

#include <csignal>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/result.h"

namespace runsc::boot::platform {

// The host clones that a stub may make: one of these, and any of
// kOptionalCloneFlags with it.
inline constexpr uint64_t kCloneProcess = SIGCHLD;
inline constexpr uint64_t kCloneSharedMemory = CLONE_VM | SIGCHLD;
inline constexpr uint64_t kCloneSuspended = CLONE_VFORK | SIGCHLD;
inline constexpr uint64_t kCloneVfork = CLONE_VM | CLONE_VFORK | SIGCHLD;
inline constexpr uint64_t kCloneThread =
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
inline constexpr uint64_t kOptionalCloneFlags =
    CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;

// Whether `flags` is one of those combinations.
bool IsPermittedClone(uint64_t flags);

// The program. `native_calls` false: application code gets no call executed
// by the host that a notification could bring to the kernel.
Result<std::vector<sock_filter>> BuildStubFilter(bool native_calls);

// A program that stacks on the other: `numbers` trap when the application makes
// them.
Result<std::vector<sock_filter>> BuildTrapFilter(std::span<const uint32_t> numbers);

// The rules, one line each, with reasons.
std::string DescribeStubFilter(bool native_calls);

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_STUB_FILTER_H_
