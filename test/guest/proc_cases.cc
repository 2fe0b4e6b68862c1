// What /proc, /dev and /sys show.
#include <dirent.h>
#include <sys/statfs.h>

#include "test/guest/cases.h"

using namespace guest;

namespace {
std::string Line(const std::string& text, const std::string& start) {
  const std::string all = "\n" + text;
  const size_t at = all.find("\n" + start);
  return at == std::string::npos ? "absent" : all.substr(at + 1, all.find('\n', at + 1) - at - 1);
}
int Fields(const std::string& line) {
  int count = 0;
  bool inside = false;
  for (const char c : line) {
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    count += !blank && !inside;
    inside = !blank;
  }
  return count;
}
bool Exists(const char* path) { return access(path, F_OK) == 0; }
}  // namespace

CASE(proc_self_is_own_pid) {
  char target[32] = {};
  MUST(readlink("/proc/self", target, 31));
  Record("same", atoi(target) == getpid());
  char thread[64] = {};
  MUST(readlink("/proc/thread-self", thread, 63));
  Record("thread",
         std::string(thread) == std::to_string(getpid()) + "/task/" + std::to_string(getpid()));
}
CASE(proc_status_fields) {
  const std::string text = Content("/proc/self/status");
  for (const char* name : {"Name:", "State:", "Uid:", "Gid:", "Threads:", "SigBlk:", "SigIgn:",
                           "NoNewPrivs:", "Umask:"}) {
    Record("line", Line(text, name));
  }
  for (const char* name :
       {"Tgid:", "Pid:", "PPid:", "VmSize:", "VmRSS:", "Groups:", "CapEff:", "Seccomp:"}) {
    Record(name, Line(text, name) != "absent");
  }
}
CASE(proc_stat_fields) {
  const std::string text = Content("/proc/self/stat");
  const size_t close_at = text.rfind(')');
  Record("pid", atoi(text.c_str()) == getpid());
  Record("name", text.substr(text.find('('), close_at - text.find('(') + 1));
  Record("state", text.substr(close_at + 2, 1));
  Record("ppid", atoi(text.c_str() + close_at + 4) == getppid());
  Record("fields", Fields(text.substr(close_at + 1)));
}
CASE(proc_statm_has_seven_fields) { Record("fields", Fields(Content("/proc/self/statm"))); }
CASE(proc_cmdline_and_comm) {
  const std::string command = Content("/proc/self/cmdline");
  Record("first", command.c_str());
  Record("ends_in_zero", command.back() == 0);
  Record("comm", Content("/proc/self/comm"));
}
CASE(proc_environ) {
  const std::string text = Content("/proc/self/environ");
  Record("path", text.find("PATH=/usr/local/sbin") != std::string::npos);
}
CASE(proc_exe_cwd_root) {
  char target[4096] = {};
  MUST(readlink("/proc/self/exe", target, 4095));
  Record("exe", target);
  char here[4096];
  memset(target, 0, sizeof target);
  MUST(readlink("/proc/self/cwd", target, 4095));
  Record("cwd", std::string(target) == getcwd(here, sizeof here));
  memset(target, 0, sizeof target);
  MUST(readlink("/proc/self/root", target, 4095));
  Record("root", target);
}
CASE(proc_maps_show_mappings) {
  Make("f", std::string(4096, 'x'));
  const int fd = open("f", O_RDONLY);
  MUST(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0);
  const std::string maps = Content("/proc/self/maps");
  Record("file", maps.find("/proc_maps_show_mappings/f") != std::string::npos);
  Record("program", maps.find("/bin/cases") != std::string::npos);
  Record("stack", maps.find("[stack]") != std::string::npos);
  Record("heap", maps.find("[heap]") != std::string::npos);
  Record("vdso", maps.find("[vdso]") != std::string::npos);
  Record("executable", maps.find("r-xp") != std::string::npos);
}
CASE(proc_mounts_and_mountinfo) {
  const std::string mounts = Content("/proc/self/mounts");
  Record("root", mounts.find(" / ") != std::string::npos);
  Record("proc", Line(mounts, "proc /proc proc").substr(0, 19));
  Record("tmp", mounts.find(" /tmp tmpfs rw,nosuid,nodev") != std::string::npos);
  Record("info", Content("/proc/self/mountinfo").find(" / / ") != std::string::npos ||
                     Content("/proc/self/mountinfo").find(" / ") != std::string::npos);
  Record("same", Content("/proc/mounts") == mounts);
}
CASE(proc_other_processes) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const std::string base = "/proc/" + std::to_string(child);
  SleepMs(50);
  const std::string status = Content((base + "/status").c_str());
  Record("state", Line(status, "State:"));
  Record("parent", Line(status, "PPid:") == "PPid:\t" + std::to_string(getpid()));
  kill(child, SIGKILL);
  siginfo_t info;
  MUST(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
  Record("zombie", Line(Content((base + "/status").c_str()), "State:"));
  int status_word;
  MUST(waitpid(child, &status_word, 0));
  T(access(base.c_str(), F_OK));
}
CASE(proc_lists_pids) {
  DIR* directory = opendir("/proc");
  bool self = false, one = false;
  while (const dirent* entry = readdir(directory)) {
    if (atoi(entry->d_name) == getpid()) self = true;
    if (std::string_view(entry->d_name) == "1") one = true;
  }
  Record("self", self);
  Record("one", one);
}
CASE(proc_task_directory) {
  DIR* directory = opendir("/proc/self/task");
  int count = 0;
  while (const dirent* entry = readdir(directory)) count += entry->d_name[0] != '.';
  Record("count", count);
}
CASE(proc_global_files) {
  for (const char* path : {"/proc/cpuinfo",
                           "/proc/meminfo",
                           "/proc/stat",
                           "/proc/uptime",
                           "/proc/loadavg",
                           "/proc/version",
                           "/proc/filesystems",
                           "/proc/sys/kernel/ostype",
                           "/proc/sys/kernel/hostname",
                           "/proc/sys/kernel/pid_max",
                           "/proc/sys/fs/pipe-max-size",
                           "/proc/sys/vm/overcommit_memory",
                           "/proc/sys/kernel/random/uuid",
                           "/proc/cmdline",
                           "/proc/self/limits",
                           "/proc/self/cgroup",
                           "/proc/self/oom_score_adj",
                           "/proc/self/uid_map",
                           "/proc/self/auxv",
                           "/proc/self/smaps",
                           "/proc/self/io",
                           "/proc/self/wchan",
                           "/proc/self/net/dev",
                           "/proc/net/unix",
                           "/proc/self/ns/pid"}) {
    Record(path, Exists(path));
  }
}
CASE(proc_values) {
  Record("ostype", Content("/proc/sys/kernel/ostype"));
  Record("hostname", Content("/proc/sys/kernel/hostname"));
  Record("uptime", Fields(Content("/proc/uptime")));
  Record("loadavg", Fields(Content("/proc/loadavg")));
  Record("meminfo", Line(Content("/proc/meminfo"), "MemTotal:") != "absent");
  Record("limits", Line(Content("/proc/self/limits"), "Max open files"));
  Record("uid_map_fields", Fields(Content("/proc/self/uid_map")));
}
CASE(proc_uuid_is_fresh) {
  const std::string a = Content("/proc/sys/kernel/random/uuid");
  Record("length", a.size());
  Record("differs", a != Content("/proc/sys/kernel/random/uuid"));
}
CASE(proc_files_report_no_size) {
  struct stat st;
  T(stat("/proc/self/status", &st));
  Record("size", st.st_size);
  Record("mode", Octal(st.st_mode));
}
CASE(proc_read_in_pieces) {
  const std::string whole = Content("/proc/filesystems");
  const int fd = open("/proc/filesystems", O_RDONLY);
  std::string parts;
  char buffer[7];
  for (ssize_t count; (count = read(fd, buffer, sizeof buffer)) > 0;) parts.append(buffer, count);
  Record("same", parts == whole);
  T(lseek(fd, 0, SEEK_SET));
  Record("again", Drain(fd) == whole);
}
CASE(proc_refuses_changes) {
  T(open("/proc/newfile", O_CREAT | O_RDWR, 0644));
  T(mkdir("/proc/d", 0755));
  T(unlink("/proc/self/status"));
  T(open("/proc/99999/status", O_RDONLY));
  T(rename("/proc/version", "/proc/x"));
}
CASE(dev_nodes) {
  struct stat st;
  for (const char* path :
       {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"}) {
    T(stat(path, &st));
    Record("rdev", st.st_rdev);
    Record("mode", Octal(st.st_mode));
  }
  for (const char* path : {"/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/ptmx",
                           "/dev/pts", "/dev/shm"}) {
    Record(path, Exists(path));
  }
}
CASE(dev_tty_without_terminal) { T(open("/dev/tty", O_RDWR)); }
CASE(dev_shm_is_tmpfs) {
  struct statfs fs;
  T(statfs("/dev/shm", &fs));
  Record("tmpfs", fs.f_type == 0x01021994);
}
CASE(sys_is_readonly) {
  struct statfs fs;
  T(statfs("/sys", &fs));
  Record("sysfs", fs.f_type == 0x62656572);
  T(open("/sys/newfile", O_CREAT | O_RDWR, 0644));
  Record("cpu", Exists("/sys/devices/system/cpu"));
}
