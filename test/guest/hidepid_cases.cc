// The options of procfs mounts: hidepid, gid and subset (proc(5)).
#include <dirent.h>

#include "test/guest/mounting.h"

using namespace guest;

namespace {

// A procfs at "p" and a process of root's; then the caller is nobody special.
std::string OthersDirectory(const char* options, gid_t gid = 1000) {
  Own();
  MUST(mkdir("p", 0755));
  MUST(chmod(".", 0755));
  MUST(mount("proc", "p", "proc", 0, options));
  const pid_t child = Sleeper();
  BecomeUser(1000, gid);
  return "p/" + std::to_string(child);
}

bool Listed(const char* directory, const std::string& name) {
  DIR* dir = opendir(directory);
  if (dir == nullptr) return false;
  bool found = false;
  while (const dirent* entry = readdir(dir)) found |= name == entry->d_name;
  closedir(dir);
  return found;
}

std::string ShownOptions() {
  const std::string text = Content("/proc/self/mountinfo");
  const size_t at = text.find(Cwd() + "/p ");
  const size_t options = text.find("proc proc rw", at);
  if (options == text.npos) return "absent";
  return text.substr(options, text.find('\n', options) - options);
}

void Look(const std::string& other) {
  struct stat st;
  T(stat(other.c_str(), &st));
  Record("listed", Listed("p", other.substr(2)));
  const int fd = open(other.c_str(), O_RDONLY | O_DIRECTORY);
  Record("open", fd >= 0 ? "ok" : strerrorname_np(errno));
  Record("stat", Content((other + "/stat").c_str()).substr(0, 5) == "EPERM"    ? "EPERM"
                 : Content((other + "/stat").c_str()).substr(0, 6) == "ENOENT" ? "ENOENT"
                                                                               : "text");
  T(access((other + "/status").c_str(), R_OK));
  T(stat("p/self/status", &st));
  T(stat(("p/" + std::to_string(getpid()) + "/task").c_str(), &st));
  T(stat("p/uptime", &st));
}

}  // namespace

CASE(off) { Look(OthersDirectory("hidepid=0")); }
CASE(no_access) { Look(OthersDirectory("hidepid=1")); }
CASE(invisible) { Look(OthersDirectory("hidepid=2")); }
CASE(ptraceable) { Look(OthersDirectory("hidepid=4")); }
CASE(a_group_sees_them) { Look(OthersDirectory("hidepid=invisible,gid=77", 77)); }
CASE(a_group_does_not_see_what_it_may_not_trace) {
  Look(OthersDirectory("hidepid=ptraceable,gid=77", 77));
}
CASE(roots_group_is_the_usual_one) { Look(OthersDirectory("hidepid=2", 0)); }
CASE(subset) {
  OthersDirectory("subset=pid");
  struct stat st;
  T(stat("p/self", &st));
  T(stat("p/thread-self", &st));
  T(stat("p/1/status", &st));
  T(stat("p/uptime", &st));
  T(stat("p/mounts", &st));
  Record("listed", Listed("p", "uptime"));
  Record("self", Listed("p", "self"));
}
CASE(wrong_options) {
  Own();
  MUST(mkdir("p", 0755));
  T(mount("proc", "p", "proc", 0, "hidepid=3"));
  T(mount("proc", "p", "proc", 0, "hidepid"));
  T(mount("proc", "p", "proc", 0, "gid=x"));
  T(mount("proc", "p", "proc", 0, "subset=sys"));
  T(mount("proc", "p", "proc", 0, "nothing=1"));
}
CASE(shown_in_mountinfo) {
  Own();
  MUST(mkdir("p", 0755));
  MUST(mount("proc", "p", "proc", 0, "subset=pid,gid=5,hidepid=2"));
  Record("options", ShownOptions());
}
CASE(by_remount) {
  const char* given[] = {"hidepid=2", "gid=5", "hidepid=0,gid=0", "hidepid=x", "nothing", ""};
  Own();
  MUST(mkdir("p", 0755));
  MUST(mount("proc", "p", "proc", 0, "hidepid=1"));
  for (const char* options : given) {
    T(mount("proc", "p", "proc", MS_REMOUNT, options));
    Record("shown", ShownOptions());
  }
}
CASE(remount_hides_processes) {
  Own();
  MUST(mkdir("p", 0755));
  MUST(chmod(".", 0755));
  MUST(mount("proc", "p", "proc", 0, nullptr));
  const pid_t other = Sleeper();
  const int before = fork();
  if (before == 0) {
    BecomeUser(1000, 1000);
    _exit(Listed("p", std::to_string(other)) ? 1 : 2);
  }
  int status;
  MUST(waitpid(before, &status, 0));
  Record("listed", WEXITSTATUS(status));
  T(mount("proc", "p", "proc", MS_REMOUNT, "hidepid=2"));
  BecomeUser(1000, 1000);
  Look("p/" + std::to_string(other));
}
