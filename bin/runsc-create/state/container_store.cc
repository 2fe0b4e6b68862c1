#include "bin/runsc-create/state/container_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"

namespace runsc::create {
namespace {

constexpr char kStateFile[] = "state";
constexpr char kNewStateFile[] = "state.new";
constexpr size_t kMaxId = 255;

// mkdir -p; folders that are missing get mode 0700.
Status MakeDirectories(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return ErrnoError("create state directory", part);
    }
    if (end == std::string::npos) return Ok();
  }
}

Status Lock(int directory) {
  while (flock(directory, LOCK_EX) != 0) {
    if (errno != EINTR) return ErrnoError("lock container");
  }
  return Ok();
}

Result<std::string> ReadAll(int fd) {
  std::string text;
  char buffer[16384];
  while (true) {
    ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError("read container state");
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
  }
}

Status WriteAll(int fd, const std::string& text) {
  size_t written = 0;
  while (written < text.size()) {
    ssize_t count = write(fd, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError("write container state");
    written += static_cast<size_t>(count);
  }
  return Ok();
}

using DirectoryStream = std::unique_ptr<DIR, int (*)(DIR*)>;

Result<std::vector<std::string>> Names(FileDescriptor directory) {
  DirectoryStream stream(fdopendir(directory.get()), closedir);
  if (!stream) return ErrnoError("read directory");
  (void)directory.Release();
  std::vector<std::string> names;
  while (dirent* entry = readdir(stream.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Status CheckContainerId(const std::string& id) {
  bool valid = !id.empty() && id.size() <= kMaxId && id != "." && id != ".." && id[0] != '-' &&
               std::all_of(id.begin(), id.end(), [](char c) {
                 return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' || c == '.';
               });
  if (!valid) return Error(EINVAL, absl::StrCat("invalid container id \"", id, "\""));
  return Ok();
}

Result<ContainerStore> ContainerStore::Create(const std::string& root, const std::string& id) {
  TRY(CheckContainerId(id));
  TRY(MakeDirectories(root));
  std::string path = absl::StrCat(root, "/", id);
  if (mkdir(path.c_str(), 0700) != 0) {
    if (errno == EEXIST) return Error(EEXIST, absl::StrCat("container ", id, " already exists"));
    return ErrnoError("create state directory", path);
  }
  return Open(root, id);
}

Result<ContainerStore> ContainerStore::Open(const std::string& root, const std::string& id) {
  TRY(CheckContainerId(id));
  std::string path = absl::StrCat(root, "/", id);
  Result<FileDescriptor> directory =
      OpenAt(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory.ok()) {
    if (directory.code() == ENOENT) {
      return Error(ENOENT, absl::StrCat("container ", id, " does not exist"));
    }
    return std::move(directory).error();
  }
  TRY(Lock(directory->get()));
  // Somebody may have deleted it before we had the lock.
  struct stat held, named;
  if (fstat(directory->get(), &held) != 0) return ErrnoError("stat", path);
  if (stat(path.c_str(), &named) != 0 || held.st_ino != named.st_ino ||
      held.st_dev != named.st_dev) {
    return Error(ENOENT, absl::StrCat("container ", id, " does not exist"));
  }
  return ContainerStore(root, id, *std::move(directory));
}

Result<std::vector<std::string>> ContainerStore::List(const std::string& root) {
  Result<FileDescriptor> directory = OpenAt(AT_FDCWD, root.c_str(), O_RDONLY | O_DIRECTORY);
  if (!directory.ok()) {
    if (directory.code() == ENOENT) return std::vector<std::string>();
    return std::move(directory).error();
  }
  TRY_ASSIGN(std::vector<std::string> names, Names(*std::move(directory)));
  std::erase_if(names, [](const std::string& name) { return !CheckContainerId(name).ok(); });
  return names;
}

Result<state::Container> ContainerStore::Load() const {
  state::Container container;
  Result<FileDescriptor> file = OpenAt(directory_.get(), kStateFile, O_RDONLY | O_NOFOLLOW);
  if (!file.ok()) {
    if (file.code() != ENOENT) return std::move(file).error();
    container.set_id(id_);
    container.set_phase(state::Container::CREATING);
    return container;
  }
  TRY_ASSIGN(std::string text, ReadAll(file->get()));
  if (!container.ParseFromString(text) || container.id() != id_) {
    return Error(EINVAL, absl::StrCat("container ", id_, ": damaged state file"));
  }
  return container;
}

Status ContainerStore::Save(const state::Container& container) const {
  TRY_ASSIGN(FileDescriptor file,
             OpenAt(directory_.get(), kNewStateFile, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  TRY(WriteAll(file.get(), container.SerializeAsString()));
  if (renameat(directory_.get(), kNewStateFile, directory_.get(), kStateFile) != 0) {
    return ErrnoError("replace container state");
  }
  return Ok();
}

Status ContainerStore::Remove() {
  TRY_ASSIGN(FileDescriptor listing, OpenAt(directory_.get(), ".", O_RDONLY | O_DIRECTORY));
  TRY_ASSIGN(std::vector<std::string> names, Names(std::move(listing)));
  for (const std::string& name : names) {
    if (unlinkat(directory_.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
      return ErrnoError("remove container state", name);
    }
  }
  std::string path = absl::StrCat(root_, "/", id_);
  if (rmdir(path.c_str()) != 0 && errno != ENOENT) return ErrnoError("remove", path);
  return Ok();
}

void ContainerStore::Unlock() { flock(directory_.get(), LOCK_UN); }

}  // namespace runsc::create
