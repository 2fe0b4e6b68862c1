// mounts, mountinfo and mountstats: the mounts that a process sees below its
// root (proc_pid_mounts(5), proc_pid_mountinfo(5)).
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/runsc-boot/fs/proc/task_files.h"

namespace runsc::boot::proc {
namespace {

struct Line {
  MountRef mount;
  int parent_id;
  std::string mount_point;  // as seen from the task's root
  std::string propagation;
};

// Blanks and backslashes as octal numbers, as in fstab(5).
std::string Escape(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\\' || c == '#') {
      absl::StrAppendFormat(&result, "\\%03o", static_cast<unsigned char>(c));
    } else {
      result.push_back(c);
    }
  }
  return result;
}

// EINVAL when the task has ended, as Linux answers.
Result<std::vector<Line>> LinesOf(const TaskView& view) {
  std::shared_ptr<FsContext> fs = view.task.fs_ref();
  if (fs == nullptr) return Error(EINVAL);
  std::shared_ptr<MountNamespace> mounts = fs->mounts();
  const Path root = fs->root();
  Vfs& vfs = view.filesystem.kernel().vfs();
  std::vector<Line> lines;
  for (MountNamespace::Listed& listed : mounts->List()) {
    std::string name = "/";
    if (listed.mount_point.valid() && listed.mount != root.mount) {
      name = vfs.PathName(*mounts, listed.mount_point, root);
      if (name.starts_with("(unreachable)")) continue;
    } else if (listed.mount != root.mount) {
      continue;  // above the task's root
    }
    lines.push_back({std::move(listed.mount), listed.parent_id, std::move(name),
                     std::move(listed.propagation)});
  }
  return lines;
}

std::string MountOptions(const Mount& mount) {
  struct Option {
    MountFlags flag;
    const char* name;
  };
  static constexpr Option kOptions[] = {
      {MS_NOSUID, ",nosuid"},           {MS_NODEV, ",nodev"},           {MS_NOEXEC, ",noexec"},
      {MS_NOATIME, ",noatime"},         {MS_NODIRATIME, ",nodiratime"}, {MS_RELATIME, ",relatime"},
      {MS_NOSYMFOLLOW, ",nosymfollow"},
  };
  std::string text = mount.read_only() ? "ro" : "rw";
  for (const Option& option : kOptions) {
    if ((mount.flags() & option.flag) != 0) absl::StrAppend(&text, option.name);
  }
  return text;
}

std::string SuperOptions(const Mount& mount) {
  std::string options = mount.filesystem()->mount_options();
  return options.empty() ? "" : absl::StrCat(",", options);
}

// The part of the file system that is mounted: the names up to its root.
std::string RootOfMount(const Mount& mount) {
  std::string result;
  for (DentryRef dentry = mount.root(); dentry != nullptr; dentry = dentry->parent()) {
    if (dentry->parent() == nullptr) break;
    result = absl::StrCat("/", dentry->name(), result);
  }
  return result.empty() ? "/" : result;
}

std::string SourceOf(const Mount& mount) {
  return mount.source().empty() ? "none" : Escape(mount.source());
}

}  // namespace

Result<std::string> GenerateMounts(const TaskView& view) {
  std::string text;
  TRY_ASSIGN(std::vector<Line> lines, LinesOf(view));
  for (const Line& line : lines) {
    absl::StrAppend(&text, SourceOf(*line.mount), " ", Escape(line.mount_point), " ",
                    line.mount->filesystem()->type(), " ", MountOptions(*line.mount),
                    SuperOptions(*line.mount), " 0 0\n");
  }
  return text;
}

Result<std::string> GenerateMountinfo(const TaskView& view) {
  std::string text;
  TRY_ASSIGN(std::vector<Line> lines, LinesOf(view));
  for (const Line& line : lines) {
    const Mount& mount = *line.mount;
    const dev_t dev = mount.filesystem()->dev();
    absl::StrAppend(&text, mount.id(), " ", line.parent_id, " ", major(dev), ":", minor(dev), " ",
                    Escape(RootOfMount(mount)), " ", Escape(line.mount_point), " ",
                    MountOptions(mount), line.propagation, " - ", mount.filesystem()->type(), " ",
                    SourceOf(mount), " ", mount.read_only() ? "ro" : "rw", SuperOptions(mount),
                    "\n");
  }
  return text;
}

Result<std::string> GenerateMountstats(const TaskView& view) {
  std::string text;
  TRY_ASSIGN(std::vector<Line> lines, LinesOf(view));
  for (const Line& line : lines) {
    absl::StrAppend(&text, "device ", SourceOf(*line.mount), " mounted on ",
                    Escape(line.mount_point), " with fstype ", line.mount->filesystem()->type(),
                    "\n");
  }
  return text;
}

}  // namespace runsc::boot::proc
