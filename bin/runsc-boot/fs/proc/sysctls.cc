// /proc/sys: the settings that programs ask for. Those that change nothing here
// are fixed; Docker and others mount the tree read-only in any case.
#include <fcntl.h>
#include <sys/random.h>

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/runsc-boot/fs/proc/root_directory.h"
#include "bin/runsc-boot/kernel/version.h"
#include "bin/runsc-boot/namespaces/ipc_settings.h"

namespace runsc::boot::proc {
namespace {

// A random UUID (version 4) as text.
std::string RandomUuid() {
  std::array<uint8_t, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return "";
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    absl::StrAppendFormat(&text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                          bytes[i]);
  }
  return text;
}

struct Setting {
  const char* path;
  const char* text;
  mode_t mode = 0644;
};

constexpr Setting kSettings[] = {
    {"kernel/cap_last_cap", "40", 0444},
    {"kernel/core_pattern", "core"},
    {"kernel/core_uses_pid", "0"},
    {"kernel/dmesg_restrict", "1"},
    {"kernel/hotplug", ""},
    {"kernel/keys/maxbytes", "20000"},
    {"kernel/keys/maxkeys", "200"},
    {"kernel/kptr_restrict", "1"},
    {"kernel/ngroups_max", "65536", 0444},
    {"kernel/ns_last_pid", "0"},
    {"kernel/osrelease", kSystemRelease, 0444},
    {"kernel/ostype", kSystemName, 0444},
    {"kernel/overflowgid", "65534"},
    {"kernel/overflowuid", "65534"},
    {"kernel/panic", "0"},
    {"kernel/perf_event_paranoid", "2"},
    {"kernel/pid_max", "32768"},
    {"kernel/printk", "4\t4\t1\t7"},
    {"kernel/random/entropy_avail", "256", 0444},
    {"kernel/random/poolsize", "256", 0444},
    {"kernel/randomize_va_space", "2"},
    {"kernel/sched_child_runs_first", "0"},
    {"kernel/sched_rt_period_us", "1000000"},
    {"kernel/sched_rt_runtime_us", "950000"},
    {"kernel/seccomp/actions_avail",
     "kill_process kill_thread trap errno user_notif trace log allow", 0444},
    {"kernel/tainted", "0"},
    {"kernel/threads-max", "192731"},
    {"kernel/unprivileged_bpf_disabled", "2"},
    {"kernel/version", kSystemVersion, 0444},
    {"kernel/yama/ptrace_scope", "1"},

    {"vm/max_map_count", "65530"},
    {"vm/mmap_min_addr", "65536"},
    {"vm/nr_hugepages", "0"},
    {"vm/overcommit_kbytes", "0"},
    {"vm/overcommit_memory", "0"},
    {"vm/overcommit_ratio", "50"},
    {"vm/swappiness", "60"},
    {"vm/vfs_cache_pressure", "100"},
    {"vm/dirty_ratio", "20"},
    {"vm/dirty_background_ratio", "10"},

    {"fs/aio-max-nr", "65536"},
    {"fs/aio-nr", "0", 0444},
    {"fs/epoll/max_user_watches", "5491533"},
    {"fs/file-max", "9223372036854775807"},
    {"fs/file-nr", "0\t0\t9223372036854775807", 0444},
    {"fs/inotify/max_queued_events", "16384"},
    {"fs/inotify/max_user_instances", "128"},
    {"fs/inotify/max_user_watches", "65536"},
    {"fs/lease-break-time", "45"},
    {"fs/leases-enable", "1"},
    {"fs/mount-max", "100000"},
    {"fs/nr_open", "1048576"},
    {"fs/overflowgid", "65534"},
    {"fs/overflowuid", "65534"},
    {"fs/pipe-max-size", "1048576"},
    {"fs/pipe-user-pages-hard", "0"},
    {"fs/pipe-user-pages-soft", "16384"},
    {"fs/protected_fifos", "0"},
    {"fs/protected_hardlinks", "1"},
    {"fs/protected_regular", "0"},
    {"fs/protected_symlinks", "0"},
    {"fs/suid_dumpable", "0"},

    {"net/core/default_qdisc", "pfifo_fast"},
    {"net/core/netdev_max_backlog", "1000"},
    {"net/core/optmem_max", "131072"},
    {"net/core/rmem_default", "212992"},
    {"net/core/rmem_max", "212992"},
    {"net/core/somaxconn", "4096"},
    {"net/core/wmem_default", "212992"},
    {"net/core/wmem_max", "212992"},
    {"net/ipv4/conf/all/accept_redirects", "1"},
    {"net/ipv4/conf/all/arp_announce", "0"},
    {"net/ipv4/conf/all/arp_ignore", "0"},
    {"net/ipv4/conf/all/forwarding", "0"},
    {"net/ipv4/conf/all/rp_filter", "0"},
    {"net/ipv4/conf/all/send_redirects", "1"},
    {"net/ipv4/conf/default/accept_redirects", "1"},
    {"net/ipv4/conf/default/arp_announce", "0"},
    {"net/ipv4/conf/default/arp_ignore", "0"},
    {"net/ipv4/conf/default/forwarding", "0"},
    {"net/ipv4/conf/default/rp_filter", "0"},
    {"net/ipv4/conf/default/send_redirects", "1"},
    {"net/ipv4/icmp_echo_ignore_all", "0"},
    {"net/ipv4/ip_default_ttl", "64"},
    {"net/ipv4/ip_forward", "0"},
    {"net/ipv4/ip_local_port_range", "32768\t60999"},
    {"net/ipv4/ip_local_reserved_ports", ""},
    {"net/ipv4/ip_nonlocal_bind", "0"},
    {"net/ipv4/ip_unprivileged_port_start", "1024"},
    {"net/ipv4/ping_group_range", "1\t0"},
    {"net/ipv4/tcp_allowed_congestion_control", "reno cubic"},
    {"net/ipv4/tcp_available_congestion_control", "reno cubic", 0444},
    {"net/ipv4/tcp_congestion_control", "cubic"},
    {"net/ipv4/tcp_fin_timeout", "60"},
    {"net/ipv4/tcp_keepalive_intvl", "75"},
    {"net/ipv4/tcp_keepalive_probes", "9"},
    {"net/ipv4/tcp_keepalive_time", "7200"},
    {"net/ipv4/tcp_max_syn_backlog", "2048"},
    {"net/ipv4/tcp_rmem", "4096\t131072\t6291456"},
    {"net/ipv4/tcp_sack", "1"},
    {"net/ipv4/tcp_syn_retries", "6"},
    {"net/ipv4/tcp_syncookies", "1"},
    {"net/ipv4/tcp_timestamps", "1"},
    {"net/ipv4/tcp_tw_reuse", "2"},
    {"net/ipv4/tcp_window_scaling", "1"},
    {"net/ipv4/tcp_wmem", "4096\t16384\t4194304"},
    {"net/ipv6/conf/all/disable_ipv6", "0"},
    {"net/ipv6/conf/all/forwarding", "0"},
    {"net/ipv6/conf/default/disable_ipv6", "0"},
    {"net/unix/max_dgram_qlen", "512"},
};

Result<std::string> NameArgument(std::string_view text) {
  absl::string_view trimmed = absl::StripAsciiWhitespace({text.data(), text.size()});
  if (trimmed.size() > 64) return Error(EINVAL);
  return std::string(trimmed);
}

// The names of the reader's own uts namespace.
void AddNames(Kernel& kernel, pseudo::Tree& tree) {
  struct Name {
    const char* path;
    std::string (UtsNamespace::*get)() const;
    void (UtsNamespace::*set)(std::string);
  };
  for (const Name& name :
       {Name{"sys/kernel/hostname", &UtsNamespace::hostname, &UtsNamespace::set_hostname},
        Name{"sys/kernel/domainname", &UtsNamespace::domainname, &UtsNamespace::set_domainname}}) {
    tree.File(
        name.path, 0644,
        [&kernel, name](Context& context) {
          return (*kernel.NamespacesOf(context)->uts.*name.get)() + "\n";
        },
        [&kernel, name](Context& context, std::string_view text) -> Status {
          const std::shared_ptr<UtsNamespace> uts = kernel.NamespacesOf(context)->uts;
          if (!context.credentials()->HasIn(*uts->owner(), CAP_SYS_ADMIN)) return Error(EPERM);
          TRY_ASSIGN(std::string value, NameArgument(text));
          (*uts.*name.set)(std::move(value));
          return Ok();
        });
  }
}

// Those of the reader's own ipc namespace, which its root may change.
void AddIpcSettings(Kernel& kernel, pseudo::Tree& tree) {
  for (const std::string& name : IpcSettingNames()) {
    tree.File(
        absl::StrCat("sys/", name), 0644,
        [&kernel, name](Context& context) {
          return IpcSetting(*kernel.NamespacesOf(context)->ipc, name);
        },
        [&kernel, name](Context& context, std::string_view text) -> Status {
          const std::shared_ptr<IpcNamespace> space = kernel.NamespacesOf(context)->ipc;
          if (context.credentials()->euid != space->owner()->ToKernelUid(0)) return Error(EPERM);
          TRY(SetIpcSetting(*space, name, text));
          kernel.SweepSharedMemory(space->shared_memory());
          return Ok();
        });
  }
}

}  // namespace

Status CheckSysctl(const std::string& name) {
  for (const Setting& setting : kSettings) {
    if (name != setting.path) continue;
    return setting.mode == 0444 ? Status(Error(EPERM)) : Ok();
  }
  return Error(ENOENT);
}

void AddSysctls(ProcFilesystem& filesystem, pseudo::Tree& tree) {
  Kernel& kernel = filesystem.kernel();
  for (const Setting& setting : kSettings) {
    std::string path = absl::StrCat("sys/", setting.path);
    auto changed = filesystem.sysctls().find(setting.path);
    std::string text =
        absl::StrCat(changed == filesystem.sysctls().end() ? setting.text : changed->second, "\n");
    // What is written is not kept: the setting has no effect here.
    tree.File(
        path, setting.mode, [text](Context&) { return text; },
        [](Context&, std::string_view) -> Status { return Error(EPERM); });
  }
  AddNames(kernel, tree);
  AddIpcSettings(kernel, tree);
  tree.File("sys/kernel/random/boot_id", 0444, [id = RandomUuid()](Context&) { return id + "\n"; });
  tree.File("sys/kernel/random/uuid", 0444, [](Context&) { return RandomUuid() + "\n"; });
}

}  // namespace runsc::boot::proc
