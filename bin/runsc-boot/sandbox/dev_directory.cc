#include "bin/runsc-boot/sandbox/dev_directory.h"

#include <sys/sysmacros.h>

#include "absl/strings/str_cat.h"

namespace runsc::boot {
namespace {

struct Node {
  const char* name;
  unsigned major, minor;
};

constexpr Node kNodes[] = {
    {"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
    {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

struct Link {
  const char* name;
  const char* target;
};

constexpr Link kLinks[] = {
    {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},         {"core", "/proc/kcore"},
};

}  // namespace

Status MakeDeviceNodes(Vfs& vfs, Caller caller) {
  WalkOptions walk;
  walk.start = caller.fs.root();
  for (const Node& node : kNodes) {
    TRY(vfs.Mknod(caller, walk, absl::StrCat("/dev/", node.name), S_IFCHR | 0666,
                  makedev(node.major, node.minor)));
  }
  return Ok();
}

Status MakeDeviceLinks(Vfs& vfs, Caller caller) {
  WalkOptions walk;
  walk.start = caller.fs.root();
  for (const Link& link : kLinks) {
    TRY(vfs.Symlink(caller, link.target, walk, absl::StrCat("/dev/", link.name)));
  }
  for (const char* name : {"pts", "shm", "mqueue"}) {
    TRY(vfs.Mkdir(caller, walk, absl::StrCat("/dev/", name), 0755));
  }
  WalkOptions shm = walk;
  TRY_ASSIGN(Path path, vfs.Walk(caller, shm, "/dev/shm"));
  return vfs.Chmod(caller, path, 01777);
}

}  // namespace runsc::boot
