#include "bin/runsc-create/cgroup/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/file_descriptor.h"
#include "common/log.h"

namespace runsc::create {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(1);
constexpr absl::Duration kLongestPause = absl::Seconds(1);

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Status WriteText(const std::string& path, const std::string& text) {
  FileDescriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return ErrnoError("open", path);
  if (write(file.get(), text.data(), text.size()) < 0) return ErrnoError("write to", path);
  return Ok();
}

// A new cpuset of v1 is empty, and nothing can join it before it has CPUs and
// memory nodes.
Status InheritCpuset(const std::string& parent, const std::string& directory) {
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    std::string path = absl::StrCat(directory, "/", file);
    // Hierarchies mounted with noprefix leave out the controller's name.
    if (access(path.c_str(), F_OK) != 0) continue;
    if (ReadText(path).find_first_not_of(" \n") != std::string::npos) continue;
    TRY(WriteText(path, ReadText(absl::StrCat(parent, "/", file))));
  }
  return Ok();
}

Status CreateIn(const CgroupMount& mount, const std::string& path, Cgroups& cgroups) {
  std::string directory = mount.path;
  for (absl::string_view component : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    std::string parent = directory;
    absl::StrAppend(&directory, "/", component);
    if (mkdir(directory.c_str(), 0755) == 0) {
      cgroups.made.push_back(directory);
    } else if (errno != EEXIST) {
      return ErrnoError("create cgroup", directory);
    }
    if (mount.cpuset) TRY(InheritCpuset(parent, directory));
  }
  cgroups.directories.push_back(directory);
  return Ok();
}

// "a-b.slice" lies in "a.slice".
std::string ExpandSlice(absl::string_view slice) {
  absl::string_view name = slice;
  if (!absl::ConsumeSuffix(&name, ".slice") || name == "-") return "";
  std::string path, prefix;
  for (absl::string_view part : absl::StrSplit(name, '-')) {
    absl::StrAppend(&prefix, prefix.empty() ? "" : "-", part);
    absl::StrAppend(&path, "/", prefix, ".slice");
  }
  return path;
}

}  // namespace

std::vector<CgroupMount> ParseCgroupMounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  for (absl::string_view line :
       absl::StrSplit(absl::string_view(mountinfo.data(), mountinfo.size()), '\n')) {
    std::vector<absl::string_view> halves = absl::StrSplit(line, absl::MaxSplits(" - ", 1));
    if (halves.size() != 2) continue;
    std::vector<absl::string_view> fields = absl::StrSplit(halves[0], ' ');
    std::vector<absl::string_view> source = absl::StrSplit(halves[1], ' ');
    if (fields.size() < 6 || source.size() < 3) continue;
    if (source[0] != "cgroup" && source[0] != "cgroup2") continue;
    std::vector<absl::string_view> options = absl::StrSplit(source[2], ',');
    CgroupMount mount;
    mount.path = std::string(fields[4]);
    mount.unified = source[0] == "cgroup2";
    mount.cpuset = std::find(options.begin(), options.end(), "cpuset") != options.end();
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::string CgroupPath(const std::string& path) {
  std::vector<std::string> parts = absl::StrSplit(path, ':');
  if (parts.size() != 3) return path[0] == '/' ? path : absl::StrCat("/", path);
  std::string slice = parts[0].empty() ? "system.slice" : parts[0];
  std::string unit = absl::EndsWith(parts[2], ".slice") ? parts[2]
                     : parts[1].empty()                 ? absl::StrCat(parts[2], ".scope")
                                        : absl::StrCat(parts[1], "-", parts[2], ".scope");
  return absl::StrCat(ExpandSlice(slice), "/", unit);
}

Result<Cgroups> CreateCgroups(const std::string& path) {
  Cgroups cgroups;
  std::vector<CgroupMount> mounts = ParseCgroupMounts(ReadText("/proc/self/mountinfo"));
  if (mounts.empty()) LOG_WARNING("no cgroup file system is mounted; cgroupsPath is ignored");
  std::string relative = CgroupPath(path);
  for (const CgroupMount& mount : mounts) {
    if (Status status = CreateIn(mount, relative, cgroups); !status.ok()) {
      RemoveCgroups(cgroups.made);
      return std::move(status).error();
    }
  }
  return cgroups;
}

Status JoinCgroups(const std::vector<std::string>& directories, pid_t pid) {
  for (const std::string& directory : directories) {
    TRY(WriteText(absl::StrCat(directory, "/cgroup.procs"), absl::StrCat(pid)));
  }
  return Ok();
}

Status JoinSubCgroup(const std::string& cgroups_path, const std::string& sub, pid_t pid) {
  if (cgroups_path.empty()) return Error(EINVAL, "--cgroup: the container has no cgroup");
  std::vector<std::string> parts = absl::StrSplit(sub, absl::MaxSplits(':', 1));
  const std::string path = parts.back();
  for (absl::string_view component : absl::StrSplit(path, '/')) {
    if (component == "..") return Error(EINVAL, "--cgroup: must not contain \"..\"");
  }
  std::vector<std::string> wanted;
  if (parts.size() == 2) wanted = absl::StrSplit(parts[0], ',');
  bool joined = false;
  for (const CgroupMount& mount : ParseCgroupMounts(ReadText("/proc/self/mountinfo"))) {
    // A hierarchy of v1 is mounted under the names of its controllers.
    std::vector<std::string> names =
        absl::StrSplit(mount.path.substr(mount.path.rfind('/') + 1), ',');
    bool chosen = wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](auto& name) {
                    return std::find(names.begin(), names.end(), name) != names.end();
                  });
    if (!chosen) continue;
    const std::string directory = absl::StrCat(mount.path, CgroupPath(cgroups_path), "/", path);
    if (wanted.empty() && !mount.unified && access(directory.c_str(), F_OK) != 0) continue;
    TRY(WriteText(absl::StrCat(directory, "/cgroup.procs"), absl::StrCat(pid)));
    joined = true;
  }
  if (!joined) return MakeError(ENOENT, "--cgroup: no cgroup", sub);
  return Ok();
}

void RemoveCgroups(const std::vector<std::string>& made) {
  absl::Duration pause = kFirstPause;
  for (auto directory = made.rbegin(); directory != made.rend();) {
    if (rmdir(directory->c_str()) == 0 || errno != EBUSY || pause > kLongestPause) {
      ++directory;
      continue;
    }
    // A parent that has other children now is busy for good.
    struct stat status;
    if (stat(directory->c_str(), &status) == 0 && status.st_nlink > 2) {
      ++directory;
      continue;
    }
    absl::SleepFor(pause);
    pause *= 2;
  }
}

}  // namespace runsc::create
