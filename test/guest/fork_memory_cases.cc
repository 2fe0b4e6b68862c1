// The memory of a child that has been forked this moment, as its parent reads and
// writes it.
#include <sched.h>
#include <sys/uio.h>

#include "test/guest/cases.h"

using namespace guest;

namespace {

constexpr int kRounds = 100;

volatile long g_word = 11;

long ReadByCall(pid_t pid) {
  long word = 0;
  const iovec local = {&word, sizeof(word)};
  const iovec remote = {const_cast<long*>(&g_word), sizeof(word)};
  return process_vm_readv(pid, &local, 1, &remote, 1, 0) == sizeof(word) ? word : -errno;
}
long WriteByCall(pid_t pid) {
  long word = 12;
  const iovec local = {&word, sizeof(word)};
  const iovec remote = {const_cast<long*>(&g_word), sizeof(word)};
  return process_vm_writev(pid, &local, 1, &remote, 1, 0) == sizeof(word) ? 0 : -errno;
}
long WriteByFile(pid_t pid) {
  const int fd = open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR);
  if (fd < 0) return -errno;
  const long word = 12;
  const ssize_t count = pwrite(fd, &word, sizeof(word), reinterpret_cast<off_t>(&g_word));
  const long result = count == sizeof(word) ? 0 : -errno;
  close(fd);
  return result;
}

// Children that run until their word has changed.
void Forks(long (*access)(pid_t), long expected, bool writes) {
  int good = 0;
  std::string ends;
  for (int i = 0; i < kRounds; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      while (g_word == 11) sched_yield();
      _exit(3);
    }
    const long result = access(pid);
    if (result == expected) {
      ++good;
    } else {
      Record("failed", strerrorname_np(static_cast<int>(-result)));
    }
    if (!writes || result != expected) kill(pid, SIGKILL);
    int status = 0;
    MUST(waitpid(pid, &status, 0));
    const std::string end = StatusText(status);
    if (ends != end) ends += ends.empty() ? end : " then " + end;
  }
  Record("good", good);
  Record("ends", ends);
}

}  // namespace

CASE(read_by_call) { Forks(ReadByCall, 11, false); }
CASE(written_by_call) { Forks(WriteByCall, 0, true); }
CASE(written_by_file) { Forks(WriteByFile, 0, true); }
