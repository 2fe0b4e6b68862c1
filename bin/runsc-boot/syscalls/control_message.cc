#include "bin/runsc-boot/syscalls/control_message.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "bin/runsc-boot/auth/user_namespace.h"
#include "bin/runsc-boot/syscalls/arguments.h"

namespace runsc::boot {

namespace {

constexpr size_t kMaxFiles = 253;  // SCM_MAX_FD
constexpr size_t kAlignment = sizeof(size_t);

size_t Align(size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

Status AddFiles(Task& task, std::span<const std::byte> data, ControlData& control) {
  const size_t count = data.size() / sizeof(int);
  if (control.files.size() + count > kMaxFiles) return Error(EINVAL);
  for (size_t i = 0; i < count; ++i) {
    int fd;
    memcpy(&fd, data.data() + i * sizeof(int), sizeof(int));
    TRY_ASSIGN(FileRef file, task.fds().Get(fd));
    control.files.push_back(std::move(file));
  }
  return Ok();
}

// unix(7): a privileged process may name other ids than its own.
Status AddCredentials(Task& task, std::span<const std::byte> data, ControlData& control) {
  ucred claimed;
  if (data.size() != sizeof(claimed)) return Error(EINVAL);
  memcpy(&claimed, data.data(), sizeof(claimed));
  CredentialsRef own = task.credentials();
  const PidNamespaceRef pids = task.pid_namespace() == nullptr
                                   ? task.kernel().namespaces()->pid_for_children
                                   : task.group().pid_namespace();
  const bool pid_ok = claimed.pid == task.shown_tgid() || own->HasIn(*pids->owner(), CAP_SYS_ADMIN);
  claimed.uid = own->KernelUid(claimed.uid);
  claimed.gid = own->KernelGid(claimed.gid);
  if (claimed.uid == kNoId || claimed.gid == kNoId) return Error(EINVAL);
  const bool uid_ok = claimed.uid == own->ruid || claimed.uid == own->euid ||
                      claimed.uid == own->suid || own->Has(CAP_SETUID);
  const bool gid_ok = claimed.gid == own->rgid || claimed.gid == own->egid ||
                      claimed.gid == own->sgid || own->Has(CAP_SETGID);
  if (!pid_ok || !uid_ok || !gid_ok) return Error(EPERM);
  // On the way, ids are the kernel's.
  if (claimed.pid != task.shown_tgid() && task.FindTask(claimed.pid) == nullptr) {
    return Error(ESRCH);
  }
  claimed.pid = task.ToKernelPid(claimed.pid);
  control.credentials = claimed;
  return Ok();
}

Status Add(Task& task, const cmsghdr& header, std::span<const std::byte> data,
           ControlData& control) {
  if (header.cmsg_level != SOL_SOCKET) {
    control.others.push_back({header.cmsg_level, header.cmsg_type, {data.begin(), data.end()}});
    return Ok();
  }
  switch (header.cmsg_type) {
    case SCM_RIGHTS:
      return AddFiles(task, data, control);
    case SCM_CREDENTIALS:
      return AddCredentials(task, data, control);
    default:
      return Error(EINVAL);
  }
}

// Appends cmsgs as long as there is room.
class ControlWriter {
 public:
  ControlWriter(size_t capacity, int& flags) : capacity_(capacity), flags_(flags) {}

  // How many bytes of data fit into one more message.
  size_t Room() const {
    const size_t used = bytes_.size();
    return capacity_ < used + CMSG_LEN(0) ? 0 : capacity_ - used - CMSG_LEN(0);
  }

  void Add(int level, int type, std::span<const std::byte> data) {
    if (capacity_ < bytes_.size() + CMSG_LEN(0)) {
      flags_ |= MSG_CTRUNC;
      return;
    }
    if (data.size() > Room()) {
      flags_ |= MSG_CTRUNC;
      data = data.first(Room());
    }
    cmsghdr header{};
    header.cmsg_len = CMSG_LEN(data.size());
    header.cmsg_level = level;
    header.cmsg_type = type;
    const auto* raw = reinterpret_cast<const std::byte*>(&header);
    bytes_.insert(bytes_.end(), raw, raw + sizeof(header));
    bytes_.insert(bytes_.end(), data.begin(), data.end());
    bytes_.resize(std::min(Align(bytes_.size()), capacity_));
  }

  std::vector<std::byte> Take() { return std::move(bytes_); }

 private:
  const size_t capacity_;
  int& flags_;
  std::vector<std::byte> bytes_;
};

template <typename T>
std::span<const std::byte> BytesOf(const T* data, size_t count) {
  return std::as_bytes(std::span<const T>(data, count));
}

}  // namespace

ucred OwnCredentials(Task& task) {
  CredentialsRef own = task.credentials();
  return {task.tgid(), own->euid, own->egid};
}

ucred AsShownTo(Task& task, ucred credentials) {
  const CredentialsRef own = task.credentials();
  return {task.FromKernelPid(credentials.pid), own->ShownUid(credentials.uid),
          own->ShownGid(credentials.gid)};
}

Result<ControlData> ParseControl(Task& task, std::span<const std::byte> raw) {
  ControlData control;
  while (raw.size() >= sizeof(cmsghdr)) {
    cmsghdr header;
    memcpy(&header, raw.data(), sizeof(header));
    if (header.cmsg_len < sizeof(header) || header.cmsg_len > raw.size()) return Error(EINVAL);
    TRY(Add(task, header, raw.subspan(sizeof(header), header.cmsg_len - sizeof(header)), control));
    raw = raw.subspan(std::min(Align(header.cmsg_len), raw.size()));
  }
  return control;
}

std::vector<std::byte> BuildControl(Task& task, ControlData control, size_t capacity,
                                    bool close_on_exec, int& flags) {
  ControlWriter writer(capacity, flags);
  if (control.credentials) {
    const ucred shown = AsShownTo(task, *control.credentials);
    writer.Add(SOL_SOCKET, SCM_CREDENTIALS, BytesOf(&shown, 1));
  }
  if (!control.files.empty()) {
    const size_t fit = std::min(writer.Room() / sizeof(int), control.files.size());
    if (fit < control.files.size()) flags |= MSG_CTRUNC;
    std::vector<int> fds;
    for (size_t i = 0; i < fit; ++i) {
      Result<int> fd = task.fds().Install(control.files[i], close_on_exec, MaxFiles(task));
      if (!fd.ok()) {
        flags |= MSG_CTRUNC;
        break;
      }
      fds.push_back(*fd);
    }
    if (!fds.empty()) writer.Add(SOL_SOCKET, SCM_RIGHTS, BytesOf(fds.data(), fds.size()));
  }
  for (const RawControl& other : control.others) writer.Add(other.level, other.type, other.data);
  return writer.Take();
}

}  // namespace runsc::boot
