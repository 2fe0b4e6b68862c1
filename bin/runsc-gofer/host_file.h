// The host's calls on O_PATH descriptors that the tree is made of. None of them
// follows a symbolic link.
#ifndef RUNSC_GOFER_HOST_FILE_H_
#define RUNSC_GOFER_HOST_FILE_H_

#include <sys/types.h>

#include <string>

#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/fs.pb.h"

namespace runsc::gofer {

// /proc/self/fd of the gofer's own pid namespace. Opening a number in it is how
// an O_PATH descriptor becomes one for I/O, without any path of the host being
// interpreted.
class DescriptorDirectory {
 public:
  explicit DescriptorDirectory(FileDescriptor directory) : directory_(std::move(directory)) {}

  // Opens what `fd` stands for anew. Errors: those of open(2).
  Result<FileDescriptor> Reopen(int fd, int flags) const;
  // Errors: those of fchmodat(2).
  Status ChangeMode(int fd, mode_t mode) const;
  // A further name for what `fd` stands for. Errors: those of linkat(2).
  Status Link(int fd, int directory, const std::string& name) const;
  int get() const { return directory_.get(); }

 private:
  FileDescriptor directory_;
};

// One component, as the client may send it: not empty, ".", "..", longer than
// NAME_MAX, nor with a slash or a zero byte. EINVAL, ENAMETOOLONG.
Status CheckName(const std::string& name);

// An O_PATH descriptor of `name` in `directory`; a symbolic link is opened as
// such.
Result<FileDescriptor> OpenPathAt(int directory, const std::string& name);
// statx(2) of `name` in `directory`, or of `directory` itself when `name` is "".
Status GetAttributes(int directory, const char* name, fs::Attributes* attributes);
// The target of the symbolic link that `fd` stands for.
Result<std::string> ReadLink(int fd);

// O_RDONLY, O_WRONLY or O_RDWR; EINVAL when nothing is asked for.
Result<int> OpenFlags(fs::Access access);

}  // namespace runsc::gofer

#endif  // RUNSC_GOFER_HOST_FILE_H_
