// What the programs about capabilities have in common.
#ifndef RUNSC_TEST_GUEST_CAPABILITY_SETS_H_
#define RUNSC_TEST_GUEST_CAPABILITY_SETS_H_

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

#include "test/guest/cases.h"

namespace guest {

using Header = __user_cap_header_struct;
using Data = __user_cap_data_struct;

inline std::string Sets() {
  return StatusField("CapInh") + "," + StatusField("CapPrm") + "," + StatusField("CapEff") + "," +
         StatusField("CapAmb");
}
inline int Get(Data* data, pid_t pid = 0, unsigned version = _LINUX_CAPABILITY_VERSION_3) {
  Header header = {version, pid};
  return static_cast<int>(syscall(SYS_capget, &header, data));
}
inline int Set(const Data* data, pid_t pid = 0, unsigned version = _LINUX_CAPABILITY_VERSION_3) {
  Header header = {version, pid};
  return static_cast<int>(syscall(SYS_capset, &header, data));
}
inline unsigned Bit(int capability) { return 1u << capability; }
// Sets all three sets to the low capabilities given.
inline void Only(unsigned permitted, unsigned effective, unsigned inheritable = 0) {
  Data data[2] = {};
  data[0].permitted = permitted;
  data[0].effective = effective;
  data[0].inheritable = inheritable;
  if (Set(data) < 0) Broken("capset");
}
struct FileCaps {
  unsigned magic, permitted, inheritable, permitted_high, inheritable_high, root;
};
inline void GiveFile(const char* path, unsigned permitted, unsigned inheritable, bool effective) {
  CopySelf(path);
  const FileCaps caps = {0x02000000u | (effective ? 1u : 0u), permitted, inheritable, 0, 0, 0};
  MUST(setxattr(path, "security.capability", &caps, 20, 0));
}
// The sets of a program that the body executes as "print-caps".
inline std::string After(const std::function<void()>& body) {
  int pipe_fds[2];
  MUST(pipe(pipe_fds));
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipe_fds[1], 1);
    body();
    dprintf(1, "exec %s", strerrorname_np(errno));
    _exit(1);
  }
  close(pipe_fds[1]);
  std::string text = Drain(pipe_fds[0]);
  close(pipe_fds[0]);
  waitpid(child, nullptr, 0);
  return text;
}
inline void Run(const char* path) { execl(path, "print-caps", nullptr); }
inline void RunSelf() { Run("/proc/self/exe"); }

__attribute__((constructor)) static void PrintCaps(int argc, char** argv, char**) {
  if (argc != 1 || strcmp(argv[0], "print-caps") != 0) return;
  printf("%s securebits=%d secure=%d dumpable=%d", Sets().c_str(), prctl(PR_GET_SECUREBITS),
         secure_getenv("PATH") == nullptr && getenv("PATH") != nullptr, prctl(PR_GET_DUMPABLE));
  fflush(stdout);
  _exit(0);
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_CAPABILITY_SETS_H_
