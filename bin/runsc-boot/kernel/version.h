// The system that the application sees: what uname(2) and /proc/version say.
#ifndef RUNSC_BOOT_KERNEL_VERSION_H_
#define RUNSC_BOOT_KERNEL_VERSION_H_

namespace runsc::boot {

inline constexpr char kSystemName[] = "Linux";
// The oldest host kernel that the sandbox runs on; programs infer from it which
// calls exist.
inline constexpr char kSystemRelease[] = "6.1.0";
inline constexpr char kSystemVersion[] = "#1 SMP PREEMPT_DYNAMIC runsc";
inline constexpr char kMachine[] = "x86_64";
inline constexpr char kMachine32[] = "i686";

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_VERSION_H_
