#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "bin/runsc-create/commands/commands.h"
#include "bin/runsc-create/spec/parse.h"

namespace runsc::create {

Result<int> Spec(const SpecOptions& spec) {
  std::string path = absl::StrCat(spec.bundle, "/config.json");
  Result<FileDescriptor> file = OpenAt(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!file.ok()) return MakeError(file.code(), "create", path);
  std::string text = spec::DefaultConfig();
  if (write(file->get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return ErrnoError("write", path);
  }
  return 0;
}

}  // namespace runsc::create
