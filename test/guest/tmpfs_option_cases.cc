// The options of tmpfs mounts (tmpfs(5)): what is taken, shown, and may change later.
#include <sys/statfs.h>

#include "test/guest/mounting.h"

using namespace guest;

namespace {

// What /proc/mounts shows of the mount on "t", but for the flags of the mount.
std::string Shown() {
  std::istringstream lines(Content("/proc/self/mounts"));
  std::string line, result = "absent";
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string source, target, type, options;
    words >> source >> target >> type >> options;
    if (target != Cwd() + "/t") continue;
    result = type + " " + options;
  }
  // Not every host shows it.
  const size_t at = result.find(",inode64");
  return at == result.npos ? result : result.erase(at, 8);
}

void Try(const char* options) {
  std::string call = std::string("mount ") + options;
  const int result = mount("x", "t", "tmpfs", 0, options);
  Record(call.c_str(), result == 0 ? "ok" : strerrorname_np(errno));
  if (result != 0) return;
  Record("shown", Shown());
  struct stat st;
  MUST(stat("t", &st));
  Record("mode", st.st_mode);
  Record("owner", std::to_string(st.st_uid) + ":" + std::to_string(st.st_gid));
  MUST(umount("t"));
}

void Again(const char* options) {
  std::string call = std::string("remount ") + options;
  const int result = mount("x", "t", "tmpfs", MS_REMOUNT, options);
  Record(call.c_str(), result == 0 ? "ok" : strerrorname_np(errno));
  Record("shown", Shown());
}

void Start() {
  Own();
  MUST(mkdir("t", 0755));
}

void Sizes() {
  struct statfs fs;
  MUST(statfs("t", &fs));
  Record("blocks", fs.f_blocks);
  Record("free", fs.f_bfree);
  Record("files", fs.f_files);
  Record("free files", fs.f_ffree);
}

ssize_t Fill(const char* path, size_t bytes) {
  const int fd = open(path, O_WRONLY | O_CREAT, 0644);
  if (fd < 0) return -1;
  const std::string text(bytes, 'x');
  const ssize_t written = write(fd, text.data(), text.size());
  close(fd);
  return written;
}

}  // namespace

CASE(sizes) {
  Start();
  for (const char* options :
       {"size=64k", "size=1", "size=4097", "size=0x2000", "size=010k", "size=1M", "size=2g",
        "size=1p", "size=0", "nr_blocks=3", "nr_blocks=1k", "size=64k,size=128k"}) {
    Try(options);
  }
}
CASE(wrong_sizes) {
  Start();
  for (const char* options : {"size", "size=", "size=k", "size=5x", "size=-1", "size=x",
                              "nr_blocks=10%", "nr_blocks=", "size=10%%"}) {
    Try(options);
  }
}
CASE(inodes) {
  Start();
  for (const char* options : {"nr_inodes=10", "nr_inodes=1k", "nr_inodes=0", "nr_inodes=5%",
                              "nr_inodes=", "nr_inodes=x"}) {
    Try(options);
  }
}
CASE(modes) {
  Start();
  for (const char* options : {"mode=0755", "mode=700", "mode=1777", "mode=17777", "mode=0",
                              "mode=8", "mode=", "mode", "mode=0x1"}) {
    Try(options);
  }
}
CASE(owners) {
  Start();
  for (const char* options : {"uid=5", "gid=7", "uid=010,gid=0x10", "uid=-1", "uid=4294967295",
                              "uid=4294967296", "gid=x", "uid=", "uid=0,gid=0"}) {
    Try(options);
  }
}
CASE(others) {
  Start();
  for (const char* options :
       {"huge=never", "mpol=default", "foo", "foo=1", ",,mode=700,", "noswap=1", "inode32=1"}) {
    Try(options);
  }
}
CASE(what_is_full) {
  Start();
  MUST(mount("x", "t", "tmpfs", 0, "size=64k,nr_inodes=4"));
  Sizes();
  Record("written", Fill("t/a", 100'000));
  T(Fill("t/b", 1));
  T(mkdir("t/c", 0755));
  T(mkdir("t/d", 0755));
  Sizes();
}
CASE(without_limits) {
  Start();
  MUST(mount("x", "t", "tmpfs", 0, "size=0,nr_inodes=0"));
  Sizes();
  Record("written", Fill("t/a", 100'000));
}
CASE(more_and_less) {
  Start();
  MUST(mount("x", "t", "tmpfs", 0, "size=64k,nr_inodes=10,mode=750,uid=3"));
  Record("written", Fill("t/a", 40'000));
  Again("size=128k");
  Again("size=32k");
  Again("size=40k");
  Again("nr_inodes=1");
  Again("nr_inodes=2");
  Again("mode=777,uid=9,gid=9");
  Again("");
  Again("bad");
  Again("size=x");
  Record("written", Fill("t/a", 100'000));
  Sizes();
}
CASE(no_limit_stays) {
  Start();
  MUST(mount("x", "t", "tmpfs", 0, "size=64k,nr_inodes=10"));
  Again("size=0");
  Again("size=1m");
  Again("nr_inodes=0");
  Again("nr_inodes=9");
}
CASE(remounted_read_only) {
  Start();
  MUST(mount("x", "t", "tmpfs", 0, "size=64k"));
  T(mount("x", "t", "tmpfs", MS_REMOUNT | MS_RDONLY, "size=128k"));
  Record("shown", Shown());
  T(Fill("t/a", 1));
}
