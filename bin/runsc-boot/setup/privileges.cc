#include "bin/runsc-boot/setup/privileges.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/capabilities.h"

namespace runsc::boot::setup {

void RaiseLimits() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  const rlimit none = {0, 0};
  // A core would hold the container's memory.
  setrlimit(RLIMIT_CORE, &none);
}

Status DropIdentity() {
  TRY(KeepOnlyCapabilities(CapabilityMaskOf({CAP_SETUID, CAP_SETGID, CAP_SETPCAP})));
  // The change of ids below takes the permitted and effective ones, but not
  // those of the bounding set.
  for (int capability : {CAP_SETUID, CAP_SETGID, CAP_SETPCAP}) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      return ErrnoError("drop the last capabilities");
    }
  }
  if (syscall(SYS_setgroups, 0, nullptr) != 0) return ErrnoError("drop supplementary groups");
  if (syscall(SYS_setresgid, kBootGid, kBootGid, kBootGid) != 0) {
    return ErrnoError("change the group id");
  }
  if (syscall(SYS_setresuid, kBootUid, kBootUid, kBootUid) != 0) {
    return ErrnoError("change the user id");
  }
  return Ok();
}

std::string DescribePrivileges() {
  FilterOptions none, host;
  host.host_network = true;
  return absl::StrCat("uid: ", kBootUid, " (nobody), gid: ", kBootGid,
                      ", no supplementary groups\n"
                      "namespaces: own mount, pid, ipc, uts; network: the container's\n"
                      "root directory: empty but for a read-only /proc of its pid namespace\n"
                      "capabilities: ",
                      DescribeCapabilities(0),
                      "\nno_new_privs: yes\nsystem calls (others kill the process):\n",
                      BootFilter(none).Describe(), "system calls with --network=host:\n",
                      BootFilter(host).Describe());
}

}  // namespace runsc::boot::setup
