// The control groups of a container: linux.cgroupsPath in every hierarchy that
// the host has mounted (cgroup v1, v2, or both).
//
// Folders that had to be made are removed with the container; those that were
// there before stay.
#ifndef RUNSC_CREATE_CGROUP_CGROUP_H_
#define RUNSC_CREATE_CGROUP_CGROUP_H_

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace runsc::create {

struct CgroupMount {
  std::string path;
  bool unified = false;  // v2
  bool cpuset = false;   // v1 with the cpuset controller
};

// The hierarchies in the text of /proc/self/mountinfo.
std::vector<CgroupMount> ParseCgroupMounts(std::string_view mountinfo);

// "slice:prefix:name" of the systemd driver as a path, else `path` itself,
// always with a slash in front.
std::string CgroupPath(const std::string& path);

struct Cgroups {
  std::vector<std::string> directories;  // one per hierarchy
  std::vector<std::string> made;         // by us, parents first
};

// Makes the folders. `path` is linux.cgroupsPath, not empty. On failure,
// nothing is left.
Result<Cgroups> CreateCgroups(const std::string& path);

// Moves a process into each of `directories`.
Status JoinCgroups(const std::vector<std::string>& directories, pid_t pid);

// Moves a process into `sub`, "[CONTROLLER,...:]PATH" below the container's own
// cgroup, which linux.cgroupsPath named. ENOENT: there is no such cgroup.
Status JoinSubCgroup(const std::string& cgroups_path, const std::string& sub, pid_t pid);

// Removes the folders that were made, last first. Waits, with growing pauses,
// until the kernel has let go of processes that have just ended. Folders that
// others use now are left alone.
void RemoveCgroups(const std::vector<std::string>& made);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_CGROUP_CGROUP_H_
