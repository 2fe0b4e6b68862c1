// Structures that are passed with their size: what lies behind the bytes that the
// kernel knows, and memory that ends before the size does.
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>

#include <algorithm>

#include "test/guest/filtering.h"

using namespace guest;

namespace {

constexpr size_t kPage = 4096;

// A page whose successor is not mapped.
char* LastPage() {
  auto* pages = static_cast<char*>(
      mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (pages == MAP_FAILED) Broken("mmap");
  MUST(munmap(pages + kPage, kPage));
  return pages;
}

// `object` with `mapped` bytes behind it, the last one being `last`.
template <typename T>
T* AtTheEnd(const T& object, size_t mapped, char last = 0) {
  char* page = LastPage();
  char* place = page + kPage - sizeof(T) - mapped;
  memcpy(place, &object, sizeof(T));
  if (mapped > 0) page[kPage - 1] = last;
  return reinterpret_cast<T*>(place);
}

struct Attr {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
  uint32_t util_min, util_max;
};

// By a call that takes an object of `size` bytes.
template <typename T>
void Sizes(const T& object, size_t first, const std::function<long(T*, size_t)>& call) {
  const size_t known = sizeof(T);
  const struct {
    const char* name;
    size_t mapped, size;
    char last;
  } tries[] = {
      {"exact", 0, known, 0},
      {"zero behind", 16, known + 16, 0},
      {"not zero behind", 16, known + 16, 1},
      {"not zero beyond", 16, known + 15, 1},
      {"unmapped behind", 0, known + 8, 0},
      {"unmapped by one byte", 7, known + 8, 0},
      {"zero, then unmapped", 16, known + 17, 0},
      {"not zero, then unmapped", 16, known + 64, 1},
      {"a page", 0, kPage, 0},
      {"more than a page", 0, kPage + 1, 0},
      {"huge", 0, SIZE_MAX, 0},
      {"too small", 0, first - 1, 0},
  };
  for (const auto& one : tries) {
    T* place = AtTheEnd(object, one.mapped, one.last);
    errno = 0;
    const long result = call(place, one.size);
    Record(one.name, result >= 0 ? "ok" : strerrorname_np(errno));
  }
  // The object itself may be out of reach, with what is behind it mapped.
  char* page = LastPage();
  errno = 0;
  const long result = call(reinterpret_cast<T*>(page - sizeof(T)), known + 8);
  Record("object unmapped", result >= 0 ? "ok" : strerrorname_np(errno));
  page[0] = 1;
  errno = 0;
  const long other = call(reinterpret_cast<T*>(page - sizeof(T)), known + 8);
  Record("and not zero behind", other >= 0 ? "ok" : strerrorname_np(errno));
}

}  // namespace

CASE(of_openat2) {
  Make("f");
  open_how how = {};
  Sizes<open_how>(how, sizeof(how), [](open_how* place, size_t size) {
    return syscall(SYS_openat2, AT_FDCWD, "f", place, size);
  });
}
CASE(of_clone3) {
  clone_args clone = {};
  clone.exit_signal = SIGCHLD;
  Sizes<clone_args>(clone, CLONE_ARGS_SIZE_VER0, [](clone_args* place, size_t size) {
    const long pid = syscall(SYS_clone3, place, size);
    if (pid == 0) _exit(0);
    const int error = errno;
    if (pid > 0) waitpid(static_cast<pid_t>(pid), nullptr, 0);
    errno = error;
    return pid;
  });
}
CASE(of_sched_setattr) {
  Attr attr = {};
  Sizes<Attr>(attr, 48, [](Attr* place, size_t size) {
    // The size is in the object, when that can be reached.
    if (syscall(SYS_write, memfd_create("probe", 0), place, sizeof(uint32_t)) > 0) {
      place->size = static_cast<uint32_t>(std::min<size_t>(size, UINT32_MAX));
    }
    return syscall(SYS_sched_setattr, 0, place, 0);
  });
}
CASE(sched_setattr_tells_the_size) {
  Attr* attr = AtTheEnd(Attr{}, 16, 1);
  attr->size = sizeof(Attr) + 16;
  T(syscall(SYS_sched_setattr, 0, attr, 0));
  Record("size", attr->size);
  attr = AtTheEnd(Attr{}, 0);
  attr->size = sizeof(Attr) + 16;
  T(syscall(SYS_sched_setattr, 0, attr, 0));
  Record("left", attr->size - static_cast<uint32_t>(sizeof(Attr)));
}
CASE(of_seccomp_notif_addfd) {
  NoNewPrivileges();
  const auto listener = static_cast<int>(
      Install(On(SYS_getppid, SECCOMP_RET_USER_NOTIF), SECCOMP_FILTER_FLAG_NEW_LISTENER));
  seccomp_notif_addfd add = {};
  add.id = 12345;
  add.srcfd = 1;
  Sizes<seccomp_notif_addfd>(add, sizeof(add), [listener](seccomp_notif_addfd* place, size_t size) {
    constexpr size_t kMost = (1 << _IOC_SIZEBITS) - 1;
    const auto bits = static_cast<unsigned>(std::min(size, kMost));
    return ioctl(listener, _IOC(_IOC_WRITE, SECCOMP_IOC_MAGIC, 3, bits), place);
  });
}
