// The files at the top of /proc that describe the machine: what the container
// is to see of it. Processor facts come from the host, cut to the container's
// number of processors; totals come from the kernel.
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "bin/runsc-boot/fs/proc/root_directory.h"
#include "bin/runsc-boot/kernel/version.h"

namespace runsc::boot::proc {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

// Since the sandbox's start.
int64_t UptimeNs(const Kernel& kernel) {
  return std::max<int64_t>(MonotonicNow() - kernel.boot_time_monotonic_ns(), 0);
}

// As the reader's time namespace has it.
int64_t ShownUptimeNs(Kernel& kernel, Context& reader) {
  return kernel.Uptime(*kernel.NamespacesOf(reader)->time);
}

// Of all processes.
uint64_t ResidentPages(ProcFilesystem& filesystem) {
  uint64_t pages = 0;
  for (const ThreadGroupRef& group : filesystem.kernel().Groups()) {
    TaskRef leader = group->leader();
    if (leader == nullptr || group->zombie()) continue;
    platform::ThreadRef thread = leader->thread_ref();
    if (thread == nullptr) continue;
    auto statm = filesystem.host().Statm(thread->process()->host_pid());
    if (statm.ok()) pages += statm->resident - std::min(statm->resident, statm->shared);
  }
  return pages;
}

// The host's file, one paragraph for each processor, for the container's number.
Result<std::string> GenerateCpuinfo(ProcFilesystem& filesystem) {
  TRY_ASSIGN(std::string host, filesystem.host().ReadFile("cpuinfo"));
  const int count = filesystem.kernel().cpu_count();
  std::string text;
  int shown = 0;
  for (absl::string_view block : absl::StrSplit(host, "\n\n", absl::SkipWhitespace())) {
    if (shown++ == count) break;
    for (absl::string_view line : absl::StrSplit(block, '\n', absl::SkipEmpty())) {
      if (absl::StartsWith(line, "siblings\t") || absl::StartsWith(line, "cpu cores\t")) {
        line = line.substr(0, line.find(':'));
        absl::StrAppend(&text, line, ": ", count, "\n");
      } else {
        absl::StrAppend(&text, line, "\n");
      }
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

Result<std::string> GenerateMeminfo(ProcFilesystem& filesystem) {
  const uint64_t total = filesystem.kernel().memory_total() / 1024;
  const uint64_t used = ResidentPages(filesystem) * 4;
  const uint64_t free = total - std::min(total, used);
  struct Row {
    const char* name;
    uint64_t kib;
  };
  const Row rows[] = {
      {"MemTotal:", total},
      {"MemFree:", free},
      {"MemAvailable:", free},
      {"Buffers:", 0},
      {"Cached:", 0},
      {"SwapCached:", 0},
      {"Active:", used},
      {"Inactive:", 0},
      {"Active(anon):", used},
      {"Inactive(anon):", 0},
      {"Active(file):", 0},
      {"Inactive(file):", 0},
      {"Unevictable:", 0},
      {"Mlocked:", 0},
      {"SwapTotal:", 0},
      {"SwapFree:", 0},
      {"Dirty:", 0},
      {"Writeback:", 0},
      {"AnonPages:", used},
      {"Mapped:", 0},
      {"Shmem:", 0},
      {"KReclaimable:", 0},
      {"Slab:", 0},
      {"SReclaimable:", 0},
      {"SUnreclaim:", 0},
      {"KernelStack:", 0},
      {"PageTables:", 0},
      {"NFS_Unstable:", 0},
      {"Bounce:", 0},
      {"WritebackTmp:", 0},
      {"CommitLimit:", total / 2},
      {"Committed_AS:", used},
      {"VmallocTotal:", 34359738367},
      {"VmallocUsed:", 0},
      {"VmallocChunk:", 0},
      {"Percpu:", 0},
      {"AnonHugePages:", 0},
      {"ShmemHugePages:", 0},
      {"ShmemPmdMapped:", 0},
      {"FileHugePages:", 0},
      {"FilePmdMapped:", 0},
  };
  std::string text;
  for (const Row& row : rows) absl::StrAppendFormat(&text, "%-16s%8u kB\n", row.name, row.kib);
  absl::StrAppend(&text,
                  "HugePages_Total:       0\nHugePages_Free:        0\n"
                  "HugePages_Rsvd:        0\nHugePages_Surp:        0\n"
                  "Hugepagesize:       2048 kB\nHugetlb:               0 kB\n");
  return text;
}

Result<std::string> GenerateStat(ProcFilesystem& filesystem, Context& context) {
  Kernel& kernel = filesystem.kernel();
  const LoadAverage::CpuTime totals = kernel.load_average().TotalCpuTime();
  const uint64_t user = totals.user_ns / 10'000'000, system = totals.system_ns / 10'000'000;
  const auto uptime = static_cast<uint64_t>(UptimeNs(kernel) / 10'000'000);
  const auto count = static_cast<uint64_t>(std::max(kernel.cpu_count(), 1));
  const uint64_t idle = uptime * count - std::min(uptime * count, user + system);
  std::string text = absl::StrFormat("cpu  %u 0 %u %u 0 0 0 0 0 0\n", user, system, idle);
  for (uint64_t i = 0; i < count; ++i) {
    absl::StrAppendFormat(&text, "cpu%u %u 0 %u %u 0 0 0 0 0 0\n", i, user / count, system / count,
                          idle / count);
  }
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const size_t running = kernel.load_average().Running(context.caller_task()) + 1;
  absl::StrAppendFormat(&text,
                        "intr 0\nctxt 0\nbtime %d\nprocesses %u\nprocs_running %u\n"
                        "procs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n",
                        now.tv_sec - ShownUptimeNs(kernel, context) / kNanosecondsPerSecond,
                        kernel.forks(), running);
  return text;
}

Result<std::string> GenerateUptime(ProcFilesystem& filesystem, Context& context) {
  Kernel& kernel = filesystem.kernel();
  const LoadAverage::CpuTime totals = kernel.load_average().TotalCpuTime();
  const int64_t up = UptimeNs(kernel);
  const int64_t idle = std::max<int64_t>(
      up * kernel.cpu_count() - static_cast<int64_t>(totals.user_ns + totals.system_ns), 0);
  auto seconds = [](int64_t ns) {
    return absl::StrFormat("%d.%02d", ns / kNanosecondsPerSecond,
                           ns % kNanosecondsPerSecond / 10'000'000);
  };
  return absl::StrCat(seconds(ShownUptimeNs(kernel, context)), " ", seconds(idle), "\n");
}

// The reader runs, too.
Result<std::string> GenerateLoadavg(ProcFilesystem& filesystem, Context& context) {
  Kernel& kernel = filesystem.kernel();
  const Task* reader = context.caller_task();
  const LoadAverage::Averages averages = kernel.load_average().Read(reader);
  size_t threads = 0;
  for (const ThreadGroupRef& group : kernel.Groups()) threads += group->tasks().size();
  const PidNamespace* pids = reader == nullptr ? nullptr : reader->pid_namespace();
  return absl::StrFormat("%.2f %.2f %.2f %u/%u %d\n", averages[0], averages[1], averages[2],
                         kernel.load_average().Running(reader) + 1, threads,
                         pids == nullptr ? kernel.last_pid() : pids->last());
}

constexpr char kFilesystems[] =
    "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup\nnodev\tcgroup2\nnodev\tdevtmpfs\n"
    "nodev\tsockfs\nnodev\tpipefs\nnodev\tdevpts\nnodev\toverlay\nnodev\tmqueue\n";

constexpr char kDevices[] =
    "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n 10 misc\n"
    "128 ptm\n136 pts\n\nBlock devices:\n";

std::string InterruptHeader(int count) {
  std::string text(11, ' ');
  for (int i = 0; i < count; ++i) absl::StrAppendFormat(&text, "CPU%-8d", i);
  return text + "\n";
}

void AddSysvFiles(pseudo::Tree& tree) {
  tree.Text("sysvipc/msg",
            "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  "
            "cgid      stime      rtime      ctime\n");
  tree.Text("sysvipc/sem",
            "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      "
            "ctime\n");
  tree.Text("sysvipc/shm",
            "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  "
            "cuid  cgid      atime      dtime      ctime                   rss                  "
            "swap\n");
}

}  // namespace

void AddSystemFiles(ProcFilesystem& filesystem, pseudo::Tree& tree) {
  using Generator = Result<std::string> (*)(ProcFilesystem&);
  auto add = [&](const char* name, Generator generate) {
    tree.File(name, 0444, [&filesystem, generate](Context&) { return generate(filesystem); });
  };
  tree.Text("cgroups",
            "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t1\t1\nmemory\t0\t1\t1\n"
            "pids\t0\t1\t1\n");
  tree.Text("cmdline", "\n");
  tree.Text("consoles", "");
  add("cpuinfo", GenerateCpuinfo);
  tree.Text("devices", kDevices);
  tree.Text("diskstats", "");
  tree.Text("execdomains", "0-0\tLinux           \t[kernel]\n");
  tree.Text("filesystems", kFilesystems);
  tree.File("interrupts", 0444,
            [&filesystem](Context&) { return InterruptHeader(filesystem.kernel().cpu_count()); });
  tree.File("loadavg", 0444,
            [&filesystem](Context& context) { return GenerateLoadavg(filesystem, context); });
  tree.File("locks", 0444, [&filesystem](Context&) { return GenerateLocks(filesystem); });
  add("meminfo", GenerateMeminfo);
  tree.Text("misc", "");
  tree.Text("modules", "");
  tree.Text("partitions", "major minor  #blocks  name\n\n");
  tree.File("stat", 0444,
            [&filesystem](Context& context) { return GenerateStat(filesystem, context); });
  tree.Text("swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
  tree.File("uptime", 0444,
            [&filesystem](Context& context) { return GenerateUptime(filesystem, context); });
  tree.Text("softirqs", "");
  tree.Text("buddyinfo", "");
  tree.Text("version", absl::StrCat(kSystemName, " version ", kSystemRelease, " (runsc) ",
                                    kSystemVersion, "\n"));
  tree.Text("vmstat", "nr_free_pages 0\n");
  tree.Text("zoneinfo", "");
  // What runtimes mask: present, so that masking finds them.
  for (const char* name : {"kcore", "keys", "timer_list", "sched_debug", "latency_stats"}) {
    tree.Text(name, "", 0400);
  }
  for (const char* name : {"acpi", "scsi", "bus", "fs", "irq", "asound"}) tree.Directory(name);
  tree.File("sysrq-trigger", 0200, [](Context&) -> Result<std::string> { return Error(EIO); });
  AddSysvFiles(tree);
}

}  // namespace runsc::boot::proc
