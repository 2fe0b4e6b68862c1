#include "bin/runsc-boot/fs/gofer/gofer_inode.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "bin/runsc-boot/fs/gofer/attributes.h"
#include "bin/runsc-boot/fs/gofer/gofer_directory_file.h"
#include "bin/runsc-boot/fs/gofer/gofer_file.h"
#include "bin/runsc-boot/vfs/release_in_turn.h"

namespace runsc::boot {
namespace {

// How long something is trusted that others may change.
constexpr absl::Duration kSharedTrust = absl::Milliseconds(1);

}  // namespace

GoferInode::GoferInode(GoferFilesystem& filesystem, const fs::Node& node)
    : Inode(filesystem),
      gofer_(filesystem),
      device_(node.attributes().device()),
      number_(node.attributes().inode()),
      type_(node.attributes().mode() & S_IFMT),
      mode_(node.attributes().mode()) {
  SetType(type_);
  absl::MutexLock lock(&mutex_);
  handle_ = node.handle();
  link_target_ = node.link_target();
  StoreLocked(FromMessage(node.attributes()));
}

GoferInode::GoferInode(GoferFilesystem& filesystem, const fs::Attributes& attributes,
                       GoferInodeRef parent, std::string_view name)
    : Inode(filesystem),
      gofer_(filesystem),
      device_(attributes.device()),
      number_(attributes.inode()),
      type_(attributes.mode() & S_IFMT),
      mode_(attributes.mode()) {
  SetType(type_);
  absl::MutexLock lock(&mutex_);
  parent_ = std::move(parent);
  name_ = std::string(name);
  StoreLocked(FromMessage(attributes));
}

GoferInode::~GoferInode() {
  gofer_.Forget(*this);
  uint64_t handle;
  GoferInodeRef parent;
  {
    absl::MutexLock lock(&mutex_);
    handle = handle_;
    parent = std::move(parent_);
  }
  if (handle != 0) gofer_.client().LetGo(handle);
  DropLink(parent);
}

Result<uint64_t> GoferInode::Handle() {
  {
    absl::MutexLock lock(&mutex_);
    if (handle_ != 0) return handle_;
    if (parent_ == nullptr) return Error(ENOENT);
  }
  while (true) {
    // This one and those above that have no handle either.
    std::vector<GoferInodeRef> way;
    std::string name;
    for (GoferInodeRef next = Self(); next != nullptr; next = next->Unopened(&name)) {
      way.push_back(next);
    }
    Result<uint64_t> handle = way.back()->FetchHandle(nullptr, 0);
    for (size_t i = way.size() - 1; handle.ok() && i > 0; --i) {
      handle = way[i - 1]->FetchHandle(way[i].get(), *handle);
    }
    // EAGAIN: one was renamed meanwhile.
    if (handle.ok() || handle.code() != EAGAIN) return handle;
  }
}

Result<uint64_t> GoferInode::FetchHandle(const GoferInode* parent, uint64_t parent_handle) {
  fs::FsRequest request;
  if (GoferInodeRef now = Unopened(request.mutable_walk()->add_names())) {
    if (now.get() != parent) return Error(EAGAIN);
    request.mutable_walk()->set_handle(parent_handle);
    // Whoever needs the handle of a regular file wants to read it as a rule.
    if (S_ISREG(type_)) request.mutable_walk()->set_open(fs::ACCESS_READ);
    TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
    if (reply.message.walk().nodes_size() != 1) return Error(ENOENT);
    TRY(TakeFetched(reply.message.walk().nodes(0)));
    if (reply.fd.valid()) TakeDescriptor(std::move(reply.fd), false);
  }
  absl::MutexLock lock(&mutex_);
  if (handle_ == 0) return Error(ENOENT);
  return handle_;
}

GoferInodeRef GoferInode::Unopened(std::string* name) const {
  absl::MutexLock lock(&mutex_);
  if (handle_ == 0 && parent_ != nullptr) *name = name_;
  return parent_;
}

Status GoferInode::TakeFetched(const fs::Node& node) {
  bool same = node.attributes().inode() == number_ && node.attributes().device() == device_;
  if (!same || !TakeHandle(node)) gofer_.client().LetGo(node.handle());
  return same ? Ok() : Status(Error(ENOENT));
}

bool GoferInode::TakeHandle(const fs::Node& node) {
  GoferInodeRef parent;  // let go without the lock
  absl::MutexLock lock(&mutex_);
  if (!gofer_.exclusive()) StoreLocked(FromMessage(node.attributes()));
  if (handle_ != 0) return false;
  handle_ = node.handle();
  link_target_ = node.link_target();
  parent = std::move(parent_);
  name_.clear();
  return true;
}

void GoferInode::DisownHandle() {
  absl::MutexLock lock(&mutex_);
  handle_ = 0;
}

uint64_t GoferInode::Version() const {
  absl::MutexLock lock(&mutex_);
  return version_;
}

void GoferInode::Changed() {
  absl::MutexLock lock(&mutex_);
  ++version_;
  valid_until_ = absl::InfinitePast();
}

void GoferInode::StoreLocked(const Attributes& attributes) {
  attributes_ = attributes;
  mode_.store(attributes.mode, std::memory_order_relaxed);
  valid_until_ = gofer_.exclusive() ? absl::InfiniteFuture() : absl::Now() + kSharedTrust;
}

void GoferInode::Store(const Attributes& attributes, uint64_t version) {
  absl::MutexLock lock(&mutex_);
  if (version_ == version) StoreLocked(attributes);
}

void GoferInode::Store(const fs::Attributes& attributes, uint64_t version) {
  Store(FromMessage(attributes), version);
}

Result<Attributes> GoferInode::GetAttributes() {
  bool stale =
      stale_.exchange(false, std::memory_order_acq_rel) || mapped_.load(std::memory_order_acquire);
  HostFileRef file;
  uint64_t version;
  {
    absl::MutexLock lock(&mutex_);
    bool valid = valid_until_ == absl::InfiniteFuture() || valid_until_ > absl::Now();
    if (valid && !stale) return attributes_;
    // What was stale must not be trusted by somebody else meanwhile.
    valid_until_ = absl::InfinitePast();
    version = version_;
    file = write_file_ != nullptr ? write_file_ : read_file_;
  }
  Attributes attributes;
  if (file != nullptr) {
    TRY_ASSIGN(attributes, FromDescriptor(file->get()));
  } else {
    fs::FsRequest request;
    TRY_ASSIGN(uint64_t handle, Handle());
    request.mutable_get_attributes()->set_handle(handle);
    TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
    attributes = FromMessage(reply.message.attributes().attributes());
  }
  Store(attributes, version);
  return attributes;
}

Status GoferInode::SetAttributes(const AttributeChange& change) {
  TRY_ASSIGN(uint64_t handle, Handle());
  fs::FsRequest request;
  *request.mutable_set_attributes() = ToMessage(handle, change);
  Changed();
  uint64_t version = Version();
  TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
  Store(reply.message.attributes().attributes(), version);
  return Ok();
}

Status GoferInode::PrepareNameRemoval() {
  {
    absl::MutexLock lock(&mutex_);
    if (handle_ != 0 || S_ISDIR(type_) || attributes_.nlink <= 1) return Ok();
  }
  TRY(Handle());
  return Ok();
}

void GoferInode::NameRemoved() {
  bool last;
  GoferInodeRef parent;  // let go without the lock
  {
    absl::MutexLock lock(&mutex_);
    last = attributes_.nlink <= 1 || S_ISDIR(type_);
    if (handle_ == 0 && parent_ != nullptr) {
      // Nothing will ever fetch it; what is known of it is all there is.
      attributes_.nlink = S_ISDIR(type_) ? 0 : attributes_.nlink - 1;
      parent = std::move(parent_);
    } else {
      ++version_;
      valid_until_ = absl::InfinitePast();
    }
  }
  // While it has a handle, the host does not give its number to another file.
  if (last) gofer_.Forget(*this);
}

Result<HostFileRef> GoferInode::HostFile(bool writable) {
  used_.store(true, std::memory_order_relaxed);
  {
    absl::MutexLock lock(&mutex_);
    const HostFileRef& file = writable ? write_file_ : read_file_;
    if (file != nullptr) return file;
  }
  TRY_ASSIGN(uint64_t handle, Handle());
  {
    // Fetching the handle may have brought the descriptor.
    absl::MutexLock lock(&mutex_);
    if (!writable && read_file_ != nullptr) return read_file_;
  }
  fs::FsRequest request;
  request.mutable_open()->set_handle(handle);
  request.mutable_open()->set_access(writable ? fs::ACCESS_READ_WRITE : fs::ACCESS_READ);
  TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
  if (!reply.fd.valid()) return Error(EIO);
  auto file = std::make_shared<const FileDescriptor>(std::move(reply.fd));
  {
    absl::MutexLock lock(&mutex_);
    (writable ? write_file_ : read_file_) = file;
    // Opened for writing, a file of a host's overlay becomes another file on
    // the upper layer; mappings of the old descriptor would not see changes.
    if (writable && gofer_.on_overlayfs()) read_file_.reset();
  }
  gofer_.NoteDescriptor(Self());
  return file;
}

void GoferInode::TakeDescriptor(FileDescriptor fd, bool writable) {
  {
    absl::MutexLock lock(&mutex_);
    HostFileRef& file = writable ? write_file_ : read_file_;
    if (file != nullptr) return;
    file = std::make_shared<const FileDescriptor>(std::move(fd));
  }
  gofer_.NoteDescriptor(Self());
}

void GoferInode::DropDescriptors() {
  HostFileRef read, write;  // closed without the lock
  absl::MutexLock lock(&mutex_);
  read = std::move(read_file_);
  write = std::move(write_file_);
}

Result<std::string> GoferInode::ReadLink(Context& context) {
  if (!S_ISLNK(type_)) return Error(EINVAL);
  TRY(Handle());  // brings the target
  absl::MutexLock lock(&mutex_);
  return link_target_;
}

Result<FileRef> GoferInode::Open(Context& context, const Path& path, int flags) {
  if (S_ISDIR(type_)) return FileRef(std::make_shared<GoferDirectoryFile>(path, flags, Self()));
  if (!S_ISREG(type_)) return Error(ENXIO);
  TRY_ASSIGN(HostFileRef file, HostFile((flags & O_ACCMODE) != O_RDONLY));
  return FileRef(std::make_shared<GoferFile>(path, flags, Self(), std::move(file)));
}

Status GoferInode::Sync(bool data_only) {
  TRY_ASSIGN(uint64_t handle, Handle());
  fs::FsRequest request;
  request.mutable_sync()->set_handle(handle);
  request.mutable_sync()->set_data_only(data_only);
  TRY(gofer_.client().Call(request));
  return Ok();
}

Result<FileDescriptor> GoferInode::ConnectHostSocket(int type) {
  TRY_ASSIGN(uint64_t handle, Handle());
  fs::FsRequest request;
  request.mutable_connect_socket()->set_handle(handle);
  request.mutable_connect_socket()->set_type(static_cast<uint32_t>(type));
  TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
  if (!reply.fd.valid()) return Error(EIO);
  return std::move(reply.fd);
}

Result<std::string> GoferInode::GetXattr(std::string_view name) {
  // ls asks for each file's access control list ("system."), which permission
  // checks of this kernel do not look at.
  if (!name.starts_with("user.") && !name.starts_with("security.")) return Error(EOPNOTSUPP);
  TRY_ASSIGN(uint64_t handle, Handle());
  fs::FsRequest request;
  request.mutable_get_xattr()->set_handle(handle);
  request.mutable_get_xattr()->set_name(std::string(name));
  TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
  return std::move(*reply.message.mutable_xattr()->mutable_value());
}

Status GoferInode::SetXattr(std::string_view name, std::string_view value, int flags) {
  TRY_ASSIGN(uint64_t handle, Handle());
  fs::FsRequest request;
  request.mutable_set_xattr()->set_handle(handle);
  request.mutable_set_xattr()->set_name(std::string(name));
  request.mutable_set_xattr()->set_value(std::string(value));
  request.mutable_set_xattr()->set_flags(static_cast<uint32_t>(flags));
  TRY(gofer_.client().Call(request));
  Changed();
  return Ok();
}

Result<std::vector<std::string>> GoferInode::ListXattr() {
  TRY_ASSIGN(uint64_t handle, Handle());
  fs::FsRequest request;
  request.mutable_list_xattr()->set_handle(handle);
  TRY_ASSIGN(GoferClient::Reply reply, gofer_.client().Call(request));
  std::vector<std::string> names =
      absl::StrSplit(reply.message.xattr().value(), '\0', absl::SkipEmpty());
  return names;
}

Status GoferInode::RemoveXattr(std::string_view name) {
  TRY_ASSIGN(uint64_t handle, Handle());
  fs::FsRequest request;
  request.mutable_remove_xattr()->set_handle(handle);
  request.mutable_remove_xattr()->set_name(std::string(name));
  TRY(gofer_.client().Call(request));
  Changed();
  return Ok();
}

}  // namespace runsc::boot
