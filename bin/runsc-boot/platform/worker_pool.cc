#include "bin/runsc-boot/platform/worker_pool.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "common/log.h"

namespace runsc::boot::platform {
namespace {

constexpr size_t kStackSize = 512 * 1024;
// Idle workers beyond so many end after a while.
constexpr size_t kKeptIdle = 4;
constexpr int kIdleMs = 2000;
// A reception that took less time (about a microsecond) found its notification
// waiting. Only when so many in a row do is a hand-over, which costs a wake-up,
// worth its price.
constexpr uint64_t kQueuedCycles = 3000;
constexpr int kCrowded = 16;
constexpr int kCrowdedMax = 32;
constexpr int kWithdrawnInARow = 100;

// Makes a receiver return from its wait; its handler does nothing.
int WakeSignal() { return SIGRTMIN + 1; }

void SleepMicroseconds(long us) {
  timespec time{0, us * 1000};
  nanosleep(&time, nullptr);
}

}  // namespace

void Parker::Wake() {
  if (word_.exchange(1, std::memory_order_release) == 0) {
    syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
}

bool Parker::Wait(int timeout_ms) {
  timespec timeout{timeout_ms / 1000, (timeout_ms % 1000) * 1'000'000L};
  while (word_.exchange(0, std::memory_order_acquire) == 0) {
    long result = syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, 0,
                          timeout_ms < 0 ? nullptr : &timeout, nullptr, 0);
    if (result != 0 && errno == ETIMEDOUT) {
      return word_.exchange(0, std::memory_order_acquire) != 0;
    }
  }
  return true;
}

WorkerPool::Worker*& WorkerPool::Current() {
  thread_local Worker* current = nullptr;
  return current;
}

WorkerPool::~WorkerPool() { Shutdown(); }

Status WorkerPool::Start() {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  if (sigaction(WakeSignal(), &action, nullptr) != 0) return ErrnoError("sigaction");
  absl::MutexLock lock(&mutex_);
  reception_open_ = true;
  if (!SpawnLocked()) return Error(EAGAIN, "no thread for the platform's first worker");
  return Ok();
}

void WorkerPool::Shutdown() {
  shutdown_.store(true, std::memory_order_release);
  for (;;) {
    {
      absl::MutexLock lock(&mutex_);
      if (workers_ == 0) return;
      for (Worker* worker : idle_) worker->parker.Wake();
      for (Parker* waiter : waiters_) waiter->Wake();
      if (receiving_) pthread_kill(receiver_thread_, WakeSignal());
    }
    SleepMicroseconds(500);
  }
}

int WorkerPool::size() {
  absl::MutexLock lock(&mutex_);
  return workers_;
}

// --- Workers.

void* WorkerPool::Enter(void* argument) {
  std::unique_ptr<Worker> worker(static_cast<Worker*>(argument));
  // Boot's other signals are for its main thread.
  sigset_t mask;
  sigfillset(&mask);
  for (int signal : {WakeSignal(), SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
    sigdelset(&mask, signal);
  }
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  Current() = worker.get();
  worker->pool->Main(*worker);
  return nullptr;
}

bool WorkerPool::SpawnLocked() {
  auto worker = std::make_unique<Worker>();
  worker->pool = this;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackSize);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, Enter, worker.get());
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    LOG_ERROR("platform: no thread for another worker: ", MakeError(error, "create").message());
    return false;
  }
  (void)worker.release();
  ++workers_;
  return true;
}

void WorkerPool::WakeWorkerLocked() {
  if (idle_.empty()) {
    // Without a new one, the next worker that finishes takes the work.
    (void)SpawnLocked();
    return;
  }
  Worker* worker = idle_.back();
  idle_.pop_back();
  worker->parker.Wake();
}

bool WorkerPool::WaitForWorkLocked(Worker& worker) {
  idle_.push_back(&worker);
  mutex_.Unlock();
  bool woken = worker.parker.Wait(kIdleMs);
  mutex_.Lock();
  auto it = std::find(idle_.begin(), idle_.end(), &worker);
  if (it != idle_.end()) idle_.erase(it);
  return woken || idle_.size() < kKeptIdle || !jobs_.empty() || reception_open_;
}

void WorkerPool::Main(Worker& worker) {
  mutex_.Lock();
  while (!shutdown_.load(std::memory_order_acquire)) {
    if (!jobs_.empty()) {
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      mutex_.Unlock();
      RunJob(worker, job);
      job = {};
      mutex_.Lock();
      if (home_ == &worker) {
        home_ = nullptr;
        if (!ReceptionTakenLocked()) reception_open_ = true;
      }
    } else if (reception_open_) {
      reception_open_ = false;
      BecomeReceiverLocked(worker.parker, nullptr);
      mutex_.Unlock();
      ReceiveLoop(worker);
      mutex_.Lock();
    } else if (!WaitForWorkLocked(worker)) {
      break;
    }
  }
  --workers_;
  mutex_.Unlock();
}

void WorkerPool::ReceiveLoop(Worker& worker) {
  for (;;) {
    Job job;
    bool received = ReceiveOne(job);
    if (received) {
      {
        absl::MutexLock lock(&mutex_);
        LeaveReceptionLocked(&worker);
      }
      RunJob(worker, job);
      job = {};
    }
    absl::MutexLock lock(&mutex_);
    if (received) {
      if (home_ != &worker) return;
      home_ = nullptr;
      if (ReceptionTakenLocked()) return;
      BecomeReceiverLocked(worker.parker, nullptr);
    }
    if (shutdown_.load(std::memory_order_acquire)) {
      receiver_ = nullptr;
      receiving_ = false;
      return;
    }
  }
}

