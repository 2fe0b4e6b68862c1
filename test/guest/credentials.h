// What the programs about credentials have in common.
#ifndef RUNSC_TEST_GUEST_CREDENTIALS_H_
#define RUNSC_TEST_GUEST_CREDENTIALS_H_

#include <sys/fsuid.h>
#include <sys/prctl.h>

#include "test/guest/cases.h"

namespace guest {

inline void RecordUids() {
  uid_t r, e, s;
  getresuid(&r, &e, &s);
  Record("uid", std::to_string(r) + "," + std::to_string(e) + "," + std::to_string(s) + "," +
                    std::to_string(setfsuid(-1)));
}
inline void RecordGids() {
  gid_t r, e, s;
  getresgid(&r, &e, &s);
  Record("gid", std::to_string(r) + "," + std::to_string(e) + "," + std::to_string(s) + "," +
                    std::to_string(setfsgid(-1)));
}
// A copy of this program with other bits and owner; it prints its ids when
// called so (PrintIds).
inline void GiveSelf(const char* path, mode_t mode, uid_t uid, gid_t gid) {
  CopySelf(path);
  MUST(chown(path, uid, gid));
  MUST(chmod(path, mode));
}
// What "id"-like programs see after exec of `path` as `uid`.
inline std::string IdsOf(const char* path, uid_t uid, gid_t gid, bool no_new_privs = false) {
  int pipe_fds[2];
  MUST(pipe(pipe_fds));
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipe_fds[1], 1);
    BecomeUser(uid, gid);
    if (no_new_privs) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    execl(path, "print-ids", nullptr);
    dprintf(1, "exec %s", strerrorname_np(errno));
    _exit(1);
  }
  close(pipe_fds[1]);
  std::string text = Drain(pipe_fds[0]);
  close(pipe_fds[0]);
  waitpid(child, nullptr, 0);
  return text;
}
// Runs before main when the program has been executed as "print-ids".
__attribute__((constructor)) static void PrintIds(int argc, char** argv, char**) {
  if (argc != 1 || strcmp(argv[0], "print-ids") != 0) return;
  uid_t r, e, s;
  gid_t gr, ge, gs;
  getresuid(&r, &e, &s);
  getresgid(&gr, &ge, &gs);
  printf("uid=%u,%u,%u gid=%u,%u,%u secure=%d dumpable=%d cap=%s,%s,%s nnp=%d", r, e, s, gr, ge, gs,
         secure_getenv("PATH") == nullptr && getenv("PATH") != nullptr, prctl(PR_GET_DUMPABLE),
         StatusField("CapPrm").c_str() + 1, StatusField("CapEff").c_str() + 1,
         StatusField("CapAmb").c_str() + 1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  fflush(stdout);
  _exit(0);
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_CREDENTIALS_H_
