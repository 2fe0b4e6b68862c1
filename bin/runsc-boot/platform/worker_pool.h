// The threads that receive notifications and run the kernel's handlers.
//
// One worker at a time receives. As long as notifications come one by one, it
// handles each itself and goes back to receive ("stays"); when they queue up,
// it hands the reception on before it handles. Whoever waits for the next
// notification of one thread (WaitFor) receives meanwhile if nobody does, so
// that a handler never depends on another handler's progress.
//
// Invariant: there is a receiver, or a worker that stays and will come back.
#ifndef RUNSC_BOOT_PLATFORM_WORKER_POOL_H_
#define RUNSC_BOOT_PLATFORM_WORKER_POOL_H_

#include <pthread.h>

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bin/runsc-boot/platform/listener.h"
#include "common/result.h"

namespace runsc::boot::platform {

class StubThread;

// A one-waiter semaphore on a futex.
class Parker {
 public:
  void Wake();
  // Waits for a Wake since the last Wait. False: `timeout_ms` passed (< 0: never).
  bool Wait(int timeout_ms);

 private:
  std::atomic<uint32_t> word_ = 0;
};

// Where a thread's next notification goes when somebody waits for it.
// All fields belong to the pool's mutex.
struct Mailbox {
  bool armed = false;
  bool dead = false;
  std::optional<Notification> mail;
  Parker* waiter = nullptr;
};

// What the pool does with notifications.
class Router {
 public:
  virtual ~Router() = default;
  // The thread whose event `notification` is; nullptr when it has been dealt
  // with, or has gone to a mailbox. Called by the receiver.
  virtual std::shared_ptr<StubThread> Route(const Notification& notification) = 0;
  // Runs the event's handler.
  virtual void Handle(const std::shared_ptr<StubThread>& thread,
                      const Notification& notification) = 0;
  // Runs OnDeath.
  virtual void HandleDeath(const std::shared_ptr<StubThread>& thread) = 0;
};

class WorkerPool {
 public:
  WorkerPool(Listener& listener, Router& router) : listener_(listener), router_(router) {}
  ~WorkerPool();

  // Starts the first worker. EAGAIN: no thread could be made.
  Status Start();
  // Stops reception; returns when no worker is left.
  void Shutdown();

  // The current worker is about to block: somebody else must receive.
  void ReleaseReception();

  // Before the answer that leads to the notification: the thread's next one
  // goes to `mailbox`.
  void Arm(Mailbox& mailbox);
  // After the answer: the notification. ESRCH: the thread is gone.
  Result<Notification> WaitFor(Mailbox& mailbox);
  // For Router::Route: true if the mailbox took it.
  bool Deliver(Mailbox& mailbox, const Notification& notification);
  // Ends the wait for a thread that is gone.
  void MarkDead(Mailbox& mailbox);

  // Runs Router::HandleDeath on a worker; not any more once Shutdown has begun.
  void SubmitDeath(std::shared_ptr<StubThread> thread);
  // After Shutdown: the threads with which no worker has dealt.
  std::vector<std::shared_ptr<StubThread>> TakeLeftOver();

  // How many workers exist, for tests.
  int size();

 private:
  struct Worker {
    WorkerPool* pool = nullptr;
    Parker parker;
    // Its handler may block until it ends: it must not stay.
    bool may_block = false;
  };
  struct Job {
    std::shared_ptr<StubThread> thread;
    std::optional<Notification> notification;  // none: its death
  };

  static void* Enter(void* argument);
  void Main(Worker& worker);
  // Receives until the worker is no longer the receiver.
  void ReceiveLoop(Worker& worker);
  void RunJob(Worker& worker, const Job& job);
  // One notification. False: it needs no handler, or there was none.
  bool ReceiveOne(Job& job);

  bool ReceptionTakenLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return receiver_ != nullptr || reception_open_;
  }
  void BecomeReceiverLocked(Parker& parker, Mailbox* mailbox) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The receiver stops receiving in order to run a handler, or because its
  // mail has come. `worker` is nullptr for a thread that is not a worker.
  void LeaveReceptionLocked(Worker* worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes a waiter, or else a worker, the receiver.
  void PassReceptionLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool PromoteWaiterLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SubmitLocked(Job job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Wakes an idle worker, or makes one.
  void WakeWorkerLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool SpawnLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // False: `worker` has been idle for long and is not needed.
  bool WaitForWorkLocked(Worker& worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static Worker*& Current();

  Listener& listener_;
  Router& router_;
  std::atomic<bool> shutdown_ = false;

  absl::Mutex mutex_;
  // Who receives: its Parker's address, nullptr if nobody does.
  Parker* receiver_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // Whether it has begun to; a promoted waiter has to wake up first.
  bool receiving_ ABSL_GUARDED_BY(mutex_) = false;
  pthread_t receiver_thread_ ABSL_GUARDED_BY(mutex_){};
  // The mailbox for which the receiver waits, if it does for one.
  Mailbox* receiver_mailbox_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // The worker that stays.
  Worker* home_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // A receiver is needed and a worker is on its way.
  bool reception_open_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Worker*> idle_ ABSL_GUARDED_BY(mutex_);
  std::vector<Parker*> waiters_ ABSL_GUARDED_BY(mutex_);
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  int workers_ ABSL_GUARDED_BY(mutex_) = 0;
  // How many of the last notifications had been waiting.
  std::atomic<int> crowded_ = 0;
  std::atomic<int> withdrawn_ = 0;
};

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_WORKER_POOL_H_
