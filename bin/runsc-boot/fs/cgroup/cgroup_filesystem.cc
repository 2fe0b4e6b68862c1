#include "bin/runsc-boot/fs/cgroup/cgroup_filesystem.h"

#include <linux/magic.h>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/fs/pseudo/tree.h"

namespace runsc::boot::cgroup {
namespace {

void AddUnified(pseudo::Tree& tree, const pseudo::FunctionFile::Generator& processes) {
  tree.Text("cgroup.controllers", "cpu memory pids\n");
  tree.Text("cgroup.events", "populated 1\nfrozen 0\n");
  tree.Text("cgroup.max.depth", "max\n");
  tree.Text("cgroup.max.descendants", "max\n");
  tree.File("cgroup.procs", 0644, processes);
  tree.Text("cgroup.stat", "nr_descendants 0\nnr_dying_descendants 0\n");
  tree.Text("cgroup.subtree_control", "\n", 0644);
  tree.Text("cgroup.type", "domain\n", 0644);
  tree.Text("cpu.max", "max 100000\n", 0644);
  tree.Text("cpu.weight", "100\n", 0644);
  tree.Text("memory.high", "max\n", 0644);
  tree.Text("memory.low", "0\n", 0644);
  tree.Text("memory.max", "max\n", 0644);
  tree.Text("memory.min", "0\n", 0644);
  tree.Text("memory.swap.max", "max\n", 0644);
  tree.Text("pids.max", "max\n", 0644);
}

}  // namespace

FilesystemRef MakeCgroupFilesystem(Options options) {
  auto filesystem = std::make_shared<pseudo::PseudoFilesystem>(
      pseudo::FilesystemTraits{"cgroup2", CGROUP2_SUPER_MAGIC, options.dev, ""});
  auto root = std::make_shared<pseudo::StaticDirectory>(*filesystem, pseudo::kRootIno, 0555);
  pseudo::Tree tree(*filesystem, root);
  pseudo::FunctionFile::Generator processes =
      [list = std::move(options.processes)](Context&) -> Result<std::string> {
    std::string text;
    for (pid_t pid : list()) absl::StrAppend(&text, pid, "\n");
    return text;
  };
  AddUnified(tree, processes);
  filesystem->SetRoot(root);
  return filesystem;
}

}  // namespace runsc::boot::cgroup
