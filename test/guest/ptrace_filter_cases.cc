// PTRACE_SECCOMP_GET_FILTER and PTRACE_SECCOMP_GET_METADATA of ptrace(2).
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <vector>

#include "test/guest/ptracing.h"

using namespace guest;

namespace {

// Allows everything; `mark` tells it from others.
std::vector<sock_filter> Marked(unsigned mark) {
  return {{BPF_LD | BPF_IMM, 0, 0, mark}, {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
}
void Install(const std::vector<sock_filter>& program, unsigned flags = 0) {
  const sock_fprog code = {static_cast<unsigned short>(program.size()),
                           const_cast<sock_filter*>(program.data())};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &code) < 0) _exit(98);
}
// A stopped tracee with two filters.
pid_t TracedWithFilters(unsigned flags = 0) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (Ptrace(PTRACE_TRACEME, 0) != 0) _exit(99);
    Install(Marked(1));
    Install(Marked(2), flags);
    raise(SIGSTOP);
    _exit(0);
  }
  WaitStatus(pid);
  return pid;
}
// "2 instructions, mark 1", or the error.
std::string Filter(pid_t pid, unsigned long index) {
  sock_filter program[8] = {};
  const long size = Ptrace(PTRACE_SECCOMP_GET_FILTER, pid, index, At(program));
  if (size < 0) return strerrorname_np(errno);
  return std::to_string(size) + " instructions, mark " + std::to_string(program[0].k) + ", last " +
         std::to_string(program[size - 1].code);
}
std::string Metadata(pid_t pid, unsigned long size, unsigned long long index) {
  unsigned long long words[4] = {index, 77, 77, 77};
  const long result = Ptrace(PTRACE_SECCOMP_GET_METADATA, pid, size, At(words));
  if (result < 0) return strerrorname_np(errno);
  return std::to_string(result) + ":" + std::to_string(words[0]) + "," + std::to_string(words[1]) +
         "," + std::to_string(words[2]);
}
void DropAdmin() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  MUST(syscall(SYS_capget, &header, data));
  data[0].effective &= ~(1u << CAP_SYS_ADMIN);
  MUST(syscall(SYS_capset, &header, data));
}

}  // namespace

CASE(filter_dump_begins_with_the_oldest) {
  const pid_t pid = TracedWithFilters();
  for (unsigned long index : {0ul, 1ul, 2ul, 1000ul, ~0ul}) Record("filter", Filter(pid, index));
  Kill(pid);
}
CASE(filter_dump_to_nowhere) {
  const pid_t pid = TracedWithFilters();
  T(Ptrace(PTRACE_SECCOMP_GET_FILTER, pid, 0, 0));
  T(Ptrace(PTRACE_SECCOMP_GET_FILTER, pid, 0, At(BadPointer())));
  T(Ptrace(PTRACE_SECCOMP_GET_FILTER, pid, 2, At(BadPointer())));
  T(Ptrace(PTRACE_SECCOMP_GET_METADATA, pid, 16, 0));
  Kill(pid);
}
CASE(filter_dump_without_filters) {
  const pid_t pid = Traced([] { return 0; });
  Record("filter", Filter(pid, 0));
  Record("metadata", Metadata(pid, 16, 0));
  Kill(pid);
}
CASE(filter_dump_without_capability) {
  const pid_t pid = TracedWithFilters();
  DropAdmin();
  Record("filter", Filter(pid, 0));
  Record("missing", Filter(pid, 2));
  Record("metadata", Metadata(pid, 16, 0));
  Record("short", Metadata(pid, 7, 0));
  Kill(pid);
}
CASE(filter_dump_without_capability_nor_filters) {
  const pid_t pid = Traced([] { return 0; });
  DropAdmin();
  Record("filter", Filter(pid, 0));
  Record("metadata", Metadata(pid, 7, 0));
  Kill(pid);
}
CASE(filter_dump_by_somebody_filtered) {
  const pid_t pid = TracedWithFilters();
  Install(Marked(3));
  Record("filter", Filter(pid, 0));
  Record("metadata", Metadata(pid, 16, 0));
  Kill(pid);
}
CASE(filter_dump_of_strict_mode) {
  int pipe_fds[2];
  MUST(pipe(pipe_fds));
  const pid_t pid = fork();
  if (pid == 0) {
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) _exit(98);
    char byte;
    while (true) (void)!read(pipe_fds[0], &byte, 1);
  }
  SleepMs(20);
  T(Ptrace(PTRACE_SEIZE, pid));
  T(Ptrace(PTRACE_INTERRUPT, pid));
  Record("stop", WaitText(pid));
  Record("filter", Filter(pid, 0));
  Record("metadata", Metadata(pid, 16, 0));
  Kill(pid);
}
CASE(filter_dump_of_a_running_task) {
  const pid_t pid = TracedWithFilters();
  Ptrace(PTRACE_CONT, pid);
  WaitText(pid);
  Record("filter", Filter(pid, 0));
}
CASE(filter_metadata_sizes) {
  const pid_t pid = TracedWithFilters();
  for (unsigned long size : {0ul, 7ul, 8ul, 12ul, 16ul, 17ul, 100ul, ~0ul}) {
    Record("metadata", Metadata(pid, size, 1));
  }
  Record("missing", Metadata(pid, 16, 2));
  Record("far", Metadata(pid, 16, ~0ull));
  Kill(pid);
}
CASE(filter_metadata_of_a_logging_filter) {
  const pid_t pid = TracedWithFilters(SECCOMP_FILTER_FLAG_LOG);
  Record("plain", Metadata(pid, 16, 0));
  Record("logging", Metadata(pid, 16, 1));
  Kill(pid);
}
