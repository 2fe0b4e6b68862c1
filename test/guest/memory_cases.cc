// mmap and its family, memfd, brk, shared memory between processes.
#include <sys/resource.h>
#include <sys/uio.h>

#include "test/guest/cases.h"

using namespace guest;

namespace {
constexpr size_t kPage = 4096;
char* Map(size_t length, int protection = PROT_READ | PROT_WRITE,
          int flags = MAP_PRIVATE | MAP_ANONYMOUS, int fd = -1, off_t offset = 0) {
  void* map = mmap(nullptr, length, protection, flags, fd, offset);
  if (map == MAP_FAILED) Broken("mmap");
  return static_cast<char*>(map);
}
// What a read of `address` does, in a child.
std::string Touch(const char* address) {
  return InChild([address] {
    volatile char c = *const_cast<volatile const char*>(address);
    (void)c;
    return 0;
  });
}
std::string Poke(char* address) {
  return InChild([address] {
    *const_cast<volatile char*>(address) = 1;
    return 0;
  });
}
}  // namespace

CASE(mmap_anonymous_is_zero) {
  char* map = Map(8 * kPage);
  long sum = 0;
  for (size_t i = 0; i < 8 * kPage; i++) sum += map[i];
  Record("sum", sum);
}
CASE(mmap_errors) {
  Make("f", "x");
  const int fd = open("f", O_RDONLY);
  TP(mmap(nullptr, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  TP(mmap(nullptr, kPage, PROT_READ, MAP_ANONYMOUS, -1, 0));
  TP(mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, 99, 0));
  TP(mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, fd, 100));
  TP(mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  TP(mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
  const int directory = open(".", O_RDONLY);
  TP(mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, directory, 0));
  const int writer = open("f", O_WRONLY);
  TP(mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, writer, 0));
  int p[2];
  MUST(pipe(p));
  TP(mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, p[0], 0));
  TP(mmap(nullptr, 1UL << 62, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
CASE(mmap_file_private_read) {
  Make("f", "hello mapped world");
  const int fd = open("f", O_RDONLY);
  const char* map = Map(kPage, PROT_READ, MAP_PRIVATE, fd);
  Record("text", std::string_view(map, 18));
  Record("zero_after_end", map[100]);
}
CASE(mmap_file_private_write_stays_private) {
  Make("f", "abc");
  const int fd = open("f", O_RDWR);
  char* map = Map(kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
  map[0] = 'X';
  Record("file", Content("f"));
  Record("map", std::string_view(map, 3));
}
CASE(mmap_file_shared_write_reaches_file) {
  Make("f", "abc");
  const int fd = open("f", O_RDWR);
  char* map = Map(kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  map[1] = 'Y';
  Record("file", Content("f"));
  T(msync(map, kPage, MS_SYNC));
  T(munmap(map, kPage));
  Record("file", Content("f"));
}
CASE(mmap_file_shared_sees_writes) {
  Make("f", "abc");
  const int fd = open("f", O_RDWR);
  const char* map = Map(kPage, PROT_READ, MAP_SHARED, fd);
  MUST(pwrite(fd, "Z", 1, 2));
  Record("map", std::string_view(map, 3));
}
CASE(mmap_file_offset) {
  std::string data(3 * kPage, 'a');
  data[kPage] = 'b';
  data[2 * kPage] = 'c';
  Make("f", data);
  const int fd = open("f", O_RDONLY);
  const char* map = Map(2 * kPage, PROT_READ, MAP_PRIVATE, fd, kPage);
  Record("first", map[0]);
  Record("second", map[kPage]);
}
CASE(mmap_survives_close_and_unlink) {
  Make("f", "persist");
  const int fd = open("f", O_RDONLY);
  const char* map = Map(kPage, PROT_READ, MAP_PRIVATE, fd);
  close(fd);
  MUST(unlink("f"));
  Record("text", std::string_view(map, 7));
}
CASE(mmap_shared_between_descriptors) {
  Make("f", std::string(kPage, 'x'));
  const int a = open("f", O_RDWR), b = open("f", O_RDWR);
  char* first = Map(kPage, PROT_READ | PROT_WRITE, MAP_SHARED, a);
  const char* second = Map(kPage, PROT_READ, MAP_SHARED, b);
  first[10] = 'y';
  Record("second", second[10]);
}
CASE(mmap_shared_file_between_processes) {
  Make("f", std::string(kPage, 'x'));
  const int fd = open("f", O_RDWR);
  char* map = Map(kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  Record("child", InChild([map] {
           map[0] = 'c';
           return 0;
         }));
  Record("map", map[0]);
  Record("file", Content("f").substr(0, 1));
}
CASE(mmap_truncated_file_faults) {
  Make("f", std::string(2 * kPage, 'x'));
  const int fd = open("f", O_RDWR);
  const char* map = Map(2 * kPage, PROT_READ, MAP_SHARED, fd);
  MUST(ftruncate(fd, kPage));
  Record("first", Touch(map));
  Record("second", Touch(map + kPage));
  MUST(ftruncate(fd, 2 * kPage));
  Record("again", Touch(map + kPage));
}
CASE(mmap_shared_readonly_descriptor_cannot_become_writable) {
  Make("f", "abc");
  const int fd = open("f", O_RDONLY);
  char* map = Map(kPage, PROT_READ, MAP_SHARED, fd);
  T(mprotect(map, kPage, PROT_READ | PROT_WRITE));
}
CASE(mmap_fixed_replaces) {
  char* map = Map(3 * kPage);
  map[kPage] = 5;
  void* again = mmap(map + kPage, kPage, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  Record("same", again == map + kPage);
  Record("zeroed", map[kPage]);
  TP(mmap(map + 1, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  TP(mmap(map, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
}
CASE(mmap_hint_is_taken_when_free) {
  char* map = Map(kPage);
  MUST(munmap(map, kPage));
  Record("same", mmap(map, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == map);
}
CASE(munmap_parts) {
  char* map = Map(3 * kPage);
  T(munmap(map + kPage, kPage));
  Record("first", Touch(map));
  Record("middle", Touch(map + kPage));
  Record("last", Touch(map + 2 * kPage));
  T(munmap(map + 1, kPage));
  T(munmap(map, 0));
}
CASE(mprotect_kinds) {
  char* map = Map(2 * kPage);
  T(mprotect(map, kPage, PROT_NONE));
  Record("none", Touch(map));
  T(mprotect(map, kPage, PROT_READ));
  Record("read", Touch(map));
  Record("write", Poke(map));
  T(mprotect(map + 1, kPage, PROT_READ));
  T(mprotect(static_cast<char*>(BadPointer()) + 0x10000 - 0x10, kPage, PROT_READ));
  T(mprotect(map, kPage, 0x40));
}
CASE(mprotect_exec_runs_code) {
  char* map = Map(kPage);
  const unsigned char code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3};  // mov $42,%eax; ret
  memcpy(map, code, sizeof code);
  T(mprotect(map, kPage, PROT_READ | PROT_EXEC));
  Record("result", reinterpret_cast<int (*)()>(map)());
}
CASE(mremap_grows_in_place_or_moves) {
  char* map = Map(kPage);
  map[0] = 9;
  char* moved = static_cast<char*>(mremap(map, kPage, 100 * kPage, MREMAP_MAYMOVE));
  Record("moved", moved != MAP_FAILED);
  Record("kept", moved[0]);
  moved[99 * kPage] = 1;
  T(munmap(moved, 100 * kPage));
}
CASE(mremap_shrinks) {
  char* map = Map(4 * kPage);
  Record("same", mremap(map, 4 * kPage, kPage, 0) == map);
  Record("gone", Touch(map + kPage));
}
CASE(mremap_fixed_and_errors) {
  char* a = Map(kPage);
  char* b = Map(kPage);
  a[0] = 'a';
  Record("moved", mremap(a, kPage, kPage, MREMAP_MAYMOVE | MREMAP_FIXED, b) == b);
  Record("value", b[0]);
  Record("old", Touch(a));
  TP(mremap(b + 1, kPage, kPage, 0));
  TP(mremap(b, kPage, 0, 0));
  TP(mremap(a, kPage, 2 * kPage, MREMAP_MAYMOVE));
}
CASE(madvise_dontneed_zeroes) {
  char* map = Map(kPage);
  map[0] = 1;
  T(madvise(map, kPage, MADV_DONTNEED));
  Record("value", map[0]);
  T(madvise(map, kPage, 9999));
  T(madvise(map + 1, kPage, MADV_DONTNEED));
  T(madvise(map, kPage, MADV_WILLNEED));
}
CASE(brk_grows) {
  char* before = static_cast<char*>(sbrk(0));
  T(sbrk(10 * kPage) == before ? 0 : -1);
  before[5 * kPage] = 3;
  Record("grew", static_cast<char*>(sbrk(0)) - before);
  T(brk(before));
  Record("back", static_cast<char*>(sbrk(0)) == before);
}
CASE(heap_is_memory_like_any_other) {
  const auto start = reinterpret_cast<uintptr_t>(sbrk(0));
  MUST(brk(reinterpret_cast<void*>(start + 8 * kPage)));
  char* heap = reinterpret_cast<char*>((start + kPage - 1) & ~(kPage - 1));
  T(mprotect(heap, kPage, PROT_READ));
  Record("poke", Poke(heap));
  T(mprotect(heap, kPage, PROT_READ | PROT_WRITE));
  Record("poke", Poke(heap));
  T(madvise(heap, kPage, MADV_DONTNEED));
  Record("replaced", mmap(heap, kPage, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == heap);
  TP(mmap(heap + 1, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  TP(mmap(heap, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
  Make("f", std::string(kPage, 'f'));
  Record("file",
         mmap(heap, kPage, PROT_READ, MAP_PRIVATE | MAP_FIXED, open("f", O_RDONLY), 0) == heap);
  Record("byte", heap[0]);
  T(munmap(heap + kPage, kPage));
  Record("gone", Touch(heap + kPage));
  heap[2 * kPage] = 'h';
  char* moved = static_cast<char*>(
      mremap(heap + 2 * kPage, kPage, kPage, MREMAP_MAYMOVE | MREMAP_FIXED, Map(kPage)));
  Record("moved", moved != MAP_FAILED && *moved == 'h');
}
CASE(heap_of_a_child_can_be_read) {
  auto* word = static_cast<int*>(sbrk(kPage));
  const pid_t child = fork();
  if (child == 0) {
    *word = 4321;
    raise(SIGSTOP);
    _exit(0);
  }
  MUST(waitpid(child, nullptr, WUNTRACED));
  int copy = 0;
  const iovec local = {&copy, sizeof copy}, remote = {word, sizeof *word};
  T(process_vm_readv(child, &local, 1, &remote, 1, 0));
  Record("value", copy);
  copy = 77;
  T(process_vm_writev(child, &local, 1, &remote, 1, 0));
  kill(child, SIGKILL);
}
CASE(mincore_and_mlock) {
  char* map = Map(2 * kPage);
  map[0] = 1;
  unsigned char vector[2];
  T(mincore(map, kPage, vector));
  Record("resident", vector[0] & 1);
  T(mincore(map + 1, kPage, vector));
  T(mlock(map, kPage));
  T(munlock(map, kPage));
}
CASE(msync_errors) {
  char* map = Map(kPage);
  T(msync(map, kPage, MS_ASYNC));
  T(msync(map, kPage, MS_SYNC | MS_ASYNC));
  T(msync(map + 1, kPage, MS_SYNC));
  MUST(munmap(map, kPage));
  T(msync(map, kPage, MS_SYNC));
}
CASE(mmap_counts_against_address_space) {
  Record("child", InChild([] {
           const rlimit limit = {64 << 20, 64 << 20};
           setrlimit(RLIMIT_AS, &limit);
           void* map = mmap(nullptr, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
           return map == MAP_FAILED ? errno : 0;
         }));
}
CASE(memfd_basic) {
  const int fd = memfd_create("name", MFD_CLOEXEC);
  Record("opened", fd >= 0);
  Record("cloexec", fcntl(fd, F_GETFD));
  T(write(fd, "memory", 6));
  T(lseek(fd, 0, SEEK_SET));
  Record("text", Drain(fd));
  struct stat st;
  T(fstat(fd, &st));
  Record("size", st.st_size);
  Record("mode", Octal(st.st_mode));
  char target[128] = {};
  T(readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, 127));
  Record("link", target);
}
CASE(memfd_mapping_shared_with_child) {
  const int fd = memfd_create("m", 0);
  MUST(ftruncate(fd, 2 * kPage));
  char* map = Map(2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  Record("child", InChild([map] {
           map[kPage] = 77;
           return 0;
         }));
  Record("map", map[kPage]);
  char c = 0;
  T(pread(fd, &c, 1, kPage));
  Record("file", c);
}
CASE(memfd_seals) {
  const int fd = memfd_create("m", MFD_ALLOW_SEALING);
  MUST(write(fd, "abc", 3));
  T(fcntl(fd, F_GET_SEALS));
  T(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
  T(ftruncate(fd, 1));
  T(ftruncate(fd, 10));
  T(pwrite(fd, "x", 1, 0));
  T(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
  T(pwrite(fd, "x", 1, 0));
  T(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
  T(fcntl(fd, F_GET_SEALS));
  const int plain = memfd_create("n", 0);
  T(fcntl(plain, F_GET_SEALS));
  T(fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE));
}
CASE(memfd_seal_of_executability) {
  constexpr unsigned kNoExecSeal = 8, kExec = 16;  // MFD_NOEXEC_SEAL, MFD_EXEC
  constexpr int kSealExec = 0x20;                  // F_SEAL_EXEC
  const int plain = memfd_create("a", MFD_ALLOW_SEALING | kExec);
  MUST(fchmod(plain, 0644));
  T(fcntl(plain, F_ADD_SEALS, kSealExec));
  T(fcntl(plain, F_GET_SEALS));
  T(fchmod(plain, 0755));
  T(fchmod(plain, 0600));
  T(write(plain, "x", 1));
  const int program = memfd_create("b", MFD_ALLOW_SEALING | kExec);
  MUST(write(program, "x", 1));
  T(fcntl(program, F_ADD_SEALS, kSealExec));
  T(fcntl(program, F_GET_SEALS));
  T(fchmod(program, 0600));
  T(fchmod(program, 0711));
  T(write(program, "x", 1));
  const int sealed = memfd_create("c", kNoExecSeal);
  struct stat st;
  MUST(fstat(sealed, &st));
  Record("mode", Octal(st.st_mode));
  T(fcntl(sealed, F_GET_SEALS));
  T(fchmod(sealed, 0777));
  T(fcntl(sealed, F_ADD_SEALS, F_SEAL_GROW));
  T(fcntl(sealed, F_ADD_SEALS, 0x40));
}
CASE(memfd_errors) {
  T(memfd_create("x", 0x1000));
  T(memfd_create(std::string(300, 'n').c_str(), 0));
}
CASE(shm_open_dev_shm) {
  const int fd = open("/dev/shm/case", O_CREAT | O_RDWR | O_EXCL, 0600);
  Record("opened", fd >= 0);
  T(ftruncate(fd, kPage));
  char* map = Map(kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  map[0] = 'S';
  char c;
  T(pread(fd, &c, 1, 0));
  Record("c", c);
  T(unlink("/dev/shm/case"));
}
CASE(process_vm_readv_of_child) {
  static int secret = 1234;
  int p[2];
  MUST(pipe(p));
  const pid_t child = fork();
  if (child == 0) {
    secret = 4321;
    if (write(p[1], "r", 1) != 1) _exit(1);
    pause();
    _exit(0);
  }
  char ready;
  MUST(read(p[0], &ready, 1));
  int copy = 0;
  iovec local = {&copy, sizeof copy}, remote = {&secret, sizeof secret};
  T(process_vm_readv(child, &local, 1, &remote, 1, 0));
  Record("value", copy);
  remote.iov_base = BadPointer();
  T(process_vm_readv(child, &local, 1, &remote, 1, 0));
  T(process_vm_readv(99999, &local, 1, &remote, 1, 0));
  kill(child, SIGKILL);
}
CASE(mmap_large_sparse) {
  char* map = Map(1UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  map[0] = 1;
  map[(1UL << 30) - 1] = 2;
  Record("sum", map[0] + map[(1UL << 30) - 1] + map[1 << 20]);
}
CASE(mmap_thousand_mappings) {
  int good = 0;
  for (int i = 0; i < 1000; i++) {
    char* map = Map(kPage, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE);
    good += map[0] == 0;
  }
  Record("good", good);
}
CASE(mmap_grows_down_stack) {
  Record("child", InChild([] {
           volatile char buffer[1 << 20];
           buffer[0] = 1;
           buffer[(1 << 20) - 1] = 2;
           return buffer[0] + buffer[(1 << 20) - 1];
         }));
}
CASE(copy_on_write_after_fork) {
  char* map = Map(256 * kPage);
  memset(map, 1, 256 * kPage);
  Record("child", InChild([map] {
           memset(map, 2, 256 * kPage);
           return map[100 * kPage];
         }));
  long sum = 0;
  for (int i = 0; i < 256; i++) sum += map[i * kPage];
  Record("sum", sum);
}
CASE(limit_of_address_space_can_be_raised) {
  Record("child", InChild([] {
           struct {
             unsigned long soft, hard;
           } limit = {64 << 20, ~0ul};
           syscall(SYS_setrlimit, 9, &limit);
           void* small = mmap(nullptr, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
           limit.soft = ~0ul;
           syscall(SYS_setrlimit, 9, &limit);
           void* large = mmap(nullptr, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
           return (small == MAP_FAILED ? 1 : 0) + (large != MAP_FAILED ? 2 : 0);
         }));
}
