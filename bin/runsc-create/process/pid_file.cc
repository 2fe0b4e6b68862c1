#include "bin/runsc-create/process/pid_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "common/file_descriptor.h"

namespace runsc::create {

Status WritePidFile(const std::string& path, pid_t pid) {
  std::string temporary = absl::StrCat(path, ".", getpid());
  TRY_ASSIGN(FileDescriptor file,
             OpenAt(AT_FDCWD, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644));
  std::string text = absl::StrCat(pid);
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      rename(temporary.c_str(), path.c_str()) != 0) {
    Error error = ErrnoError("write pid file", path);
    unlink(temporary.c_str());
    return error;
  }
  return Ok();
}

}  // namespace runsc::create
