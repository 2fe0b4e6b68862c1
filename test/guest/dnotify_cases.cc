// F_NOTIFY of fcntl(2): signals when something happens in a directory.
#include "test/guest/signals.h"

using namespace guest;

namespace {

// A directory `name` whose owner gets a queued signal for each of `events`.
int Watched(const char* name, unsigned events, int signo = SIGRTMIN) {
  Block({signo});
  MUST(mkdir(name, 0755));
  const int fd = open(name, O_RDONLY | O_DIRECTORY);
  if (fd < 0) Broken("open");
  MUST(fcntl(fd, F_SETSIG, signo));
  MUST(fcntl(fd, F_NOTIFY, events));
  return fd;
}

// How many come until none comes for a while.
int Signals(int signo = SIGRTMIN) {
  const sigset_t set = Set({signo});
  int count = 0;
  for (timespec patience = {0, 200'000'000}; sigtimedwait(&set, &g_info, &patience) == signo;) {
    ++count;
  }
  return count;
}

void Touch(const char* path) { close(open(path, O_CREAT | O_WRONLY, 0644)); }

void Write(const char* path) {
  const int fd = open(path, O_WRONLY);
  MUST(write(fd, "x", 1));
  close(fd);
}

}  // namespace

CASE(signal_tells_the_descriptor) {
  const int fd = Watched("d", DN_CREATE);
  Touch("d/f");
  Record("signals", Signals());
  Record("code", g_info.si_code);
  Record("band", g_info.si_band);
  Record("fd", g_info.si_fd == fd);
  Record("owner", fcntl(fd, F_GETOWN) == getpid());
}
CASE(without_multishot_once) {
  const int fd = Watched("d", DN_CREATE);
  Touch("d/f");
  Touch("d/g");
  Record("signals", Signals());
  T(fcntl(fd, F_NOTIFY, DN_CREATE));
  Touch("d/h");
  Record("asked again", Signals());
}
CASE(multishot_until_taken_back) {
  const int fd = Watched("d", DN_CREATE | DN_MULTISHOT);
  Touch("d/f");
  Touch("d/g");
  Record("signals", Signals());
  T(fcntl(fd, F_NOTIFY, 0));
  Touch("d/h");
  Record("taken back", Signals());
}
CASE(each_kind_of_event) {
  Watched("d", DN_CREATE | DN_MULTISHOT, SIGRTMIN);
  Touch("d/f");
  Record("create", Signals());
  Write("d/f");
  chmod("d/f", 0600);
  Record("not asked for", Signals());
  const int fd = open("d", O_RDONLY);
  MUST(fcntl(fd, F_SETSIG, SIGRTMIN));
  T(fcntl(fd, F_NOTIFY, DN_MODIFY | DN_MULTISHOT));
  Write("d/f");
  Record("modify", Signals());
  T(fcntl(fd, F_NOTIFY, DN_ATTRIB | DN_MULTISHOT));
  chmod("d/f", 0644);
  Record("attrib", Signals());
  T(fcntl(fd, F_NOTIFY, DN_DELETE | DN_MULTISHOT));
  unlink("d/f");
  Record("delete", Signals());
  Record("nothing happens", Signals());
}
CASE(renames) {
  MUST(mkdir("other", 0755));
  Watched("d", DN_RENAME | DN_MULTISHOT);
  Touch("d/f");
  MUST(rename("d/f", "d/g"));
  Record("inside", Signals());
  MUST(rename("d/g", "other/g"));
  Record("out", Signals());
  MUST(rename("other/g", "d/g"));
  Record("in", Signals());
}
CASE(moves_are_deletion_and_creation) {
  MUST(mkdir("other", 0755));
  Touch("other/f");
  Watched("d", DN_DELETE | DN_CREATE | DN_MULTISHOT);
  MUST(rename("other/f", "d/f"));
  Record("in", Signals());
  MUST(rename("d/f", "d/g"));
  Record("inside", Signals());
  MUST(rename("d/g", "other/g"));
  Record("out", Signals());
}
CASE(closing_any_descriptor_ends_it) {
  const int fd = Watched("d", DN_CREATE | DN_MULTISHOT);
  close(dup(fd));
  Touch("d/f");
  Record("signals", Signals());
}
CASE(closing_it_in_a_child_does_not) {
  const int fd = Watched("d", DN_CREATE | DN_MULTISHOT);
  if (fork() == 0) _exit(close(fd));
  wait(nullptr);
  Touch("d/f");
  Record("signals", Signals());
}
CASE(without_a_signal_of_its_own_sigio_comes) {
  Block({SIGIO});
  MUST(mkdir("d", 0755));
  const int fd = open("d", O_RDONLY);
  T(fcntl(fd, F_NOTIFY, DN_CREATE));
  Touch("d/f");
  Record("signals", Signals(SIGIO));
  Record("kernel", g_info.si_code == SI_KERNEL);
}
CASE(sigio_ends_the_process) {
  MUST(mkdir("d", 0755));
  const pid_t child = fork();
  if (child == 0) {
    MUST(fcntl(open("d", O_RDONLY), F_NOTIFY, DN_CREATE));
    Touch("d/f");
    pause();
    _exit(0);
  }
  int status = 0;
  MUST(waitpid(child, &status, 0));
  Record("status", status);
}
CASE(what_is_refused) {
  Touch("f");
  MUST(mkdir("d", 0755));
  T(fcntl(open("f", O_RDONLY), F_NOTIFY, DN_CREATE));
  T(fcntl(open("f", O_RDONLY), F_NOTIFY, 0));
  T(fcntl(open("d", O_PATH), F_NOTIFY, DN_CREATE));
  T(fcntl(-1, F_NOTIFY, DN_CREATE));
  int p[2];
  MUST(pipe(p));
  T(fcntl(p[0], F_NOTIFY, DN_CREATE));
}
CASE(the_signal_is_there_when_the_call_returns) {
  Watched("d", DN_CREATE | DN_DELETE | DN_MULTISHOT);
  const sigset_t set = Set({SIGRTMIN});
  const timespec now = {0, 0};
  int there = 0;
  for (int i = 0; i < 50; ++i) {
    Touch("d/f");
    there += sigtimedwait(&set, nullptr, &now) == SIGRTMIN;
    unlink("d/f");
    there += sigtimedwait(&set, nullptr, &now) == SIGRTMIN;
  }
  Record("there", there);
}
