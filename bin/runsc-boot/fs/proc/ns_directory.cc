// ns/: the namespaces of a task. There is one of each kind in a sandbox; its
// number is that of the host's initial one, as in a freshly booted system.
#include <dirent.h>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/fs/proc/task_files.h"

namespace runsc::boot::proc {
namespace {

struct Namespace {
  const char* name;
  const char* kind;
  unsigned number;
};

constexpr Namespace kNamespaces[] = {
    {"cgroup", "cgroup", 4026531835}, {"ipc", "ipc", 4026531839},
    {"mnt", "mnt", 4026531841},       {"net", "net", 4026531840},
    {"pid", "pid", 4026531836},       {"pid_for_children", "pid", 4026531836},
    {"time", "time", 4026531834},     {"time_for_children", "time", 4026531834},
    {"user", "user", 4026531837},     {"uts", "uts", 4026531838},
};

class NsDirectory final : public pseudo::DynamicDirectory {
 public:
  NsDirectory(TaskHandle handle, uint64_t ino)
      : DynamicDirectory(handle.filesystem(), ino, 0511), handle_(handle) {}

  Result<InodeRef> Lookup(Context& context, std::string_view name,
                          std::span<const std::string_view> ahead) override {
    for (const Namespace& entry : kNamespaces) {
      if (name != entry.name) continue;
      auto target = [handle = handle_, &entry](Context& context) -> Result<std::string> {
        TRY_ASSIGN(TaskRef task, handle.Get());
        TRY(CheckInspect(context, *task));
        return absl::StrCat(entry.kind, ":[", entry.number, "]");
      };
      return InodeRef(std::make_shared<pseudo::LinkInode>(handle_.filesystem(),
                                                          pseudo::ChildIno(ino(), name), target));
    }
    return Error(ENOENT);
  }

  Result<std::vector<pseudo::Entry>> List(Context& context, int64_t from) override {
    std::vector<pseudo::Entry> result;
    int64_t offset = pseudo::kFirstOffset;
    for (const Namespace& entry : kNamespaces) {
      if (offset >= from) {
        result.push_back({entry.name, pseudo::ChildIno(ino(), entry.name), DT_LNK, offset});
      }
      ++offset;
    }
    return result;
  }

 protected:
  pseudo::Owner owner() override { return handle_.owner(); }

 private:
  const TaskHandle handle_;
};

}  // namespace

std::shared_ptr<pseudo::PseudoInode> MakeNsDirectory(const TaskHandle& handle, uint64_t ino) {
  return std::make_shared<NsDirectory>(handle, ino);
}

}  // namespace runsc::boot::proc
