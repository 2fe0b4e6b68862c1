#include "bin/runsc-gofer/container_root.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <deque>
#include <vector>

#include "bin/runsc-gofer/host_file.h"

namespace runsc::gofer {
namespace {

// The components of `path`, put in front of `pending`.
void PrependComponents(std::string_view path, std::deque<std::string>& pending) {
  std::vector<std::string> components;
  while (!path.empty()) {
    size_t slash = path.find('/');
    std::string_view component = path.substr(0, slash);
    if (!component.empty() && component != ".") components.emplace_back(component);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  pending.insert(pending.begin(), components.begin(), components.end());
}

std::string Join(const std::vector<std::string>& components) {
  std::string path;
  for (const std::string& component : components) path += "/" + component;
  return path.empty() ? "/" : path;
}

Result<mode_t> TypeOf(int fd) {
  struct stat stat;
  if (fstat(fd, &stat) < 0) return Error(errno);
  return stat.st_mode & S_IFMT;
}

}  // namespace

Result<std::string> ContainerRoot::Resolve(std::string_view path) const {
  if (path.size() >= PATH_MAX) return Error(ENAMETOOLONG);
  std::deque<std::string> pending;
  PrependComponents(path, pending);
  std::vector<std::string> resolved;
  int links = 0;
  while (!pending.empty()) {
    std::string component = std::move(pending.front());
    pending.pop_front();
    if (component == "..") {
      if (!resolved.empty()) resolved.pop_back();
      continue;
    }
    resolved.push_back(std::move(component));
    std::string so_far = Join(resolved);
    if (so_far.size() >= PATH_MAX) return Error(ENAMETOOLONG);
    Result<FileDescriptor> file = Open(so_far);
    if (file.code() == ENOENT) continue;
    if (!file.ok()) return std::move(file).error();
    TRY_ASSIGN(mode_t type, TypeOf(file->get()));
    if (S_ISLNK(type)) {
      if (++links > kMaxLinks) return Error(ELOOP);
      TRY_ASSIGN(std::string target, ReadLink(file->get()));
      resolved.pop_back();
      if (target.front() == '/') resolved.clear();
      PrependComponents(target, pending);
    }
  }
  return Join(resolved);
}

Result<FileDescriptor> ContainerRoot::Open(const std::string& resolved) const {
  open_how how = {};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  long fd = syscall(SYS_openat2, root_, resolved.c_str(), &how, sizeof(how));
  if (fd < 0) return Error(errno);
  return FileDescriptor(static_cast<int>(fd));
}

Result<FileDescriptor> ContainerRoot::OpenOrMake(const std::string& resolved,
                                                 bool directory) const {
  Result<FileDescriptor> file = Open(resolved);
  if (file.code() == ENOENT && resolved != "/") {
    size_t slash = resolved.rfind('/');
    std::string parent_path = slash == 0 ? "/" : resolved.substr(0, slash);
    std::string name = resolved.substr(slash + 1);
    TRY_ASSIGN(FileDescriptor parent, OpenOrMake(parent_path, true));
    int made = directory ? mkdirat(parent.get(), name.c_str(), 0755)
                         : mknodat(parent.get(), name.c_str(), S_IFREG | 0644, 0);
    if (made < 0 && errno != EEXIST) return Error(errno);
    file = OpenPathAt(parent.get(), name);
  }
  if (!file.ok()) return file;
  TRY_ASSIGN(mode_t type, TypeOf(file->get()));
  if (directory && !S_ISDIR(type)) return Error(ENOTDIR);
  if (!directory && S_ISDIR(type)) return Error(EISDIR);
  return file;
}

}  // namespace runsc::gofer
