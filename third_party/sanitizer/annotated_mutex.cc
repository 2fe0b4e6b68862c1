// What ThreadSanitizer cannot see: Debian's Abseil comes built, so that its
// mutexes order nothing in the sanitizer's eyes. The linker sends calls of them
// here (--wrap), where the order is told.
//
// Within Abseil a thread may evaluate the condition that another one waits for;
// what it reads there is under the lock, but not told, and therefore ignored.
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void __tsan_ignore_thread_begin();
void __tsan_ignore_thread_end();
}

namespace {

class Ignored {
 public:
  Ignored() { __tsan_ignore_thread_begin(); }
  ~Ignored() { __tsan_ignore_thread_end(); }
};

template <typename Call>
auto Take(const void* lock, Call call) {
  struct Acquire {
    void* lock;
    ~Acquire() { __tsan_acquire(lock); }
  } acquire{const_cast<void*>(lock)};
  Ignored ignored;
  return call();
}

template <typename Call>
auto Give(const void* lock, Call call) {
  __tsan_release(const_cast<void*>(lock));
  Ignored ignored;
  return call();
}

template <typename Call>
auto GiveAndTake(const void* lock, Call call) {
  return Take(lock, [&] { return Give(lock, call); });
}

}  // namespace

// `symbol` without its leading underscore. The linker only knows the real
// function where something refers to its name.
#define WRAPPED(result, name, symbol, parameters)                               \
  __asm__(".pushsection .data.rel.ro,\"aw\"\n.quad _" #symbol "\n.popsection"); \
  result Real##name parameters __asm__("__real__" #symbol);                     \
  result Wrap##name parameters __asm__("__wrap__" #symbol);                     \
  result Wrap##name parameters

using absl::Condition;
using absl::CondVar;
using absl::Duration;
using absl::Mutex;
using absl::Notification;
using absl::Time;

WRAPPED(void, Lock, ZN4absl7debian35Mutex4LockEv, (Mutex * mutex)) {
  Take(mutex, [&] { RealLock(mutex); });
}
WRAPPED(void, Unlock, ZN4absl7debian35Mutex6UnlockEv, (Mutex * mutex)) {
  Give(mutex, [&] { RealUnlock(mutex); });
}
WRAPPED(void, ReaderLock, ZN4absl7debian35Mutex10ReaderLockEv, (Mutex * mutex)) {
  Take(mutex, [&] { RealReaderLock(mutex); });
}
WRAPPED(void, ReaderUnlock, ZN4absl7debian35Mutex12ReaderUnlockEv, (Mutex * mutex)) {
  Give(mutex, [&] { RealReaderUnlock(mutex); });
}
WRAPPED(void, Await, ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE,
        (Mutex * mutex, const Condition& condition)) {
  GiveAndTake(mutex, [&] { RealAwait(mutex, condition); });
}
WRAPPED(bool, AwaitWithTimeout,
        ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE,
        (Mutex * mutex, const Condition& condition, Duration timeout)) {
  return GiveAndTake(mutex, [&] { return RealAwaitWithTimeout(mutex, condition, timeout); });
}
WRAPPED(void, Wait, ZN4absl7debian37CondVar4WaitEPNS0_5MutexE, (CondVar * variable, Mutex* mutex)) {
  GiveAndTake(mutex, [&] { RealWait(variable, mutex); });
}
WRAPPED(bool, WaitWithTimeout, ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE,
        (CondVar * variable, Mutex* mutex, Duration timeout)) {
  return GiveAndTake(mutex, [&] { return RealWaitWithTimeout(variable, mutex, timeout); });
}
WRAPPED(bool, WaitWithDeadline, ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE,
        (CondVar * variable, Mutex* mutex, Time deadline)) {
  return GiveAndTake(mutex, [&] { return RealWaitWithDeadline(variable, mutex, deadline); });
}
WRAPPED(void, Notify, ZN4absl7debian312Notification6NotifyEv, (Notification * notification)) {
  Give(notification, [&] { RealNotify(notification); });
}
WRAPPED(void, WaitForNotification, ZNK4absl7debian312Notification19WaitForNotificationEv,
        (const Notification* notification)) {
  Take(notification, [&] { RealWaitForNotification(notification); });
}
WRAPPED(bool, WaitForNotificationWithTimeout,
        ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE,
        (const Notification* notification, Duration timeout)) {
  return Take(notification,
              [&] { return RealWaitForNotificationWithTimeout(notification, timeout); });
}
