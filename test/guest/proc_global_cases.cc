// /proc: files of no process.
#include <sys/inotify.h>

#include "test/guest/proc_files.h"

using namespace guest;

CASE(global_stat_has_cpus_and_counters) {
  const std::string stat = Content("/proc/stat");
  for (const char* key : {"cpu ", "cpu0 ", "intr ", "ctxt ", "btime ", "processes ",
                          "procs_running ", "procs_blocked ", "softirq "}) {
    Record(key, Line(stat, key) != "none");
  }
  const long before = atol(Line(stat, "processes ").c_str() + 10);
  InChild([] { return 0; });
  Record("counts_forks", atol(Line(Content("/proc/stat"), "processes ").c_str() + 10) > before);
}
CASE(global_meminfo_keys) {
  const std::string text = Content("/proc/meminfo");
  for (const char* key :
       {"MemTotal:", "MemFree:", "MemAvailable:", "Buffers:", "Cached:", "SwapTotal:", "SwapFree:",
        "Shmem:", "Slab:", "SReclaimable:", "CommitLimit:", "HugePages_Total:"}) {
    Record(key, Line(text, key) != "none");
  }
}
CASE(global_files_exist) {
  for (const char* name :
       {"cgroups",    "cmdline", "consoles", "cpuinfo",  "devices",  "diskstats", "filesystems",
        "interrupts", "loadavg", "locks",    "meminfo",  "misc",     "mounts",    "net/dev",
        "partitions", "self",    "stat",     "swaps",    "sys",      "sysvipc",   "thread-self",
        "uptime",     "version", "vmstat",   "softirqs", "buddyinfo"}) {
    Record(name, access((std::string("/proc/") + name).c_str(), F_OK));
  }
}
CASE(global_loadavg_and_uptime_form) {
  double a, b, c;
  int running, total, last;
  Record("loadavg", sscanf(Content("/proc/loadavg").c_str(), "%lf %lf %lf %d/%d %d", &a, &b, &c,
                           &running, &total, &last));
  Record("uptime", sscanf(Content("/proc/uptime").c_str(), "%lf %lf", &a, &b));
}
CASE(sysctl_values_are_numbers) {
  for (const char* name :
       {"kernel/pid_max", "kernel/threads-max", "kernel/ngroups_max", "kernel/cap_last_cap",
        "fs/file-max", "fs/nr_open", "vm/overcommit_memory", "kernel/random/entropy_avail",
        "vm/max_map_count", "kernel/sched_rt_runtime_us"}) {
    Record(name, atoll(Content((std::string("/proc/sys/") + name).c_str()).c_str()) >= 0);
    Record("there", access((std::string("/proc/sys/") + name).c_str(), F_OK));
  }
}
