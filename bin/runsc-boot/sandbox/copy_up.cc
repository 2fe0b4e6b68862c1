#include "bin/runsc-boot/sandbox/copy_up.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <string>
#include <vector>

#include "bin/runsc-boot/vfs/io_buffer.h"

namespace runsc::boot {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kChunk = 64 << 10;

WalkOptions Entry(const Path& directory) {
  WalkOptions walk;
  walk.start = directory;
  walk.follow_last = false;
  return walk;
}

Result<std::vector<std::string>> NamesIn(Vfs& vfs, Caller caller, const Path& directory) {
  TRY_ASSIGN(FileRef file, vfs.OpenPath(caller, directory, O_RDONLY | O_DIRECTORY));
  std::vector<std::string> names;
  size_t before = 0;
  do {
    before = names.size();
    TRY(file->ReadDirectory(caller.context, [&](const DirectoryEntry& entry) {
      if (entry.name != "." && entry.name != "..") names.emplace_back(entry.name);
      return true;
    }));
  } while (names.size() != before);
  return names;
}

Status CopyContents(Vfs& vfs, Caller caller, const Path& from, const Path& to,
                    const std::string& name) {
  TRY_ASSIGN(FileRef source, vfs.OpenPath(caller, from, O_RDONLY));
  TRY_ASSIGN(FileRef target,
             vfs.Open(caller, Entry(to), name, {O_WRONLY | O_CREAT | O_EXCL, 0600}));
  std::vector<char> bytes(kChunk);
  for (uint64_t offset = 0;;) {
    KernelBuffer in(bytes.data(), bytes.size());
    TRY_ASSIGN(size_t count, source->PRead(caller.context, in, offset));
    if (count == 0) return Ok();
    KernelBuffer out(bytes.data(), count);
    while (out.remaining() > 0) {
      TRY(target->PWrite(caller.context, out, offset + out.position()));
    }
    offset += count;
  }
}

Status CopyTree(Vfs& vfs, Caller caller, const Path& from, const Path& to, int depth);

Status CopyEntry(Vfs& vfs, Caller caller, const Path& from, const Path& to, const std::string& name,
                 int depth) {
  TRY_ASSIGN(Path source, vfs.Walk(caller, Entry(from), name));
  TRY_ASSIGN(const Attributes attributes, vfs.GetAttributes(source));
  if (attributes.IsSymlink()) {
    TRY_ASSIGN(std::string link, vfs.ReadLink(caller, source));
    TRY(vfs.Symlink(caller, link, Entry(to), name));
  } else if (attributes.IsDirectory()) {
    TRY(vfs.Mkdir(caller, Entry(to), name, 0700));
  } else if (attributes.IsRegular()) {
    TRY(CopyContents(vfs, caller, source, to, name));
  } else {
    TRY(vfs.Mknod(caller, Entry(to), name, attributes.mode & (S_IFMT | 0777), attributes.rdev));
  }
  TRY_ASSIGN(Path target, vfs.Walk(caller, Entry(to), name));
  if (attributes.IsDirectory()) TRY(CopyTree(vfs, caller, source, target, depth + 1));
  TRY(vfs.Chown(caller, target, attributes.uid, attributes.gid));
  if (attributes.IsSymlink()) return Ok();
  TRY(vfs.Chmod(caller, target, attributes.mode & 07777));
  return vfs.SetTimes(caller, target, attributes.atime, attributes.mtime);
}

Status CopyTree(Vfs& vfs, Caller caller, const Path& from, const Path& to, int depth) {
  if (depth > kMaxDepth) return Error(ELOOP);
  TRY_ASSIGN(std::vector<std::string> names, NamesIn(vfs, caller, from));
  for (const std::string& name : names) {
    if (Status copied = CopyEntry(vfs, caller, from, to, name, depth); !copied.ok()) {
      return std::move(copied).error().WithContext("copy " + name);
    }
  }
  return Ok();
}

}  // namespace

Status CopyUp(Vfs& vfs, Caller caller, const Path& from, const Path& to) {
  return CopyTree(vfs, caller, from, to, 0);
}

}  // namespace runsc::boot
