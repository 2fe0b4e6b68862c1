#include "bin/runsc-gofer/tree.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>

#include <cstdio>
#include <cstring>
#include <utility>

namespace runsc::gofer {
namespace {

constexpr int kMaxWalkNames = 256;

}  // namespace

Tree::Tree(std::string name, FileDescriptor root, TreeOptions options,
           const DescriptorDirectory& descriptors, std::vector<fs::ResolvedMount> mounts)
    : name_(std::move(name)),
      root_(std::move(root)),
      options_(options),
      descriptors_(descriptors),
      mounts_(std::move(mounts)) {}

Answer Tree::Handle(const fs::FsRequest& request) {
  for (uint64_t handle : request.close()) handles_.Close(handle);
  Answer answer;
  Status status = Dispatch(request, answer);
  if (!status.ok()) {
    answer.reply.Clear();
    answer.fd.Reset();
    answer.reply.set_error(status.code());
  }
  return answer;
}

Status Tree::Dispatch(const fs::FsRequest& request, Answer& answer) {
  switch (request.body_case()) {
    case fs::FsRequest::kAttach:
      return Attach(answer);
    case fs::FsRequest::kWalk:
      return Walk(request.walk(), answer);
    case fs::FsRequest::kGetAttributes:
      return GetAttributes(request.get_attributes(), answer);
    case fs::FsRequest::kSetAttributes:
      return SetAttributes(request.set_attributes(), answer);
    case fs::FsRequest::kOpen:
      return Open(request.open(), answer);
    case fs::FsRequest::kMake:
      return Make(request.make(), answer);
    case fs::FsRequest::kLink:
      return Link(request.link(), answer);
    case fs::FsRequest::kRemove:
      return Remove(request.remove(), answer);
    case fs::FsRequest::kRename:
      return Rename(request.rename(), answer);
    case fs::FsRequest::kReadDirectory:
      return ReadDirectory(request.read_directory(), answer);
    case fs::FsRequest::kGetXattr:
      return GetXattr(request.get_xattr(), answer);
    case fs::FsRequest::kSetXattr:
      return SetXattr(request.set_xattr());
    case fs::FsRequest::kListXattr:
      return ListXattr(request.list_xattr(), answer);
    case fs::FsRequest::kRemoveXattr:
      return RemoveXattr(request.remove_xattr());
    case fs::FsRequest::kStatFs:
      return StatFs(request.stat_fs(), answer);
    case fs::FsRequest::kSync:
      return Sync(request.sync());
    case fs::FsRequest::kConnectSocket:
      return ConnectSocket(request.connect_socket(), answer);
    case fs::FsRequest::kConnect:  // the connection's business
    case fs::FsRequest::BODY_NOT_SET:
      break;
  }
  // A message that only closes handles is complete; unknown kinds arrive as one
  // without a body and without anything to close.
  return request.close_size() > 0 ? Ok() : Status(Error(ENOSYS));
}

Status Tree::Hold(FileDescriptor fd, fs::Node* node) {
  HeldFile file = {std::move(fd), node->attributes().mode() & S_IFMT};
  if (S_ISLNK(file.type)) {
    TRY_ASSIGN(*node->mutable_link_target(), ReadLink(file.fd.get()));
  }
  TRY_ASSIGN(uint64_t handle, handles_.Add(std::move(file)));
  node->set_handle(handle);
  return Ok();
}

Result<HeldFileRef> Tree::GetDirectory(uint64_t handle) const {
  TRY_ASSIGN(HeldFileRef file, handles_.Get(handle));
  if (!S_ISDIR(file->type)) return Error(ENOTDIR);
  return file;
}

Status Tree::CheckWritable() const { return options_.read_only ? Status(Error(EROFS)) : Ok(); }

Status Tree::Attach(Answer& answer) {
  fs::AttachReply& reply = *answer.reply.mutable_attach();
  TRY_ASSIGN(FileDescriptor fd, descriptors_.Reopen(root_.get(), O_PATH));
  TRY(gofer::GetAttributes(fd.get(), "", reply.mutable_root()->mutable_attributes()));
  struct statfs stat;
  if (fstatfs(fd.get(), &stat) < 0) return Error(errno);
  TRY(Hold(std::move(fd), reply.mutable_root()));
  reply.set_read_only(options_.read_only);
  reply.set_on_overlayfs(stat.f_type == OVERLAYFS_SUPER_MAGIC);
  for (const fs::ResolvedMount& mount : mounts_) *reply.add_mounts() = mount;
  return Ok();
}

Status Tree::Walk(const fs::WalkRequest& request, Answer& answer) {
  if (request.names_size() > kMaxWalkNames) return Error(EINVAL);
  for (const std::string& name : request.names()) TRY(CheckName(name));
  TRY_ASSIGN(HeldFileRef start, GetDirectory(request.handle()));

  fs::WalkReply& reply = *answer.reply.mutable_walk();
  int directory = start->fd.get();
  HeldFileRef current;
  for (const std::string& name : request.names()) {
    Result<FileDescriptor> fd = OpenPathAt(directory, name);
    if (!fd.ok()) {
      reply.set_error(fd.code());
      return Ok();
    }
    fs::Node* node = reply.add_nodes();
    TRY(gofer::GetAttributes(fd->get(), "", node->mutable_attributes()));
    TRY(Hold(std::move(*fd), node));
    TRY_ASSIGN(current, handles_.Get(node->handle()));
    directory = current->fd.get();
    if (!S_ISDIR(current->type)) break;
  }
  bool complete = reply.nodes_size() == request.names_size();
  if (request.open() != fs::ACCESS_NONE && complete && current && S_ISREG(current->type)) {
    TRY_ASSIGN(int flags, OpenFlags(request.open()));
    if (flags != O_RDONLY && options_.read_only) return Ok();
    Result<FileDescriptor> opened = descriptors_.Reopen(directory, flags);
    if (opened.ok()) answer.fd = std::move(*opened);
    reply.set_opened(answer.fd.valid());
  }
  return Ok();
}

Status Tree::GetAttributes(const fs::GetAttributesRequest& request, Answer& answer) {
  TRY_ASSIGN(HeldFileRef file, handles_.Get(request.handle()));
  return gofer::GetAttributes(file->fd.get(), "",
                              answer.reply.mutable_attributes()->mutable_attributes());
}

Status Tree::Open(const fs::OpenRequest& request, Answer& answer) {
  TRY_ASSIGN(HeldFileRef file, handles_.Get(request.handle()));
  // Opening a device node or FIFO of the host is never needed: the client's
  // kernel has its own.
  if (!S_ISREG(file->type)) return Error(EINVAL);
  TRY_ASSIGN(int flags, OpenFlags(request.access()));
  if (flags != O_RDONLY) TRY(CheckWritable());
  TRY_ASSIGN(answer.fd, descriptors_.Reopen(file->fd.get(), flags));
  return Ok();
}

Status Tree::StatFs(const fs::StatFsRequest& request, Answer& answer) {
  TRY_ASSIGN(HeldFileRef file, handles_.Get(request.handle()));
  struct statfs stat;
  if (fstatfs(file->fd.get(), &stat) < 0) return Error(errno);
  fs::StatFsReply& reply = *answer.reply.mutable_stat_fs();
  reply.set_type(stat.f_type);
  reply.set_block_size(stat.f_bsize);
  reply.set_blocks(stat.f_blocks);
  reply.set_blocks_free(stat.f_bfree);
  reply.set_blocks_available(stat.f_bavail);
  reply.set_files(stat.f_files);
  reply.set_files_free(stat.f_ffree);
  reply.set_name_length(stat.f_namelen);
  reply.set_fragment_size(stat.f_frsize);
  return Ok();
}

Status Tree::ConnectSocket(const fs::ConnectSocketRequest& request, Answer& answer) {
  if (!options_.host_sockets) return Error(EPERM);
  TRY_ASSIGN(HeldFileRef file, handles_.Get(request.handle()));
  if (!S_ISSOCK(file->type)) return Error(ECONNREFUSED);
  int type = static_cast<int>(request.type());
  if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET) return Error(EINVAL);

  FileDescriptor socket_fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket_fd.valid()) return Error(errno);
  // The working directory is /proc/self/fd when host sockets are enabled: a
  // socket's address is a path, and connect(2) takes no directory.
  sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof(address.sun_path), "%d", file->fd.get());
  if (connect(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0) {
    return Error(errno);
  }
  answer.fd = std::move(socket_fd);
  return Ok();
}

}  // namespace runsc::gofer
