#include "bin/runsc-boot/platform/zygote.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/platform/stub/stub_image.h"

namespace runsc::boot::platform {
namespace {

constexpr int kLaunchPollMs = 20;
constexpr int kLaunchTimeoutMs = 10'000;

// What the child does between clone and exec. It shares nothing with boot but
// the descriptors that it inherited; only plain system calls are made.
struct Child {
  int image_fd;
  int page_fd;
  int boot_pidfd;
  uid_t uid;
  gid_t gid;
  stub::Bootstrap* page;

  [[noreturn]] void Fail() const {
    page->error = errno != 0 ? errno : EIO;
    __atomic_store_n(&page->state, stub::kBootstrapFailed, __ATOMIC_RELEASE);
    _exit(1);
  }
  void Check(long result) const {
    if (result < 0) Fail();
  }

  // A file system without a file, mounted nowhere: nothing to resolve paths in.
  void EnterEmptyRoot() const {
    int context = static_cast<int>(syscall(SYS_fsopen, "tmpfs", 0));
    Check(context);
    Check(syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "0555", 0));
    Check(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
    int root = static_cast<int>(
        syscall(SYS_fsmount, context, 0,
                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
    Check(root);
    Check(fchdir(root));
    Check(chroot("."));
  }

  void SetLimits() const {
    auto raise = [](__rlimit_resource resource, rlim_t value) {
      rlimit limit{};
      if (getrlimit(resource, &limit) != 0) return;
      rlimit wanted{value, std::max(value, limit.rlim_max)};
      if (setrlimit(resource, &wanted) == 0) return;
      limit.rlim_cur = std::min(value, limit.rlim_max);
      (void)setrlimit(resource, &limit);
    };
    // The application's limits are the kernel's business; the host's must not
    // be hit before them.
    raise(RLIMIT_NOFILE, 1 << 20);
    raise(RLIMIT_NPROC, RLIM_INFINITY);
    raise(RLIMIT_AS, RLIM_INFINITY);
    raise(RLIMIT_DATA, RLIM_INFINITY);
    raise(RLIMIT_CPU, RLIM_INFINITY);
    rlimit none{0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
  }

  void DropPrivileges() const {
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; ++cap) {
      (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    // The raw calls: glibc's would signal threads that this process lacks.
    if (syscall(SYS_setgroups, 0, nullptr) != 0 && errno != EPERM) Fail();
    Check(syscall(SYS_setresgid, gid, gid, gid));
    Check(syscall(SYS_setresuid, uid, uid, uid));
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2]{};
    Check(syscall(SYS_capset, &header, none));
    Check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  }

  [[noreturn]] void Run() const {
    if (setsid() < 0 && errno != EPERM) Fail();
    // Its children are the processes of the container; the first is pid 1.
    Check(unshare(CLONE_NEWPID));
    EnterEmptyRoot();
    SetLimits();
    DropPrivileges();
    // After the change of ids, which clears it.
    Check(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    pollfd boot{boot_pidfd, POLLIN, 0};
    if (poll(&boot, 1, 0) != 0) _exit(1);
    int image = fcntl(image_fd, F_DUPFD_CLOEXEC, 10);
    Check(image);
    int bootstrap = fcntl(page_fd, F_DUPFD_CLOEXEC, 10);
    Check(bootstrap);
    Check(dup2(bootstrap, stub::kBootstrapFd));
    Check(syscall(SYS_close_range, 0, stub::kBootstrapFd - 1, 0));
    Check(syscall(SYS_close_range, stub::kBootstrapFd + 1, ~0U, CLOSE_RANGE_CLOEXEC));
    char name[] = "z";
    char* arguments[] = {name, nullptr};
    char* environment[] = {nullptr};
    syscall(SYS_execveat, image, "", arguments, environment, AT_EMPTY_PATH);
    Fail();
  }
};

Result<std::pair<FileDescriptor, stub::Bootstrap*>> CreatePage(
    const std::vector<sock_filter>& filter) {
  if (filter.size() > stub::kMaxFilter) return Error(E2BIG, "stub filter too long");
  FileDescriptor fd(memfd_create("stub-bootstrap", MFD_CLOEXEC));
  if (!fd) return ErrnoError("memfd_create", "stub bootstrap");
  if (ftruncate(fd.get(), stub::kBootstrapSize) != 0) {
    return ErrnoError("ftruncate", "stub bootstrap");
  }
  void* memory =
      mmap(nullptr, stub::kBootstrapSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return ErrnoError("mmap", "stub bootstrap");
  auto* page = static_cast<stub::Bootstrap*>(memory);
  static_assert(sizeof(stub::SockFilter) == sizeof(sock_filter));
  std::memcpy(page->filter, filter.data(), filter.size() * sizeof(sock_filter));
  page->filter_length = static_cast<uint32_t>(filter.size());
  return std::pair(std::move(fd), page);
}

}  // namespace

Result<FileDescriptor> CreateStubImage() {
  FileDescriptor writable(memfd_create("stub", MFD_CLOEXEC));
  if (!writable) return ErrnoError("memfd_create", "stub image");
  std::span<const unsigned char> image = stub::Image();
  if (write(writable.get(), image.data(), image.size()) != static_cast<ssize_t>(image.size())) {
    return ErrnoError("write", "stub image");
  }
  if (fchmod(writable.get(), 0555) != 0) return ErrnoError("fchmod", "stub image");
  // A file that is open for writing cannot be executed.
  std::string path = absl::StrCat("/proc/self/fd/", writable.get());
  FileDescriptor image_fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!image_fd) return ErrnoError("open stub image", path);
  return image_fd;
}

Result<Zygote> Zygote::Launch(int image_fd, const std::vector<sock_filter>& filter, uid_t uid,
                              gid_t gid) {
  TRY_ASSIGN(auto page, CreatePage(filter));
  FileDescriptor self(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  if (!self) return ErrnoError("pidfd_open", "boot");
  Child child{image_fd, page.first.get(), self.get(), uid, gid, page.second};
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) child.Run();
  if (pid < 0) {
    Error error = ErrnoError("clone", "zygote");
    munmap(page.second, stub::kBootstrapSize);
    return error;
  }
  Zygote stub(static_cast<pid_t>(pid), FileDescriptor(pidfd), page.second);
  for (int waited = 0;; waited += kLaunchPollMs) {
    uint32_t state = __atomic_load_n(&page.second->state, __ATOMIC_ACQUIRE);
    if (state == stub::kBootstrapReady) return stub;
    pollfd ended{pidfd, POLLIN, 0};
    bool dead = poll(&ended, 1, 0) > 0;
    if (state == stub::kBootstrapFailed) return MakeError(page.second->error, "start zygote");
    if (dead) return Error(EIO, "zygote ended during its start");
    if (waited >= kLaunchTimeoutMs) return Error(ETIMEDOUT, "zygote does not start");
    timespec timeout{0, kLaunchPollMs * 1'000'000};
    syscall(SYS_futex, &page.second->state, FUTEX_WAIT, 0, &timeout, nullptr, 0);
  }
}

Zygote::Zygote(Zygote&& other) noexcept
    : host_pid_(std::exchange(other.host_pid_, 0)),
      pidfd_(std::move(other.pidfd_)),
      page_(std::exchange(other.page_, nullptr)) {}

Zygote::~Zygote() {
  if (pidfd_) {
    syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
    siginfo_t info{};
    waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd_.get()), &info, WEXITED);
  }
  if (page_ != nullptr) munmap(page_, stub::kBootstrapSize);
}

Result<FileDescriptor> Zygote::TakeListener() {
  int fd = static_cast<int>(syscall(SYS_pidfd_getfd, pidfd_.get(), page_->listener_fd, 0));
  if (fd < 0) return ErrnoError("pidfd_getfd", "notification listener of the zygote");
  return FileDescriptor(fd);
}

Result<pid_t> Zygote::Spawn(uint32_t token) {
  absl::MutexLock lock(&mutex_);
  const uint32_t number = page_->asked + 1;
  page_->token = token;
  __atomic_store_n(&page_->asked, number, __ATOMIC_RELEASE);
  syscall(SYS_futex, &page_->asked, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  for (int waited = 0;; waited += kLaunchPollMs) {
    uint32_t made = __atomic_load_n(&page_->made, __ATOMIC_ACQUIRE);
    if (made == number) break;
    pollfd ended{pidfd_.get(), POLLIN, 0};
    if (poll(&ended, 1, 0) > 0) return Error(ESRCH, "the zygote has ended");
    if (waited >= kLaunchTimeoutMs) return Error(ETIMEDOUT, "the zygote does not answer");
    timespec timeout{0, kLaunchPollMs * 1'000'000};
    syscall(SYS_futex, &page_->made, FUTEX_WAIT, made, &timeout, nullptr, 0);
  }
  if (page_->child < 0) return MakeError(-page_->child, "clone", "a process of the container");
  return page_->child;
}

}  // namespace runsc::boot::platform
