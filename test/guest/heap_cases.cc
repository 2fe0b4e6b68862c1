// The heap of brk(2) is memory like all other: its protection changes, parts of
// it are unmapped and mapped anew, locked and asked about, and other processes
// read it.
#include <sys/uio.h>

#include "test/guest/cases.h"
#include "test/guest/ptracing.h"

using namespace guest;

namespace {

constexpr size_t kPage = 4096;

// So many new pages at the heap's end.
char* Grow(size_t pages) {
  const auto end = reinterpret_cast<uintptr_t>(sbrk(0));
  char* start = reinterpret_cast<char*>((end + kPage - 1) & ~(kPage - 1));
  MUST(brk(start + pages * kPage));
  memset(start, 'h', pages * kPage);
  return start;
}
std::string Poke(char* address) {
  return InChild([address] {
    *const_cast<volatile char*>(address) = 1;
    return 0;
  });
}
int HeapLines() {
  const std::string maps = Content("/proc/self/maps");
  int lines = 0;
  for (size_t at = 0; (at = maps.find("[heap]", at)) != std::string::npos; ++at) ++lines;
  return lines;
}

}  // namespace

CASE(heap_protection) {
  char* heap = Grow(4);
  T(mprotect(heap + kPage, kPage, PROT_READ));
  Record("write", Poke(heap + kPage));
  Record("beside", Poke(heap));
  Record("lines", HeapLines());
  T(mprotect(heap + kPage, kPage, PROT_NONE));
  Record("read", write(open("/dev/null", O_WRONLY), heap + kPage, 1) < 0 ? "no" : "yes");
  T(mprotect(heap + kPage, kPage, PROT_READ | PROT_WRITE));
  Record("write", Poke(heap + kPage));
  Record("lines", HeapLines());
}
CASE(heap_unmapped_and_mapped_anew) {
  char* heap = Grow(4);
  T(munmap(heap + kPage, kPage));
  Record("hole", Poke(heap + kPage));
  void* over = mmap(heap + kPage, kPage, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  Record("over", over == heap + kPage);
  Record("content", over == heap + kPage ? heap[kPage] : -1);
  T(brk(heap));
  Record("gone", Poke(heap));
}
CASE(heap_moved) {
  char* heap = Grow(4);
  void* moved = mremap(heap + kPage, kPage, 2 * kPage, MREMAP_MAYMOVE);
  Record("moved", moved != MAP_FAILED);
  Record("content", moved != MAP_FAILED ? *static_cast<char*>(moved) : -1);
  Record("hole", Poke(heap + kPage));
}
CASE(heap_advised_and_locked) {
  char* heap = Grow(4);
  T(mlock(heap, 2 * kPage));
  T(munlock(heap, 2 * kPage));
  unsigned char resident[4] = {};
  T(mincore(heap, 4 * kPage, resident));
  Record("resident", resident[0] & 1);
  T(msync(heap, kPage, MS_SYNC));
  T(madvise(heap, kPage, MADV_DONTNEED));
  Record("cleared", heap[0]);
  T(madvise(heap, kPage, MADV_DONTFORK));
  Record("child", Poke(heap));
}
CASE(heap_read_by_others) {
  char* heap = Grow(1);
  strcpy(heap, "first");
  const pid_t child = Sleeper();
  SleepMs(50);
  char text[8] = {};
  iovec here = {text, sizeof text}, there = {heap, sizeof text};
  T(process_vm_readv(getpid(), &here, 1, &there, 1, 0));
  T(process_vm_readv(child, &here, 1, &there, 1, 0));
  Record("text", text);
  strcpy(text, "second");
  T(process_vm_writev(child, &here, 1, &there, 1, 0));
  memset(text, 0, sizeof text);
  T(process_vm_readv(child, &here, 1, &there, 1, 0));
  Record("text", text);
  Record("own", heap);
  kill(child, SIGKILL);
}
CASE(heap_read_by_tracer) {
  char* heap = Grow(1);
  strcpy(heap, "traced");
  const pid_t child = Traced([heap] { return heap[0]; });
  unsigned long word = 0;
  T(Ptrace(PTRACE_PEEKDATA, child, At(heap), At(&word)));
  Record("text", reinterpret_cast<const char*>(&word));
  T(Ptrace(PTRACE_POKEDATA, child, At(heap), 'X'));
  T(Ptrace(PTRACE_CONT, child));
  Record("end", WaitText(child));
}
