#include "bin/runsc-boot/platform/notify_platform.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/platform/stub_filter.h"
#include "bin/runsc-boot/platform/stub_message.h"
#include "common/log.h"

namespace runsc::boot::platform {
namespace {

// Linux 6.11: the thread id in the namespace of the descriptor.
constexpr unsigned long kGetPidInNamespace = _IOR(0xb7, 0x8, int);
constexpr uint64_t kMaxPid = 1 << 22;

Result<FileDescriptor> OpenPidfd(pid_t host_pid) {
  int fd = static_cast<int>(syscall(SYS_pidfd_open, host_pid, 0));
  if (fd < 0) return Error(errno);
  return FileDescriptor(fd);
}

// The last number of a line of /proc/PID/status, 0 if there is none.
pid_t NumberFromProc(pid_t host_tid, const char* name) {
  std::ifstream file(absl::StrCat("/proc/", host_tid, "/status"));
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name, 0) != 0) continue;
    int number = 0;
    size_t last = line.find_last_of(" \t");
    return absl::SimpleAtoi(line.substr(last + 1), &number) ? number : 0;
  }
  return 0;
}

pid_t TidFromProc(pid_t host_tid) { return NumberFromProc(host_tid, "NSpid:"); }

}  // namespace

Result<std::unique_ptr<Platform>> Platform::Create(const Options& options, uid_t uid, gid_t gid) {
  TRY_ASSIGN(std::vector<sock_filter> filter, BuildStubFilter(options.native_calls));
  TRY_ASSIGN(FileDescriptor image, CreateStubImage());
  TRY_ASSIGN(Zygote zygote, Zygote::Launch(image.get(), filter, uid, gid));
  return std::unique_ptr<Platform>(
      std::make_unique<NotifyPlatform>(std::move(zygote), std::move(image)));
}

NotifyPlatform::~NotifyPlatform() { Shutdown(); }

