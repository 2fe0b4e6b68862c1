// One served tree: the container's root or a bind mount, and what its client
// may do to it. Implements the requests of ipc/fs.proto; the connections
// (connection.h) bring them.
//
// The client is taken for hostile. Every handle, name and flag is checked here;
// what the checks let through can reach only files below the tree's root, since
// names are single components and links are never followed.
#ifndef RUNSC_GOFER_TREE_H_
#define RUNSC_GOFER_TREE_H_

#include <string>
#include <vector>

#include "bin/runsc-gofer/handle_table.h"
#include "bin/runsc-gofer/host_file.h"
#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/fs.pb.h"

namespace runsc::gofer {

// What the client may do beyond plain files.
struct TreeOptions {
  bool read_only = false;
  bool host_sockets = false;
  bool xattrs = false;
  bool device_nodes = false;
};

// What a request is answered with.
struct Answer {
  fs::FsReply reply;
  FileDescriptor fd;  // handed over with the reply, if valid
};

// Thread-safe: one thread per connection calls Handle.
class Tree {
 public:
  // `root` is an O_PATH descriptor. `name` is for messages. `descriptors` must
  // outlive the tree. `mounts` is told to the client when it attaches.
  Tree(std::string name, FileDescriptor root, TreeOptions options,
       const DescriptorDirectory& descriptors, std::vector<fs::ResolvedMount> mounts = {});

  const std::string& name() const { return name_; }
  // Answers any request but Connect. An error is in the reply, too.
  Answer Handle(const fs::FsRequest& request);

 private:
  Status Dispatch(const fs::FsRequest& request, Answer& answer);

  // tree.cc: finding files
  Status Attach(Answer& answer);
  Status Walk(const fs::WalkRequest& request, Answer& answer);
  Status GetAttributes(const fs::GetAttributesRequest& request, Answer& answer);
  Status Open(const fs::OpenRequest& request, Answer& answer);
  Status StatFs(const fs::StatFsRequest& request, Answer& answer);
  Status ConnectSocket(const fs::ConnectSocketRequest& request, Answer& answer);
  // tree_change.cc: changing them
  Status SetAttributes(const fs::SetAttributesRequest& request, Answer& answer);
  Status SetOwnerModeTimes(const fs::SetAttributesRequest& request, const HeldFile& file);
  Status Make(const fs::MakeRequest& request, Answer& answer);
  Result<FileDescriptor> MakeRegular(const fs::MakeRequest& request, int parent, Answer& answer);
  Result<FileDescriptor> MakeOther(const fs::MakeRequest& request, int parent);
  Status CorrectOwnerAndMode(const fs::MakeRequest& request, int fd, fs::Attributes* attributes);
  Status Link(const fs::LinkRequest& request, Answer& answer);
  Status Remove(const fs::RemoveRequest& request, Answer& answer);
  Status Rename(const fs::RenameRequest& request, Answer& answer);
  Status Sync(const fs::SyncRequest& request);
  // tree_directory.cc
  Status ReadDirectory(const fs::ReadDirectoryRequest& request, Answer& answer);
  // tree_xattr.cc
  Result<FileDescriptor> OpenForXattr(uint64_t handle) const;
  Status GetXattr(const fs::GetXattrRequest& request, Answer& answer);
  Status SetXattr(const fs::SetXattrRequest& request);
  Status ListXattr(const fs::ListXattrRequest& request, Answer& answer);
  Status RemoveXattr(const fs::RemoveXattrRequest& request);

  // Takes `fd` into the handle table; fills in `node`.
  Status Hold(FileDescriptor fd, fs::Node* node);
  // The held file, which must be a directory: ENOTDIR.
  Result<HeldFileRef> GetDirectory(uint64_t handle) const;
  // EROFS in a read-only tree. The mount says so too; this is the second lock.
  Status CheckWritable() const;

  const std::string name_;
  const FileDescriptor root_;
  const TreeOptions options_;
  const DescriptorDirectory& descriptors_;
  const std::vector<fs::ResolvedMount> mounts_;
  HandleTable handles_;
};

}  // namespace runsc::gofer

#endif  // RUNSC_GOFER_TREE_H_
