#include "bin/runsc-boot/fs/sys/sys_filesystem.h"

#include <linux/magic.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/runsc-boot/fs/pseudo/tree.h"

namespace runsc::boot::sys {
namespace {

// stat(2) reports a page for every file in sysfs.
constexpr uint64_t kFileSize = 4096;

std::string CpuList(int count) { return count <= 1 ? "0\n" : absl::StrCat("0-", count - 1, "\n"); }

std::string CpuMask(int first, int count) {
  uint64_t bits = (count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1) << first;
  return absl::StrFormat("%x\n", bits);
}

// One core per processor, one package: what a virtual machine shows.
void AddCpu(pseudo::Tree& tree, int cpu, int count) {
  const std::string base = absl::StrCat("devices/system/cpu/cpu", cpu, "/");
  const std::string self = absl::StrCat(cpu, "\n");
  if (cpu > 0) tree.Text(base + "online", "1\n");
  tree.Text(base + "topology/core_id", self);
  tree.Text(base + "topology/core_cpus", CpuMask(cpu, 1));
  tree.Text(base + "topology/core_cpus_list", self);
  tree.Text(base + "topology/core_siblings", CpuMask(0, count));
  tree.Text(base + "topology/core_siblings_list", CpuList(count));
  tree.Text(base + "topology/die_id", "0\n");
  tree.Text(base + "topology/package_cpus", CpuMask(0, count));
  tree.Text(base + "topology/package_cpus_list", CpuList(count));
  tree.Text(base + "topology/physical_package_id", "0\n");
  tree.Text(base + "topology/thread_siblings", CpuMask(cpu, 1));
  tree.Text(base + "topology/thread_siblings_list", self);
}

void AddCpus(pseudo::Tree& tree, int count) {
  for (const char* name : {"online", "possible", "present"}) {
    tree.Text(absl::StrCat("devices/system/cpu/", name), CpuList(count));
  }
  tree.Text("devices/system/cpu/offline", "\n");
  tree.Text("devices/system/cpu/isolated", "\n");
  tree.Text("devices/system/cpu/kernel_max", absl::StrCat(count - 1, "\n"));
  for (int cpu = 0; cpu < count; ++cpu) AddCpu(tree, cpu, count);
  tree.Text("devices/system/node/online", "0\n");
  tree.Text("devices/system/node/possible", "0\n");
  tree.Text("devices/system/node/has_cpu", "0\n");
  tree.Text("devices/system/node/node0/cpulist", CpuList(count));
  tree.Text("devices/system/node/node0/cpumap", CpuMask(0, count));
  tree.Text("devices/system/node/node0/distance", "10\n");
}

void AddKernel(pseudo::Tree& tree) {
  tree.Text("kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  tree.Text("kernel/mm/transparent_hugepage/defrag",
            "always defer defer+madvise [madvise] never\n");
  tree.Text("kernel/mm/transparent_hugepage/shmem_enabled",
            "always within_size advise [never] deny force\n");
  tree.Text("kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152\n");
  tree.Text("kernel/mm/transparent_hugepage/use_zero_page", "1\n");
  tree.Text("kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0\n");
  tree.Text("kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0\n");
  tree.Text("kernel/cpu_byteorder", "little\n");
  tree.Text("kernel/profiling", "0\n");
  tree.Directory("kernel/debug");
  tree.Directory("kernel/security");
  tree.Directory("kernel/tracing");
}

void AddLoopback(pseudo::Tree& tree) {
  const std::string base = "devices/virtual/net/lo/";
  struct Fact {
    const char* name;
    const char* text;
  };
  static constexpr Fact kFacts[] = {
      {"addr_len", "6\n"},
      {"address", "00:00:00:00:00:00\n"},
      {"carrier", "1\n"},
      {"dev_id", "0x0\n"},
      {"flags", "0x9\n"},
      {"ifindex", "1\n"},
      {"iflink", "1\n"},
      {"link_mode", "0\n"},
      {"mtu", "65536\n"},
      {"operstate", "unknown\n"},
      {"tx_queue_len", "1000\n"},
      {"type", "772\n"},
      {"statistics/rx_bytes", "0\n"},
      {"statistics/tx_bytes", "0\n"},
      {"statistics/rx_packets", "0\n"},
      {"statistics/tx_packets", "0\n"},
  };
  for (const Fact& fact : kFacts) tree.Text(base + fact.name, fact.text);
  tree.Link("class/net/lo", "../../devices/virtual/net/lo");
}

void AddEmptyDirectories(pseudo::Tree& tree) {
  for (const char* path :
       {"block", "bus", "class", "class/block", "class/power_supply", "class/tty", "dev/block",
        "dev/char", "devices", "devices/virtual/powercap", "firmware", "fs", "fs/cgroup",
        "hypervisor", "module", "power"}) {
    tree.Directory(path);
  }
}

}  // namespace

FilesystemRef MakeSysFilesystem(const Options& options) {
  auto filesystem = std::make_shared<pseudo::PseudoFilesystem>(
      pseudo::FilesystemTraits{"sysfs", SYSFS_MAGIC, options.dev, ""});
  auto root = std::make_shared<pseudo::StaticDirectory>(*filesystem, pseudo::kRootIno, 0555);
  pseudo::Tree tree(*filesystem, root, kFileSize);
  AddEmptyDirectories(tree);
  AddCpus(tree, options.cpu_count);
  AddKernel(tree);
  AddLoopback(tree);
  filesystem->SetRoot(root);
  return filesystem;
}

}  // namespace runsc::boot::sys
