// process_madvise(2), process_mrelease(2), mseal(2), and what counts as memory of a
// process.
#include <sys/resource.h>
#include <sys/uio.h>

#include <atomic>

#include "test/guest/cases.h"
#include "test/guest/waiter.h"

using namespace guest;

namespace {

constexpr int kMadvise = 440, kMrelease = 448, kSeal = 462, kMembarrier = 324;
constexpr size_t kPage = 4096;

int PidFd(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }
long Advise(int pidfd, std::initializer_list<iovec> ranges, int advice, unsigned flags = 0) {
  return syscall(kMadvise, pidfd, ranges.begin(), ranges.size(), advice, flags);
}
char* Pages(int count) {
  return static_cast<char*>(
      mmap(nullptr, kPage * count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
long Seal(void* address, size_t size, unsigned long flags = 0) {
  return syscall(kSeal, address, size, flags);
}

long StackKib() {
  const std::string maps = Content("/proc/self/maps");
  const size_t name = maps.find("[stack]");
  if (name == std::string::npos) return -1;
  size_t line = name;
  while (line > 0 && maps[line - 1] != '|' && maps[line - 1] != '\n') --line;
  unsigned long start = 0, end = 0;
  sscanf(maps.c_str() + line, "%lx-%lx", &start, &end);
  return static_cast<long>(end - start) >> 10;
}
[[gnu::noinline]] void Touch(size_t depth) {
  auto* memory = static_cast<volatile char*>(__builtin_alloca(depth));
  memory[0] = 1;
}

}  // namespace

CASE(advise_self) {
  const int self = PidFd(getpid());
  char* pages = Pages(4);
  memset(pages, 1, 4 * kPage);
  T(Advise(self, {{pages, kPage}, {pages + 2 * kPage, kPage}}, MADV_DONTNEED));
  Record("contents", Octal(static_cast<unsigned long>(pages[0] * 8 + pages[kPage] * 4 +
                                                      pages[2 * kPage] * 2 + pages[3 * kPage])));
  T(Advise(self, {{pages, kPage}}, MADV_COLD));
  T(Advise(self, {{pages, 2 * kPage}}, MADV_WILLNEED));
  T(Advise(self, {}, MADV_COLD));
  T(Advise(self, {{pages, 0}}, MADV_COLD));
}
CASE(advise_errors) {
  const int self = PidFd(getpid());
  char* pages = Pages(2);
  munmap(pages + kPage, kPage);
  T(Advise(self, {{pages + 1, kPage}}, MADV_COLD));
  T(Advise(self, {{pages + kPage, kPage}}, MADV_COLD));
  T(Advise(self, {{pages, kPage}, {pages + kPage, kPage}}, MADV_COLD));
  T(Advise(self, {{pages, kPage}}, 12345));
  T(Advise(self, {{pages, kPage}}, MADV_COLD, 1));
  T(Advise(-1, {{pages, kPage}}, MADV_COLD));
  T(Advise(open("/dev/null", O_RDONLY), {{pages, kPage}}, MADV_COLD));
  T(syscall(kMadvise, self, BadPointer(), 1, MADV_COLD, 0));
  T(syscall(kMadvise, self, nullptr, 1025, MADV_COLD, 0));
  T(syscall(kMadvise, -1, nullptr, 1025, MADV_COLD, 1));
}
CASE(advise_others) {
  char* pages = Pages(2);
  memset(pages, 1, 2 * kPage);
  Waiter child([] {});
  const int pidfd = PidFd(child.pid());
  T(Advise(pidfd, {{pages, kPage}}, MADV_COLD));
  T(Advise(pidfd, {{pages, kPage}, {pages + kPage, kPage}}, MADV_WILLNEED));
  T(Advise(pidfd, {{pages, kPage}}, MADV_DONTNEED));
  T(Advise(pidfd, {{pages + 1, kPage}}, MADV_PAGEOUT));
}
CASE(advise_others_unprivileged) {
  char* pages = Pages(1);
  Waiter roots([] {});
  const int pidfd = PidFd(roots.pid());
  BecomeUser(1000, 1000);
  T(Advise(pidfd, {{pages, kPage}}, MADV_COLD));
  T(Advise(pidfd, {{pages, kPage}}, MADV_DONTNEED));
  Waiter own([] {});
  T(Advise(PidFd(own.pid()), {{pages, kPage}}, MADV_COLD));
  T(Advise(PidFd(own.pid()), {{pages, kPage}}, MADV_DONTNEED));
  T(Advise(PidFd(getpid()), {{pages, kPage}}, MADV_COLD));
}
CASE(advise_the_dead) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  const int pidfd = PidFd(child);
  siginfo_t info;
  MUST(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT));
  char* pages = Pages(1);
  T(Advise(pidfd, {{pages, kPage}}, MADV_COLD));
  T(syscall(kMrelease, pidfd, 0));
  waitpid(child, nullptr, 0);
  T(Advise(pidfd, {{pages, kPage}}, MADV_COLD));
  T(syscall(kMrelease, pidfd, 0));
}
CASE(release_the_living) {
  Waiter child([] {});
  T(syscall(kMrelease, PidFd(child.pid()), 0));
  T(syscall(kMrelease, PidFd(child.pid()), 1));
  T(syscall(kMrelease, PidFd(getpid()), 0));
  T(syscall(kMrelease, -1, 0));
  T(syscall(kMrelease, open("/dev/null", O_RDONLY), 0));
}
CASE(sealed_memory) {
  char* pages = Pages(3);
  T(Seal(pages, kPage));
  T(mprotect(pages, kPage, PROT_READ));
  T(munmap(pages, kPage));
  TP(mmap(pages, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == pages
         ? pages
         : nullptr);
  T(mprotect(pages + kPage, kPage, PROT_READ));
  T(Seal(pages, kPage));
  Record("child", InChild([&] { return munmap(pages, kPage) < 0 ? errno : 0; }));
}
CASE(seal_errors) {
  char* pages = Pages(2);
  munmap(pages + kPage, kPage);
  T(Seal(pages + 1, kPage));
  T(Seal(pages, kPage, 1));
  T(Seal(pages, 2 * kPage));
  T(Seal(pages, 0));
  T(Seal(pages, ~size_t{0}));
}
CASE(barriers) {
  T(syscall(kMembarrier, 1 << 1, 0, 0));  // GLOBAL_EXPEDITED
  T(syscall(kMembarrier, 1 << 9, 0, 0));  // GET_REGISTRATIONS
  T(syscall(kMembarrier, 1 << 2, 0, 0));  // REGISTER_GLOBAL_EXPEDITED
  T(syscall(kMembarrier, 1 << 9, 0, 0));
  T(syscall(kMembarrier, 1 << 1, 1, 0));
  T(syscall(kMembarrier, 1 << 12, 0, 0));
  T(syscall(kMembarrier, -1, 0, 0));
}
CASE(small_address_space) {
  Record("runs", InChild([] {
           const rlimit limit = {20'000'000, 20'000'000};
           MUST(setrlimit(RLIMIT_AS, &limit));
           execl("/bin/sh", "sh", "-c", "exit 3", nullptr);
           return 9;
         }));
  Record("runs_again", InChild([] {
           const rlimit limit = {6'000'000, 6'000'000};
           MUST(setrlimit(RLIMIT_AS, &limit));
           execl("/bin/sh", "sh", "-c", "/bin/sh -c 'exit 5'", nullptr);
           return 9;
         }));
}
CASE(small_data) {
  Record("runs", InChild([] {
           const rlimit limit = {4'000'000, 4'000'000};
           MUST(setrlimit(RLIMIT_DATA, &limit));
           execl("/bin/sh", "sh", "-c", "exit 3", nullptr);
           return 9;
         }));
  const rlimit limit = {8'000'000, 8'000'000};
  MUST(setrlimit(RLIMIT_DATA, &limit));
  Record("fits", mmap(nullptr, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                      0) != MAP_FAILED);
  T(mmap(nullptr, 7 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
        ? -1
        : 0);
}
CASE(address_space_is_enforced) {
  const long size = atol(StatusField("VmSize").c_str()) << 10;
  const rlimit limit = {static_cast<rlim_t>(size) + (4 << 20),
                        static_cast<rlim_t>(size) + (4 << 20)};
  MUST(setrlimit(RLIMIT_AS, &limit));
  Record("fits",
         mmap(nullptr, 3 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
  T(mmap(nullptr, 5 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
}
CASE(stack_is_shown_as_used) {
  Record("first", StackKib() > 100 && StackKib() < 300);
  Touch(1 << 20);
  Record("used", StackKib() > 1000 && StackKib() < 1500);
  Touch(7 << 20);
  Record("most", StackKib() > 7000 && StackKib() < 8200);
}
CASE(numa_maps) {
  const std::string text = Content("/proc/self/numa_maps");
  Record("stack", text.find(" default stack anon=") != std::string::npos);
  Record("heap", text.find(" default heap anon=") != std::string::npos);
  Record("file", text.find(" default file=/bin/cases ") != std::string::npos);
  Record("node", text.find(" N0=") != std::string::npos);
  Waiter child([] {});
  Record("other", !Content(child.Proc("numa_maps").c_str()).empty());
}
CASE(address_space_counted) {
  // A static program and the first part of its stack.
  const long kib = atol(StatusField("VmSize").c_str());
  Record("small", kib > 500 && kib < 6000);
  const long stack = atol(StatusField("VmStk").c_str());
  Record("stack", stack >= 100 && stack < 300);
  const long data = atol(StatusField("VmData").c_str());
  Record("data", data < 2000);
}
