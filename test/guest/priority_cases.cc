// getpriority(2), setpriority(2), ioprio_get(2), ioprio_set(2): whom they name in
// namespaces, and what those have that nothing was set for.
#include <sched.h>
#include <sys/resource.h>

#include "test/guest/pid_namespaces.h"
#include "test/guest/user_namespaces.h"

using namespace guest;

namespace {

constexpr int kProcess = 1, kGroup = 2, kUser = 3;  // IOPRIO_WHO_*

long RawPriority(int which, int who) { return syscall(SYS_getpriority, which, who); }
std::string IoPriority(int which, int who) {
  const long value = syscall(SYS_ioprio_get, which, who);
  if (value < 0) return strerrorname_np(errno);
  return std::to_string(value >> 13) + "." + std::to_string(value & 0x1fff);
}

}  // namespace

CASE(ioprio_set_and_get) {
  T(syscall(SYS_ioprio_set, kProcess, 0, 2 << 13 | 5));
  T(syscall(SYS_ioprio_get, kProcess, 0));
  T(syscall(SYS_ioprio_set, kProcess, 0, 3 << 13));
  T(syscall(SYS_ioprio_get, kProcess, 0));
  T(syscall(SYS_ioprio_set, kProcess, 0, 2 << 13 | 9));
  T(syscall(SYS_ioprio_set, kProcess, 0, 0));
  T(syscall(SYS_ioprio_set, 9, 0, 2 << 13));
  T(syscall(SYS_ioprio_get, 9, 0));
  T(syscall(SYS_ioprio_get, kProcess, 99999));
  T(syscall(SYS_ioprio_set, kProcess, 99999, 2 << 13));
}
CASE(ioprio_without_one) {
  MUST(setpgid(0, 0));
  Record("process", IoPriority(kProcess, 0));
  Record("group", IoPriority(kGroup, 0));
  MUST(setpriority(PRIO_PROCESS, 0, 10));
  Record("process", IoPriority(kProcess, 0));
  Record("group", IoPriority(kGroup, 0));
  sched_param none = {};
  MUST(sched_setscheduler(0, SCHED_IDLE, &none));
  Record("process", IoPriority(kProcess, 0));
  Record("group", IoPriority(kGroup, 0));
  MUST(syscall(SYS_ioprio_set, kProcess, 0, 2 << 13 | 3));
  Record("group", IoPriority(kGroup, 0));
}
CASE(priority_in_pid_namespace) {
  const int outside = getpid();
  Record("inside", AsInit([outside] {
           setpgid(0, 0);
           const pid_t child = Sleeper();
           std::string text = ErrorOf(setpriority(PRIO_PROCESS, static_cast<id_t>(child), 4));
           text += "," + ErrorOf(RawPriority(PRIO_PROCESS, child));
           text += "," + ErrorOf(RawPriority(PRIO_PROCESS, 1));
           text += "," + ErrorOf(RawPriority(PRIO_PGRP, 1));
           text += "," + ErrorOf(setpriority(PRIO_PGRP, 1, 6));
           text += "," + ErrorOf(RawPriority(PRIO_PROCESS, child));
           text += "," + ErrorOf(RawPriority(PRIO_PROCESS, outside));
           text += "," + IoPriority(kProcess, child) + "," + IoPriority(kGroup, 1);
           kill(child, SIGKILL);
           return text;
         }));
  T(RawPriority(PRIO_PROCESS, 0));
}
CASE(priority_of_user_in_pid_namespace) {
  Record("inside", AsInit([] { return ErrorOf(setpriority(PRIO_USER, 0, 3)); }));
  T(RawPriority(PRIO_PROCESS, 0));
}
CASE(priority_of_user_in_user_namespace) {
  BecomeUser(2346, 2346);
  EnterMapped();
  T(setpriority(PRIO_USER, 0, 3));
  T(RawPriority(PRIO_PROCESS, 0));
  T(RawPriority(PRIO_USER, 0));
  T(RawPriority(PRIO_USER, 2346));
  T(RawPriority(kUser, 0));
}
