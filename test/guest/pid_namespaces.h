// What the programs about pid namespaces have in common.
#ifndef RUNSC_TEST_GUEST_PID_NAMESPACES_H_
#define RUNSC_TEST_GUEST_PID_NAMESPACES_H_

#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>

#include "test/guest/cases.h"

namespace guest {

inline long Clone(unsigned long flags, pid_t* parent_tid = nullptr, pid_t* child_tid = nullptr) {
  return syscall(SYS_clone, flags | SIGCHLD, nullptr, parent_tid, child_tid, nullptr);
}
inline std::string WaitFor(long pid) {
  int status = 0;
  if (waitpid(static_cast<pid_t>(pid), &status, 0) < 0) return strerrorname_np(errno);
  return StatusText(status);
}
// What `body`, as init of a new pid namespace, sends as text.
inline std::string AsInit(const std::function<std::string()>& body) {
  int pipe_fds[2];
  MUST(pipe(pipe_fds));
  const long pid = Clone(CLONE_NEWPID);
  if (pid < 0) return strerrorname_np(errno);
  if (pid == 0) {
    close(pipe_fds[0]);
    const std::string text = body();
    (void)!write(pipe_fds[1], text.data(), text.size());
    _exit(0);
  }
  close(pipe_fds[1]);
  std::string text = Drain(pipe_fds[0]);
  close(pipe_fds[0]);
  return text + " " + WaitFor(pid);
}
inline std::string Number(long value) { return std::to_string(value); }
inline std::string ErrorOf(long result) {
  return result < 0 ? strerrorname_np(errno) : Number(result);
}
inline std::string FieldOf(const std::string& path, const std::string& name) {
  const std::string text = "\n" + Content(path.c_str());
  const size_t at = text.find("\n" + name + ":\t");
  if (at == std::string::npos) return "absent " + text.substr(0, 20);
  const size_t start = at + name.size() + 3;
  return text.substr(start, text.find('\n', start) - start);
}
inline std::string Count(const std::string& text, char c) {
  int n = 0;
  for (char other : text) n += other == c;
  return Number(n);
}
inline bool MountProc() {
  return unshare(CLONE_NEWNS) == 0 &&
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("proc", "/proc", "proc", 0, nullptr) == 0;
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_PID_NAMESPACES_H_
