// Capability sets: capget, capset, prctl, exec and set*id transitions.
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

#include "test/guest/capability_sets.h"

using namespace guest;

CASE(capget_version_1) {
  Data data[2] = {};
  data[1].effective = 0x1234;
  T(Get(data, 0, _LINUX_CAPABILITY_VERSION_1));
  Record("low", data[0].effective != 0);
  Record("high_untouched", data[1].effective == 0x1234);
}
CASE(capget_version_2) {
  Data data[2] = {};
  T(Get(data, 0, _LINUX_CAPABILITY_VERSION_2));
  Record("high", data[1].effective != 0);
}
CASE(capget_of_self_by_pid) {
  Data a[2] = {}, b[2] = {};
  T(Get(a));
  T(Get(b, getpid()));
  Record("same", memcmp(a, b, sizeof a) == 0);
}
CASE(capget_of_child) {
  const pid_t child = fork();
  if (child == 0) {
    BecomeUser(1000, 1000);
    while (true) pause();
  }
  SleepMs(100);
  Data data[2] = {};
  T(Get(data, child));
  Record("effective", data[0].effective);
  Record("permitted", data[0].permitted);
  T(Set(data, child));
  kill(child, SIGKILL);
}
CASE(capget_missing_and_bad) {
  Data data[2] = {};
  T(Get(data, 99999));
  T(Get(data, -5));
  T(Get(data, 0, 0x19980331));
  T(syscall(SYS_capget, BadPointer(), data));
  Header header = {_LINUX_CAPABILITY_VERSION_3, 0};
  T(syscall(SYS_capget, &header, BadPointer()));
  T(syscall(SYS_capget, &header, nullptr));
  header.version = 0;
  T(syscall(SYS_capget, &header, data));
  Record("told", header.version == _LINUX_CAPABILITY_VERSION_3);
}
CASE(capset_bad) {
  Header header = {0x77, 0};
  Data data[2] = {};
  T(syscall(SYS_capset, &header, data));
  header = {_LINUX_CAPABILITY_VERSION_3, 1};
  T(syscall(SYS_capset, &header, data));
  header = {_LINUX_CAPABILITY_VERSION_3, 0};
  T(syscall(SYS_capset, &header, BadPointer()));
  T(syscall(SYS_capset, BadPointer(), data));
}
CASE(capset_version_1_clears_the_rest) {
  Data data[2] = {};
  MUST(Get(data));
  T(Set(data, 0, _LINUX_CAPABILITY_VERSION_1));
  Record("sets", Sets());
}
CASE(capset_effective_within_permitted) {
  Only(Bit(CAP_CHOWN) | Bit(CAP_KILL), Bit(CAP_CHOWN));
  Record("sets", Sets());
  Data data[2] = {};
  data[0].permitted = Bit(CAP_CHOWN);
  data[0].effective = Bit(CAP_CHOWN) | Bit(CAP_KILL);
  T(Set(data));
  data[0].permitted = data[0].effective = Bit(CAP_CHOWN) | Bit(CAP_FOWNER);
  T(Set(data));
  data[0].permitted = data[0].effective = 0;
  T(Set(data));
  Record("sets", Sets());
}
CASE(capset_inheritable_without_setpcap) {
  Only(Bit(CAP_CHOWN), Bit(CAP_CHOWN));
  Data data[2] = {};
  data[0].permitted = Bit(CAP_CHOWN);
  data[0].inheritable = Bit(CAP_CHOWN);
  T(Set(data));
  data[0].inheritable = Bit(CAP_CHOWN) | Bit(CAP_KILL);
  T(Set(data));
  Record("sets", Sets());
}
CASE(capset_inheritable_beyond_bounding) {
  MUST(prctl(PR_CAPBSET_DROP, CAP_KILL));
  Data data[2] = {};
  MUST(Get(data));
  data[0].inheritable = Bit(CAP_KILL);
  T(Set(data));
  data[0].inheritable = Bit(CAP_CHOWN);
  T(Set(data));
}
CASE(capset_unknown_bits_are_dropped) {
  Data data[2] = {};
  MUST(Get(data));
  data[1].permitted |= 0xff000000u;
  T(Set(data));
}
CASE(capset_drops_ambient) {
  Data data[2] = {};
  MUST(Get(data));
  data[0].inheritable = Bit(CAP_CHOWN) | Bit(CAP_KILL);
  MUST(Set(data));
  MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
  MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  Record("before", StatusField("CapAmb"));
  data[0].inheritable = Bit(CAP_KILL);
  T(Set(data));
  Record("after", StatusField("CapAmb"));
}
CASE(ambient_arguments) {
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 63, 0, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 1, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0));
  T(prctl(PR_CAP_AMBIENT, 9, CAP_CHOWN, 0, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_CHOWN, 0, 0));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 63, 0, 0));
}
CASE(ambient_survives_exec_of_user) {
  Record("after", After([] {
           Data data[2] = {};
           Get(data);
           data[0].inheritable = Bit(CAP_CHOWN);
           Set(data);
           prctl(PR_SET_KEEPCAPS, 1);
           BecomeUser(1000, 1000);
           Get(data);
           data[0].inheritable = Bit(CAP_CHOWN);
           data[0].effective = data[0].permitted;
           Set(data);
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0);
           RunSelf();
         }));
}
CASE(ambient_forbidden_by_securebit) {
  Data data[2] = {};
  MUST(Get(data));
  data[0].inheritable = Bit(CAP_CHOWN);
  MUST(Set(data));
  T(prctl(PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE));
  T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
}
CASE(bounding_set_arguments) {
  T(prctl(PR_CAPBSET_READ, CAP_LAST_CAP));
  T(prctl(PR_CAPBSET_READ, CAP_LAST_CAP + 1));
  T(prctl(PR_CAPBSET_DROP, CAP_LAST_CAP + 1));
  T(prctl(PR_CAPBSET_DROP, CAP_KILL));
  T(prctl(PR_CAPBSET_READ, CAP_KILL));
  Only(Bit(CAP_CHOWN), Bit(CAP_CHOWN));
  T(prctl(PR_CAPBSET_DROP, CAP_CHOWN));
}
CASE(bounding_set_limits_root_exec) {
  Record("after", After([] {
           prctl(PR_CAPBSET_DROP, CAP_CHOWN);
           prctl(PR_CAPBSET_DROP, CAP_KILL);
           RunSelf();
         }));
}
CASE(inheritable_survives_bounding) {
  Record("after", After([] {
           Data data[2] = {};
           Get(data);
           data[0].inheritable = Bit(CAP_CHOWN);
           Set(data);
           prctl(PR_CAPBSET_DROP, CAP_CHOWN);
           RunSelf();
         }));
}
CASE(securebits_read_and_set) {
  T(prctl(PR_GET_SECUREBITS));
  T(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
  T(prctl(PR_GET_SECUREBITS));
  T(prctl(PR_SET_SECUREBITS, 1 << 30));
  T(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED));
  T(prctl(PR_SET_SECUREBITS, 0));
  T(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT_LOCKED));
  T(prctl(PR_GET_SECUREBITS));
}
CASE(securebits_without_setpcap) {
  Only(Bit(CAP_CHOWN), Bit(CAP_CHOWN));
  T(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
  T(prctl(PR_SET_SECUREBITS, 0));
}
CASE(securebits_noroot_exec) {
  Record("after", After([] {
           prctl(PR_SET_SECUREBITS, SECBIT_NOROOT);
           RunSelf();
         }));
}
CASE(securebits_keepcaps_bit) {
  T(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS));
  T(prctl(PR_GET_KEEPCAPS));
  T(prctl(PR_SET_KEEPCAPS, 0));
  T(prctl(PR_GET_SECUREBITS));
  T(prctl(PR_SET_KEEPCAPS, 1));
  T(prctl(PR_GET_SECUREBITS));
  T(prctl(PR_SET_KEEPCAPS, 2));
  T(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS_LOCKED));
  T(prctl(PR_SET_KEEPCAPS, 1));
}
CASE(securebits_no_setuid_fixup) {
  MUST(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP));
  const std::string before = Sets();
  MUST(setresuid(1000, 1000, 1000));
  Record("same", Sets() == before);
}
CASE(keepcaps_is_lost_by_exec) {
  Record("after", After([] {
           prctl(PR_SET_KEEPCAPS, 1);
           RunSelf();
         }));
}
CASE(setuid_transitions_of_effective) {
  const std::string full = StatusField("CapEff");
  MUST(seteuid(1000));
  Record("lowered", StatusField("CapEff"));
  Record("permitted_same", StatusField("CapPrm") == full);
  MUST(seteuid(0));
  Record("back", StatusField("CapEff") == full);
}
CASE(setuid_transition_clears_permitted) {
  MUST(setresuid(1000, 1000, 0));
  Record("saved_root_keeps", StatusField("CapPrm") != "0000000000000000");
  MUST(setresuid(1000, 1000, 1000));
  Record("sets", Sets());
}
CASE(setuid_transition_clears_ambient) {
  Data data[2] = {};
  MUST(Get(data));
  data[0].inheritable = Bit(CAP_CHOWN);
  MUST(Set(data));
  MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
  MUST(prctl(PR_SET_KEEPCAPS, 1));
  MUST(setresuid(1000, 1000, 1000));
  Record("ambient", StatusField("CapAmb"));
  Record("inheritable", StatusField("CapInh"));
}
CASE(exec_by_user_loses_all) {
  Record("after", After([] {
           BecomeUser(1000, 1000);
           RunSelf();
         }));
}
CASE(exec_with_real_root_only) {
  Record("after", After([] {
           setresuid(0, 1000, 1000);
           RunSelf();
         }));
}
CASE(exec_with_effective_root_only) {
  Record("after", After([] {
           setresuid(1000, 0, 0);
           RunSelf();
         }));
}
