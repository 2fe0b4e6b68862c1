// Robust lists, and the word cleared at a thread's end.
#include <linux/futex.h>
#include <sys/syscall.h>

#include <atomic>

#include "test/guest/futexes.h"

using namespace guest;

CASE(robust_list_of_oneself) {
  void* head = nullptr;
  size_t size = 0;
  T(syscall(SYS_get_robust_list, 0, &head, &size));
  Record("size", size);
  Record("set", head != nullptr);
  static robust_list_head mine = {{&mine.list}, 0, nullptr};
  T(syscall(SYS_set_robust_list, &mine, sizeof mine));
  T(syscall(SYS_get_robust_list, getpid(), &head, &size));
  Record("same", head == &mine);
  T(syscall(SYS_set_robust_list, &mine, sizeof mine - 1));
  T(syscall(SYS_get_robust_list, 0, BadPointer(), &size));
  T(syscall(SYS_get_robust_list, -1, &head, &size));
}
CASE(robust_list_of_others) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  void* head = nullptr;
  size_t size = 0;
  T(syscall(SYS_get_robust_list, child, &head, &size));
  Record("user", InChild([&] {
           BecomeUser(1000, 1000);
           return syscall(SYS_get_robust_list, child, &head, &size) < 0 ? errno : 0;
         }));
  MUST(kill(child, SIGKILL));
}
CASE(robust_list_walk) {
  struct Entry {
    robust_list list;
    unsigned word;
  };
  struct Page {
    robust_list_head head;
    Entry entries[3];
  };
  Page* page = Shared<Page>();
  Record("child", InChild([page] {
           page->head.futex_offset = offsetof(Entry, word);
           page->head.list.next = &page->entries[0].list;
           page->entries[0].list.next = &page->entries[1].list;
           page->entries[1].list.next = &page->head.list;
           page->head.list_op_pending = &page->entries[2].list;
           page->entries[0].word = Tid();
           page->entries[1].word = 12345;  // somebody else's
           page->entries[2].word = Tid() | FUTEX_WAITERS;
           syscall(SYS_set_robust_list, &page->head, sizeof page->head);
           syscall(SYS_exit, 0);
           return 1;
         }));
  SleepMs(50);
  Record("mine", static_cast<long long>(page->entries[0].word & ~FUTEX_TID_MASK));
  Record("other", page->entries[1].word);
  Record("pending", static_cast<long long>(page->entries[2].word & ~FUTEX_TID_MASK));
}
CASE(robust_list_walk_at_exec_and_kill) {
  struct Page {
    robust_list_head head;
    robust_list entry;
    unsigned word;
  };
  Page* page = Shared<Page>();
  const auto hold = [page] {
    page->head.futex_offset = sizeof(robust_list);
    page->head.list.next = &page->entry;
    page->entry.next = &page->head.list;
    page->head.list_op_pending = nullptr;
    page->word = Tid();
    syscall(SYS_set_robust_list, &page->head, sizeof page->head);
  };
  Record("exec", InChild([&] {
           hold();
           execl("/bin/sh", "sh", "-c", "exit 3", nullptr);
           return 1;
         }));
  SleepMs(50);
  Record("died", (page->word & FUTEX_OWNER_DIED) != 0);
  Record("kill", InChild([&] {
           hold();
           kill(getpid(), SIGKILL);
           return 1;
         }));
  SleepMs(50);
  Record("died", (page->word & FUTEX_OWNER_DIED) != 0);
}
CASE(robust_list_hostile) {
  Record("loop", InChild([] {
           static robust_list a, b;
           static robust_list_head head = {{&a}, 64, nullptr};
           a.next = &b;
           b.next = &a;
           syscall(SYS_set_robust_list, &head, sizeof head);
           return 4;
         }));
  Record("wild", InChild([] {
           static robust_list_head head = {{static_cast<robust_list*>(BadPointer())},
                                           -9999999,
                                           static_cast<robust_list*>(BadPointer())};
           syscall(SYS_set_robust_list, &head, sizeof head);
           return 5;
         }));
  Record("nowhere", InChild([] {
           syscall(SYS_set_robust_list, BadPointer(), sizeof(robust_list_head));
           return 6;
         }));
}
CASE(clear_child_tid_wakes) {
  static std::atomic<int> word{0};
  static char stack[65536];
  word = 77;
  const int tid = clone(
      [](void*) -> int {
        usleep(50000);
        return 0;
      },
      stack + sizeof stack,
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
          CLONE_CHILD_CLEARTID,
      nullptr, nullptr, nullptr, &word);
  Record("made", tid > 0);
  long waited = 0;
  while (word != 0) waited = Futex(&word, FUTEX_WAIT, 77);
  Record("word", word);
  Record("waited", waited);
}
CASE(clear_child_tid_bad_pointer) {
  Record("child", InChild([] {
           syscall(SYS_set_tid_address, BadPointer());
           return 8;
         }));
}
