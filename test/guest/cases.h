// Cases of the differential tests: each runs the same system calls on the host
// and in the sandbox and prints what came out, one line per case:
//
//   open_missing: open=ENOENT
//
//   CASE(open_missing) { T(open("missing", O_RDONLY)); }
//
// A case runs in a process and an empty working directory of its own, with a
// time limit, so a crash or a hang costs one line. What it prints must be the
// same on every run: no pids, addresses, inode numbers or times.
#ifndef RUNSC_TEST_GUEST_CASES_H_
#define RUNSC_TEST_GUEST_CASES_H_

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <string_view>

namespace guest {

// Adds " key=value" to the line of the running case.
void Record(std::string_view key, std::string_view value);
void Record(std::string_view key, long long value);

// Adds the result of a call: its value, or the name of errno when it is -1.
void RecordCall(std::string_view expression, long long result);
// The same for calls that return a pointer: "ok" or the name of errno.
void RecordPointer(std::string_view expression, const void* result);

class Registration {
 public:
  Registration(const char* name, void (*body)());
};

// Makes `path` with `content`; aborts the case when that fails.
void Make(const char* path, std::string_view content = "", mode_t mode = 0644);
// Up to 64 KiB of `path`, or the name of errno.
std::string Content(const char* path);
// Up to 64 KiB from `fd` until end of file or an error, whose name is appended.
std::string Drain(int fd);
// Octal text, for modes.
std::string Octal(unsigned long value);
// "exit 3" or "signal 9" or "stopped 19" or "continued".
std::string StatusText(int status);
// A field of /proc/PROCESS/status, "absent" if there is none.
std::string StatusField(const std::string& name, const std::string& process = "self");
// A child that does nothing until a signal ends it.
pid_t Sleeper();
// Copies the running program.
void CopySelf(const char* path, mode_t mode = 0755);
// Runs `body` in a child, waits, and returns the StatusText of its end.
std::string InChild(const std::function<int()>& body);
// Gives up root for good: groups, gids and uids.
void BecomeUser(uid_t uid, gid_t gid);
// Ends the case with a line that says which preparation failed.
[[noreturn]] void Broken(const char* what);
// Sleeps for at least `milliseconds`.
void SleepMs(int milliseconds);
// Milliseconds of CLOCK_MONOTONIC.
long long NowMs();
// A pointer that no mapping covers.
void* BadPointer();

}  // namespace guest

#define CASE(name)                                                          \
  static void Case_##name();                                                \
  static const guest::Registration registration_##name(#name, Case_##name); \
  static void Case_##name()

// Runs a call and records its result under its own name.
#define T(call)                                             \
  do {                                                      \
    errno = 0;                                              \
    guest::RecordCall(#call, static_cast<long long>(call)); \
  } while (false)
#define TP(call)                       \
  do {                                 \
    errno = 0;                         \
    guest::RecordPointer(#call, call); \
  } while (false)
// Preparation that must succeed for the case to mean anything.
#define MUST(call)                        \
  do {                                    \
    if ((call) < 0) guest::Broken(#call); \
  } while (false)

#endif  // RUNSC_TEST_GUEST_CASES_H_
