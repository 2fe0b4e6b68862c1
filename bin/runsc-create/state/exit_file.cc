#include "bin/runsc-create/state/exit_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "ipc/exit_record.h"

namespace runsc::create {
namespace {

constexpr char kExitFile[] = "exit";

}  // namespace

Result<FileDescriptor> MakeExitFile(const ContainerStore& store) {
  TRY_ASSIGN(FileDescriptor file,
             OpenAt(store.directory(), kExitFile, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  // Written, not only made long enough: boot's store must not find the disk full.
  const ExitRecord record = kNoExitRecord;
  const ssize_t written = pwrite(file.get(), &record, sizeof(record), 0);
  if (written < 0) return ErrnoError("write exit record");
  if (written != sizeof(record)) return Error(ENOSPC, "write exit record");
  return file;
}

Result<int> ReadExitFile(const ContainerStore& store) {
  Result<FileDescriptor> file = OpenAt(store.directory(), kExitFile, O_RDONLY | O_NOFOLLOW);
  if (!file.ok() && file.code() != ENOENT) return std::move(file).error();
  ExitRecord record = kNoExitRecord;
  std::optional<int> status;
  if (file.ok() && pread(file->get(), &record, sizeof(record), 0) == sizeof(record)) {
    status = DecodeExit(record);
  }
  if (!status) return Error(ENODATA, "it ended without an exit code");
  return *status;
}

}  // namespace runsc::create