void WorkerPool::RunJob(Worker& worker, const Job& job) {
  if (job.notification) {
    router_.Handle(job.thread, *job.notification);
  } else {
    router_.HandleDeath(job.thread);
  }
  worker.may_block = false;
}

bool WorkerPool::ReceiveOne(Job& job) {
  uint64_t before = __rdtsc();
  Result<Notification> notification = listener_.Receive();
  if (!notification) {
    // Withdrawn, which is common; or no sender is left, which newer hosts
    // report again and again until Shutdown comes.
    if (notification.code() == ENOENT &&
        withdrawn_.fetch_add(1, std::memory_order_relaxed) > kWithdrawnInARow) {
      SleepMicroseconds(500);
    }
    return false;
  }
  withdrawn_.store(0, std::memory_order_relaxed);
  int crowded = crowded_.load(std::memory_order_relaxed);
  if (__rdtsc() - before < kQueuedCycles) {
    crowded = std::min(crowded + 1, kCrowdedMax);
  } else {
    crowded /= 2;
  }
  crowded_.store(crowded, std::memory_order_relaxed);
  job.thread = router_.Route(*notification);
  if (job.thread == nullptr) return false;
  job.notification = *notification;
  return true;
}

// --- Reception.

void WorkerPool::BecomeReceiverLocked(Parker& parker, Mailbox* mailbox) {
  receiver_ = &parker;
  receiving_ = true;
  receiver_thread_ = pthread_self();
  receiver_mailbox_ = mailbox;
}

bool WorkerPool::PromoteWaiterLocked() {
  if (waiters_.empty()) return false;
  receiver_ = waiters_.back();
  receiving_ = false;
  waiters_.pop_back();
  receiver_->Wake();
  return true;
}

void WorkerPool::PassReceptionLocked() {
  if (PromoteWaiterLocked()) return;
  reception_open_ = true;
  WakeWorkerLocked();
}

void WorkerPool::LeaveReceptionLocked(Worker* worker) {
  receiver_ = nullptr;
  receiving_ = false;
  receiver_mailbox_ = nullptr;
  if (PromoteWaiterLocked()) return;
  if (crowded_.load(std::memory_order_relaxed) < kCrowded) {
    if (home_ != nullptr) return;
    if (worker != nullptr && !worker->may_block) {
      home_ = worker;
      return;
    }
  }
  PassReceptionLocked();
}

void WorkerPool::ReleaseReception() {
  Worker* worker = Current();
  if (worker == nullptr) return;
  worker->may_block = true;
  absl::MutexLock lock(&mutex_);
  if (home_ != worker) return;
  home_ = nullptr;
  if (!ReceptionTakenLocked()) PassReceptionLocked();
}

// --- Mailboxes.

void WorkerPool::Arm(Mailbox& mailbox) {
  absl::MutexLock lock(&mutex_);
  mailbox.armed = true;
  mailbox.mail.reset();
}

bool WorkerPool::Deliver(Mailbox& mailbox, const Notification& notification) {
  absl::MutexLock lock(&mutex_);
  if (!mailbox.armed) return false;
  mailbox.armed = false;
  mailbox.mail = notification;
  if (mailbox.waiter != nullptr) mailbox.waiter->Wake();
  return true;
}

Result<Notification> WorkerPool::WaitFor(Mailbox& mailbox) {
  Worker* worker = Current();
  if (worker != nullptr && worker->pool != this) worker = nullptr;
  // Of this frame: it is only used under the lock by others.
  Parker parker;
  mutex_.Lock();
  while (!mailbox.mail && !mailbox.dead && !shutdown_.load(std::memory_order_acquire)) {
    if (receiver_ == &parker || !ReceptionTakenLocked()) {
      BecomeReceiverLocked(parker, &mailbox);
      mutex_.Unlock();
      Job job;
      bool received = ReceiveOne(job);
      mutex_.Lock();
      if (received) SubmitLocked(std::move(job));
      continue;
    }
    mailbox.waiter = &parker;
    waiters_.push_back(&parker);
    mutex_.Unlock();
    parker.Wait(-1);
    mutex_.Lock();
    std::erase(waiters_, &parker);
    mailbox.waiter = nullptr;
  }
  Result<Notification> result = Error(ESRCH);
  if (mailbox.mail) result = *mailbox.mail;
  mailbox.mail.reset();
  mailbox.armed = false;
  if (receiver_ == &parker) LeaveReceptionLocked(worker);
  mutex_.Unlock();
  return result;
}

void WorkerPool::MarkDead(Mailbox& mailbox) {
  absl::MutexLock lock(&mutex_);
  mailbox.dead = true;
  if (mailbox.waiter != nullptr) mailbox.waiter->Wake();
  // A signal that comes just before the receiver sleeps is lost: repeat it.
  while (receiving_ && receiver_mailbox_ == &mailbox) {
    pthread_kill(receiver_thread_, WakeSignal());
    mutex_.Unlock();
    SleepMicroseconds(200);
    mutex_.Lock();
  }
}

void WorkerPool::SubmitLocked(Job job) {
  jobs_.push_back(std::move(job));
  WakeWorkerLocked();
}

void WorkerPool::SubmitDeath(std::shared_ptr<StubThread> thread) {
  absl::MutexLock lock(&mutex_);
  if (shutdown_.load(std::memory_order_acquire)) {
    jobs_.push_back({std::move(thread), std::nullopt});
    return;
  }
  SubmitLocked({std::move(thread), std::nullopt});
}

std::vector<std::shared_ptr<StubThread>> WorkerPool::TakeLeftOver() {
  std::vector<std::shared_ptr<StubThread>> threads;
  absl::MutexLock lock(&mutex_);
  for (Job& job : jobs_) threads.push_back(std::move(job.thread));
  jobs_.clear();
  return threads;
}

}  // namespace runsc::boot::platform
