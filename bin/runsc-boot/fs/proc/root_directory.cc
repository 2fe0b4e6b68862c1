#include "bin/runsc-boot/fs/proc/root_directory.h"

#include <dirent.h>

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/fs/proc/task_directory.h"

namespace runsc::boot::proc {
namespace {

// Processes stand behind all fixed entries, by their pid.
constexpr int64_t kFirstPidOffset = 256;

class RootDirectory final : public pseudo::StaticDirectory {
 public:
  explicit RootDirectory(ProcFilesystem& filesystem)
      : StaticDirectory(filesystem, pseudo::kRootIno, 0555), filesystem_(filesystem) {}

  bool CacheLookups() const override { return false; }

  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override {
    int pid = ParseId(name);
    if (pid < 0) {
      if (!Shown(name)) return Error(ENOENT);
      return StaticDirectory::Lookup(context, name, ahead);
    }
    // Threads that do not lead a group can be looked up, but are not listed.
    TaskRef task = filesystem_.FindTask(pid);
    if (task == nullptr || !filesystem_.MaySee(context, *task, HidePid::kInvisible)) {
      return Error(ENOENT);
    }
    return MakeProcessDirectory(filesystem_, task);
  }

  Result<std::vector<pseudo::Entry>> List(Context& context, int64_t from) override {
    std::vector<pseudo::Entry> result;
    if (from < kFirstPidOffset) {
      TRY_ASSIGN(result, StaticDirectory::List(context, from));
      std::erase_if(result, [this](const pseudo::Entry& entry) { return !Shown(entry.name); });
    }
    std::vector<pid_t> pids;
    const bool all = filesystem_.options().hide < HidePid::kInvisible;
    for (const ThreadGroupRef& group : filesystem_.kernel().Groups()) {
      const pid_t pid = FromKernelPid(filesystem_.pid_namespace(), group->pid());
      if (pid == 0 || pid + kFirstPidOffset < from) continue;
      const TaskRef task = all ? nullptr : filesystem_.FindTask(pid);
      if (task == nullptr || filesystem_.MaySee(context, *task, HidePid::kInvisible)) {
        pids.push_back(pid);
      }
    }
    std::sort(pids.begin(), pids.end());
    for (pid_t pid : pids) {
      std::string name = absl::StrCat(pid);
      uint64_t child = pseudo::ChildIno(ino(), name);
      result.push_back({std::move(name), child, DT_DIR, pid + kFirstPidOffset});
    }
    return result;
  }

 protected:
  uint32_t links() override {
    return StaticDirectory::links() + static_cast<uint32_t>(filesystem_.kernel().Groups().size());
  }

 private:
  // Of the fixed entries.
  bool Shown(std::string_view name) const {
    return !filesystem_.options().only_pids || name == "self" || name == "thread-self";
  }

  ProcFilesystem& filesystem_;
};

void AddSelfLinks(ProcFilesystem& filesystem, pseudo::Tree& tree) {
  tree.Add("self", [&](uint64_t ino) {
    return std::make_shared<pseudo::LinkInode>(
        filesystem, ino, [&](Context& context) -> Result<std::string> {
          const pid_t pid = FromKernelPid(filesystem.pid_namespace(), context.caller_pid());
          if (pid == 0) return Error(ENOENT);
          return absl::StrCat(pid);
        });
  });
  tree.Add("thread-self", [&](uint64_t ino) {
    return std::make_shared<pseudo::LinkInode>(
        filesystem, ino, [&](Context& context) -> Result<std::string> {
          const PidNamespace* pids = filesystem.pid_namespace();
          const pid_t pid = FromKernelPid(pids, context.caller_pid());
          if (pid == 0) return Error(ENOENT);
          return absl::StrCat(pid, "/task/", FromKernelPid(pids, context.caller_tid()));
        });
  });
  tree.Link("mounts", "self/mounts");
  tree.Link("net", "self/net");
}

}  // namespace

int ParseId(std::string_view name) {
  int value = 0;
  if (name.empty() || name.size() > 10 || name[0] < '0' || name[0] > '9') return -1;
  if (name[0] == '0' && name.size() > 1) return -1;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  return error == std::errc() && end == name.data() + name.size() ? value : -1;
}

InodeRef MakeRootDirectory(ProcFilesystem& filesystem) {
  auto root = std::make_shared<RootDirectory>(filesystem);
  pseudo::Tree tree(filesystem, root);
  AddSelfLinks(filesystem, tree);
  AddSystemFiles(filesystem, tree);
  AddSysctls(filesystem, tree);
  AddIpcFiles(filesystem, tree);
  return root;
}

}  // namespace runsc::boot::proc