Result<ThreadRef> NotifyPlatform::Start(std::shared_ptr<ThreadEvents> events) {
  TRY_ASSIGN(FileDescriptor listener, zygote_.TakeListener());
  listener_.emplace(std::move(listener));
  listener_->PreferSynchronousWakeUp();
  pool_.emplace(*listener_, static_cast<Router&>(*this));
  reaper_.emplace([this](const std::shared_ptr<StubProcess>& ended) { ProcessEnded(ended); });
  TRY(reaper_->Start());
  TRY_ASSIGN(ThreadRef thread, Spawn(std::move(events)));
  init_ = static_cast<StubThread&>(*thread).stub_process();
  // Exists since there is a process in it.
  std::string path = absl::StrCat("/proc/", zygote_.host_pid(), "/ns/pid_for_children");
  pid_namespace_.Reset(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  TRY(pool_->Start());
  return thread;
}

Result<ThreadRef> NotifyPlatform::Spawn(std::shared_ptr<ThreadEvents> events) {
  auto process = std::make_shared<StubProcess>();
  auto thread = std::make_shared<StubThread>(*this, std::move(events));
  thread->SetProcess(process);
  (void)process->BeginExec(thread);
  uint32_t token = ExpectChild(thread, process, 0, /*spawned=*/true);
  Result<pid_t> host_pid = zygote_.Spawn(token);
  Status adopted = host_pid ? AdoptSpawned(thread, *host_pid) : Status(host_pid.error());
  if (!adopted.ok()) {
    ForgetChild(token);
    process->EndExec();
    thread->DropEvents();
    return std::move(adopted).error();
  }
  return ThreadRef(std::move(thread));
}

Status NotifyPlatform::AdoptSpawned(const std::shared_ptr<StubThread>& thread, pid_t host_pid) {
  const std::shared_ptr<StubProcess>& process = thread->stub_process();
  absl::MutexLock lock(&spawn_mutex_);
  if (process->host_pid() == host_pid) return Ok();
  TRY_ASSIGN(FileDescriptor pidfd, OpenPidfd(host_pid));
  pid_t pid = ResolveTid(host_pid, 0);
  if (pid <= 0) return Error(ESRCH);
  process->set_pid(pid);
  thread->SetTid(pid);
  if (!Insert(process, host_pid, std::move(pidfd))) return Error(ESRCH);
  return reaper_->Watch(process);
}

bool NotifyPlatform::Insert(const std::shared_ptr<StubProcess>& process, pid_t host_pid,
                            FileDescriptor pidfd) {
  absl::MutexLock lock(&mutex_);
  if (!processes_.try_emplace(host_pid, process).second) return false;
  process->Adopt(host_pid, std::move(pidfd));
  if (frozen_) process->Signal(SIGSTOP);
  return true;
}

void NotifyPlatform::Freeze(bool frozen) {
  absl::MutexLock lock(&mutex_);
  if (frozen_ == frozen) return;
  frozen_ = frozen;
  for (auto& [host_pid, process] : processes_) process->Signal(frozen ? SIGSTOP : SIGCONT);
}

void NotifyPlatform::WillBlock(Thread& thread) {
  pool_->ReleaseReception();
  static_cast<StubThread&>(thread).Park();
}

void NotifyPlatform::Shutdown() {
  if (shutting_down_.exchange(true)) return;
  if (init_ != nullptr) {
    // Ends the whole pid namespace with it.
    init_->KillForMisbehaviour();
    pollfd ended{init_->pidfd(), POLLIN, 0};
    while (poll(&ended, 1, -1) < 0 && errno == EINTR) {
    }
  }
  if (pool_) {
    for (const auto& thread : Threads()) pool_->MarkDead(thread->mailbox());
    pool_->Shutdown();
  }
  if (reaper_) reaper_->Stop();
  // Now, since some have come in or ended meanwhile.
  std::vector<std::shared_ptr<StubThread>> threads = Threads();
  if (pool_) {
    for (auto& thread : pool_->TakeLeftOver()) threads.push_back(std::move(thread));
  }
  for (const auto& thread : threads) thread->DropEvents();
  absl::MutexLock lock(&mutex_);
  threads_.clear();
  pending_.clear();
  processes_.clear();
}

std::vector<std::shared_ptr<StubThread>> NotifyPlatform::Threads() {
  std::vector<std::shared_ptr<StubThread>> threads;
  absl::MutexLock lock(&mutex_);
  for (const auto& [tid, thread] : threads_) threads.push_back(thread);
  for (const auto& [token, child] : pending_) threads.push_back(child.thread);
  return threads;
}

// --- Who is who.

std::shared_ptr<StubThread> NotifyPlatform::Find(pid_t host_tid) {
  absl::MutexLock lock(&mutex_);
  auto it = threads_.find(host_tid);
  return it == threads_.end() ? nullptr : it->second;
}

uint32_t NotifyPlatform::ExpectChild(std::shared_ptr<StubThread> child,
                                     std::shared_ptr<StubProcess> parent, uint64_t flags,
                                     bool spawned) {
  absl::MutexLock lock(&mutex_);
  for (;;) {
    uint32_t token = 0;
    if (getrandom(&token, sizeof token, 0) != sizeof token || token == 0) continue;
    auto [it, inserted] = pending_.try_emplace(token);
    if (!inserted) continue;
    it->second = {std::move(child), std::move(parent), flags, spawned};
    return token;
  }
}

std::optional<NotifyPlatform::PendingChild> NotifyPlatform::TakePending(uint32_t token) {
  absl::MutexLock lock(&mutex_);
  auto it = pending_.find(token);
  if (it == pending_.end()) return std::nullopt;
  PendingChild pending = std::move(it->second);
  pending_.erase(it);
  return pending;
}

bool NotifyPlatform::ForgetChild(uint32_t token) { return TakePending(token).has_value(); }

pid_t NotifyPlatform::ResolveTid(pid_t host_tid, uint64_t claim) {
  if (pid_namespace_) {
    int tid = ioctl(pid_namespace_.get(), kGetPidInNamespace, host_tid);
    if (tid > 0) return tid;
  }
  if (claim == 0) return TidFromProc(host_tid);
  return claim <= kMaxPid ? static_cast<pid_t>(claim) : 0;
}

void NotifyPlatform::Bind(const std::shared_ptr<StubThread>& thread, pid_t host_tid) {
  thread->SetHostTid(host_tid);
  if (thread->space() != nullptr) thread->space()->AddThread(host_tid);
  {
    absl::MutexLock lock(&mutex_);
    threads_[host_tid] = thread;
  }
  if (thread->stub_process()->AddThread(thread)) return;
  pool_->MarkDead(thread->mailbox());
  pool_->SubmitDeath(thread);
}

void NotifyPlatform::Remove(const std::shared_ptr<StubThread>& thread) {
  {
    absl::MutexLock lock(&mutex_);
    auto it = threads_.find(thread->host_tid());
    if (it != threads_.end() && it->second == thread) threads_.erase(it);
  }
  thread->stub_process()->RemoveThread(thread.get());
  thread->LeaveSpace();
  thread->DropEvents();
}

void NotifyPlatform::ProcessEnded(const std::shared_ptr<StubProcess>& process) {
  std::vector<std::shared_ptr<StubThread>> threads = process->End();
  {
    absl::MutexLock lock(&mutex_);
    processes_.erase(process->host_pid());
    for (const auto& thread : threads) {
      auto it = threads_.find(thread->host_tid());
      if (it != threads_.end() && it->second == thread) threads_.erase(it);
    }
    // Threads of a process that is gone will not come any more.
    for (auto it = pending_.begin(); it != pending_.end();) {
      if (it->second.parent == process &&
          (it->second.spawned || (it->second.flags & CLONE_THREAD))) {
        threads.push_back(it->second.thread);
        pending_.erase(it++);
        continue;
      }
      // A forked child may live, and come in a moment, or never.
      if (it->second.parent == process) {
        reaper_->RunLater([this, token = it->first] {
          std::optional<PendingChild> orphan = TakePending(token);
          if (orphan) pool_->SubmitDeath(orphan->thread);
        });
      }
      ++it;
    }
  }
  for (const auto& thread : threads) {
    if (thread->space() != nullptr) thread->space()->RemoveThread(thread->host_tid());
    thread->set_phase(StubThread::Phase::kDead);
    pool_->MarkDead(thread->mailbox());
    if (!process->killed() && !shutting_down_.load()) {
      pool_->SubmitDeath(thread);
    } else {
      thread->DropEvents();
    }
  }
}

// --- Routing.

void NotifyPlatform::Handle(const std::shared_ptr<StubThread>& thread,
                            const Notification& notification) {
  thread->HandleNotification(notification);
}

void NotifyPlatform::HandleDeath(const std::shared_ptr<StubThread>& thread) {
  std::shared_ptr<ThreadEvents> events = thread->events();
  if (events != nullptr && !thread->stub_process()->killed()) events->OnDeath(*thread);
  thread->DropEvents();
}

std::shared_ptr<StubThread> NotifyPlatform::Route(const Notification& notification) {
  bool from_stub = IsFromStub(notification);
  if (from_stub && notification.call.number == SYS_mmap) {
    std::shared_ptr<StubThread> child;
    if (RouteRegion(notification, child)) return child;
  }
  std::shared_ptr<StubThread> thread = Find(notification.host_tid);
  if (thread == nullptr) return RouteUnknown(notification);
  if (pool_->Deliver(thread->mailbox(), notification)) return nullptr;
  if (from_stub) {
    if (notification.call.number == SYS_execveat && RouteExec(thread, notification)) return nullptr;
    if (notification.call.number == SYS_exit && RouteExit(thread, notification)) return nullptr;
  }
  return thread;
}

void NotifyPlatform::KillStranger(const Notification& notification, const char* why) {
  LOG_DEBUG("platform: killing host thread ", notification.host_tid, ": ", why);
  if (notification.host_tid <= 0 || !listener_->StillValid(notification.id)) return;
  // With a thread's id the signal goes to its process.
  kill(notification.host_tid, SIGKILL);
}

std::shared_ptr<StubThread> NotifyPlatform::RouteUnknown(const Notification& notification) {
  const auto& args = notification.call.args;
  if (!IsFromStub(notification) || notification.call.number != stub::kSysEnter || args[1] != 0) {
    KillStranger(notification, "unknown");
    return nullptr;
  }
  std::optional<PendingChild> pending = TakePending(static_cast<uint32_t>(args[4]));
  if (pending && pending->spawned) {
    RouteSpawned(*pending, notification);
    return nullptr;
  }
  if (!pending || !(pending->flags & CLONE_VM)) {
    KillStranger(notification, "no such child is expected");
    if (pending) pool_->SubmitDeath(pending->thread);
    return nullptr;
  }
  const std::shared_ptr<StubThread>& thread = pending->thread;
  const std::shared_ptr<StubProcess>& process = thread->stub_process();
  bool joins = pending->flags & CLONE_THREAD;
  bool genuine = joins ? syscall(SYS_tgkill, process->host_pid(), notification.host_tid, 0) == 0
                       : AdoptProcess(process, notification);
  if (!genuine) {
    KillStranger(notification, "not the child it says it is");
    pool_->SubmitDeath(thread);
    return nullptr;
  }
  thread->set_phase(StubThread::Phase::kStarting);
  Bind(thread, notification.host_tid);
  if (!joins) (void)reaper_->Watch(process);
  return thread;
}

bool NotifyPlatform::AdoptProcess(const std::shared_ptr<StubProcess>& process,
                                  const Notification& notification) {
  // Fails for a thread that leads no process.
  Result<FileDescriptor> pidfd = OpenPidfd(notification.host_tid);
  if (!pidfd || !listener_->StillValid(notification.id)) return false;
  return Insert(process, notification.host_tid, std::move(*pidfd));
}

void NotifyPlatform::RouteSpawned(const PendingChild& child, const Notification& notification) {
  const std::shared_ptr<StubThread>& thread = child.thread;
  // The token could have been guessed, the parent cannot be.
  bool genuine = NumberFromProc(notification.host_tid, "PPid:") == zygote_.host_pid() &&
                 listener_->StillValid(notification.id);
  if (!genuine || !AdoptSpawned(thread, notification.host_tid).ok()) {
    KillStranger(notification, "not the child it says it is");
    pool_->SubmitDeath(thread);
    return;
  }
  thread->set_phase(StubThread::Phase::kExecAsking);
  Bind(thread, notification.host_tid);
  listener_->Answer(notification.id, stub::kOpExec);
}

bool NotifyPlatform::RouteRegion(const Notification& notification,
                                 std::shared_ptr<StubThread>& child) {
  const auto& args = notification.call.args;
  if (args[0] != stub::kRegionBase || args[1] != stub::kRegionSize ||
      args[2] != (PROT_READ | PROT_WRITE) || args[3] != (MAP_SHARED | MAP_FIXED) ||
      static_cast<int>(args[4]) != stub::kRegionFd || args[5] != 0) {
    return false;
  }
  auto token = static_cast<uint32_t>(args[4] >> 32);
  return token == 0 ? RouteExecRegion(notification) : RouteForkRegion(notification, token, child);
}

bool NotifyPlatform::GiveRegion(const std::shared_ptr<StubThread>& thread,
                                const Notification& notification) {
  Status installed =
      listener_->InstallFd(notification.id, thread->space()->region_fd(), stub::kRegionFd);
  thread->space()->CloseRegionFd();
  if (!installed) {
    thread->stub_process()->KillForMisbehaviour();
    return false;
  }
  return listener_->Continue(notification.id);
}

bool NotifyPlatform::RouteForkRegion(const Notification& notification, uint32_t token,
                                     std::shared_ptr<StubThread>& child) {
  std::optional<PendingChild> pending = TakePending(token);
  if (!pending) return false;
  const std::shared_ptr<StubProcess>& process = pending->thread->stub_process();
  if (pending->spawned || (pending->flags & CLONE_VM) || !AdoptProcess(process, notification)) {
    KillStranger(notification, "not the child it says it is");
    pool_->SubmitDeath(pending->thread);
    return true;
  }
  pending->thread->set_phase(StubThread::Phase::kStarting);
  Bind(pending->thread, notification.host_tid);
  (void)reaper_->Watch(process);
  child = std::move(pending->thread);
  return true;
}

bool NotifyPlatform::RouteExecRegion(const Notification& notification) {
  std::shared_ptr<StubProcess> process;
  {
    absl::MutexLock lock(&mutex_);
    auto it = processes_.find(notification.host_tid);
    if (it != processes_.end()) process = it->second;
  }
  if (process == nullptr) return false;
  std::shared_ptr<StubThread> thread = process->exec_thread();
  if (thread == nullptr || thread->phase() != StubThread::Phase::kExecuting) return false;
  process->EndExec();
  // The others went with the old image.
  for (const auto& other : process->TakeThreads()) {
    {
      absl::MutexLock lock(&mutex_);
      auto it = threads_.find(other->host_tid());
      if (it != threads_.end() && it->second == other) threads_.erase(it);
    }
    if (other == thread) continue;
    other->space()->RemoveThread(other->host_tid());
    other->set_phase(StubThread::Phase::kDead);
    pool_->MarkDead(other->mailbox());
    other->DropEvents();
  }
  thread->LeaveSpace();
  Result<std::shared_ptr<StubAddressSpace>> space = StubAddressSpace::Create();
  Result<uint32_t> slot = space ? (*space)->AllocateSlot() : Result<uint32_t>(space.error());
  if (!slot) {
    LOG_ERROR("platform: no memory region for a process: ", slot.error().ToString());
    process->AddThread(thread);
    process->KillForMisbehaviour();
    return true;
  }
  thread->Prepare(*space, *slot);
  thread->SetTid(process->pid());
  thread->set_phase(StubThread::Phase::kExecuted);
  Bind(thread, notification.host_tid);
  GiveRegion(thread, notification);
  return true;
}

bool NotifyPlatform::RouteExec(const std::shared_ptr<StubThread>& thread,
                               const Notification& notification) {
  const auto& args = notification.call.args;
  if (thread->phase() != StubThread::Phase::kExecAsking ||
      static_cast<int>(args[0]) != stub::kExecFd || args[4] != AT_EMPTY_PATH) {
    return false;
  }
  thread->set_phase(StubThread::Phase::kExecuting);
  Status installed = listener_->InstallFd(notification.id, stub_image_.get(), stub::kExecFd);
  if (installed) {
    listener_->Continue(notification.id);
  } else {
    listener_->Answer(notification.id, -installed.code());
  }
  return true;
}

bool NotifyPlatform::RouteExit(const std::shared_ptr<StubThread>& thread,
                               const Notification& notification) {
  if (thread->phase() != StubThread::Phase::kExiting) return false;
  thread->set_phase(StubThread::Phase::kDead);
  Remove(thread);
  listener_->Continue(notification.id);
  return true;
}

}  // namespace runsc::boot::platform
