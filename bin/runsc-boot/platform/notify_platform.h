// The platform by seccomp user notification: who is who, and what arrives from
// where. See docs/platform.md.
#ifndef RUNSC_BOOT_PLATFORM_NOTIFY_PLATFORM_H_
#define RUNSC_BOOT_PLATFORM_NOTIFY_PLATFORM_H_

#include <atomic>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/platform/listener.h"
#include "bin/runsc-boot/platform/platform.h"
#include "bin/runsc-boot/platform/reaper.h"
#include "bin/runsc-boot/platform/stub_thread.h"
#include "bin/runsc-boot/platform/worker_pool.h"
#include "bin/runsc-boot/platform/zygote.h"

namespace runsc::boot::platform {

class NotifyPlatform : public Platform, private Router {
 public:
  NotifyPlatform(Zygote zygote, FileDescriptor stub_image)
      : zygote_(std::move(zygote)), stub_image_(std::move(stub_image)) {}
  ~NotifyPlatform() override;

  // --- Platform.
  Result<ThreadRef> Start(std::shared_ptr<ThreadEvents> events) override;
  Result<ThreadRef> Spawn(std::shared_ptr<ThreadEvents> events) override;
  void WillBlock(Thread& thread) override;
  void Freeze(bool frozen) override;
  void Shutdown() override;

  // --- For threads.
  Listener& listener() { return *listener_; }
  WorkerPool& pool() { return *pool_; }
  std::atomic<int>& parked() { return parked_; }
  // Expects the child of a clone; returns the token by which it will say who
  // it is.
  uint32_t ExpectChild(std::shared_ptr<StubThread> child, std::shared_ptr<StubProcess> parent,
                       uint64_t flags, bool spawned = false);
  // False: the child has come already (or the token is unknown).
  bool ForgetChild(uint32_t token);
  // The thread has ended: it is found no more, its slot is free.
  void Remove(const std::shared_ptr<StubThread>& thread);
  void ProcessEnded(const std::shared_ptr<StubProcess>& process);
  // The thread's id in the stubs' namespace: the host's word for it where the
  // host gives it cheaply, else what the stub says, else (`claim` is 0) what
  // /proc says. 0: it cannot be.
  pid_t ResolveTid(pid_t host_tid, uint64_t claim);

 private:
  struct PendingChild {
    std::shared_ptr<StubThread> thread;
    std::shared_ptr<StubProcess> parent;
    uint64_t flags = 0;
    bool spawned = false;  // by the zygote; `parent` is the process itself
  };

  std::shared_ptr<StubThread> Route(const Notification& notification) override;
  void Handle(const std::shared_ptr<StubThread>& thread, const Notification& notification) override;
  void HandleDeath(const std::shared_ptr<StubThread>& thread) override;

  std::shared_ptr<StubThread> Find(pid_t host_tid);
  // All, with those that are expected.
  std::vector<std::shared_ptr<StubThread>> Threads();
  std::optional<PendingChild> TakePending(uint32_t token);
  std::shared_ptr<StubThread> RouteUnknown(const Notification& notification);
  // A stub asks for its region: after exec (dealt with at once), or as a fork's
  // child (an event of the child, which is returned).
  bool RouteRegion(const Notification& notification, std::shared_ptr<StubThread>& child);
  bool RouteExecRegion(const Notification& notification);
  bool RouteForkRegion(const Notification& notification, uint32_t token,
                       std::shared_ptr<StubThread>& child);
  bool RouteExec(const std::shared_ptr<StubThread>& thread, const Notification& notification);
  bool RouteExit(const std::shared_ptr<StubThread>& thread, const Notification& notification);
  bool AdoptProcess(const std::shared_ptr<StubProcess>& process, const Notification& notification);
  // The first message of the zygote's child.
  void RouteSpawned(const PendingChild& child, const Notification& notification);
  // Takes in the zygote's child, once, whoever learns of it first. ESRCH: it
  // has ended.
  Status AdoptSpawned(const std::shared_ptr<StubThread>& thread, pid_t host_pid)
      ABSL_LOCKS_EXCLUDED(spawn_mutex_);
  // False: the host pid belongs to another process.
  bool Insert(const std::shared_ptr<StubProcess>& process, pid_t host_pid, FileDescriptor pidfd);
  bool GiveRegion(const std::shared_ptr<StubThread>& thread, const Notification& notification);
  void Bind(const std::shared_ptr<StubThread>& thread, pid_t host_tid);
  void KillStranger(const Notification& notification, const char* why);

  Zygote zygote_;
  const FileDescriptor stub_image_;
  std::shared_ptr<StubProcess> init_;
  FileDescriptor pid_namespace_;
  std::optional<Listener> listener_;
  std::optional<WorkerPool> pool_;
  std::optional<Reaper> reaper_;
  std::atomic<bool> shutting_down_ = false;
  // Threads whose blocked call is a received notification.
  std::atomic<int> parked_ = 0;

  absl::Mutex spawn_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  absl::Mutex mutex_;
  bool frozen_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<pid_t, std::shared_ptr<StubThread>> threads_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<pid_t, std::shared_ptr<StubProcess>> processes_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint32_t, PendingChild> pending_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_NOTIFY_PLATFORM_H_
