#include "bin/runsc-boot/sandbox/program_search.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace runsc::boot {
namespace {

// As runc: a container without PATH gets the usual one.
constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string_view SearchPath(const std::vector<std::string>& env) {
  std::string_view result = kDefaultPath;
  for (const std::string& entry : env) {
    if (entry.starts_with("PATH=")) result = std::string_view(entry).substr(5);
  }
  return result;
}

// 0, or why this file cannot be executed.
int CheckProgram(Vfs& vfs, Caller caller, const std::string& path) {
  WalkOptions walk;
  walk.start = caller.fs.cwd();
  auto found = vfs.Walk(caller, walk, path);
  if (!found.ok()) return found.code();
  auto attributes = vfs.GetAttributes(*found);
  if (!attributes.ok()) return attributes.code();
  if (!attributes->IsRegular()) return EACCES;
  return vfs.CheckAccess(caller, *found, kExecute).code();
}

}  // namespace

Result<std::string> FindProgram(Vfs& vfs, Caller caller, const std::string& name,
                                const std::vector<std::string>& env) {
  if (name.find('/') != std::string::npos) {
    int code = CheckProgram(vfs, caller, name);
    if (code == 0) return name;
    return MakeError(code, "exec", name);
  }
  int failure = ENOENT;
  std::string_view path = SearchPath(env);
  for (absl::string_view directory :
       absl::StrSplit(absl::string_view(path.data(), path.size()), ':')) {
    if (directory.empty()) directory = ".";
    std::string candidate = absl::StrCat(directory, "/", name);
    int code = CheckProgram(vfs, caller, candidate);
    if (code == 0) return candidate;
    if (code == EACCES) failure = EACCES;
  }
  if (failure == ENOENT) {
    return Error(ENOENT, absl::StrCat("exec: \"", name, "\": executable file not found in $PATH"));
  }
  return MakeError(failure, "exec", name);
}

}  // namespace runsc::boot
