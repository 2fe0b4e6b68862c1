#include "bin/runsc-boot/sandbox/home_directory.h"

#include <fcntl.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bin/runsc-boot/vfs/io_buffer.h"

namespace runsc::boot {
namespace {

// The file is the container's: no more of it is looked at.
constexpr size_t kMaxPasswd = 1 << 20;
constexpr size_t kFields = 7, kUidField = 2, kHomeField = 5;

std::string ReadPasswd(Vfs& vfs, Caller caller) {
  WalkOptions walk;
  walk.start = caller.fs.root();
  Result<Path> path = vfs.Walk(caller, walk, "/etc/passwd");
  if (!path.ok()) return "";
  // Not a FIFO, whose other end nobody may hold.
  Result<Attributes> attributes = vfs.GetAttributes(*path);
  if (!attributes.ok() || !attributes->IsRegular()) return "";
  Result<FileRef> file = vfs.OpenPath(caller, *path, O_RDONLY);
  if (!file.ok()) return "";
  std::string text(std::min<uint64_t>(attributes->size, kMaxPasswd), '\0');
  KernelBuffer buffer(text.data(), text.size());
  while (buffer.remaining() > 0) {
    Result<size_t> count = (*file)->PRead(caller.context, buffer, buffer.position());
    if (!count.ok() || *count == 0) break;
  }
  text.resize(buffer.position());
  return text;
}

}  // namespace

std::string HomeInPasswd(std::string_view text, uid_t uid) {
  for (absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    std::vector<absl::string_view> fields = absl::StrSplit(line, ':');
    uint32_t number = 0;
    if (fields.size() != kFields || !absl::SimpleAtoi(fields[kUidField], &number)) continue;
    if (number == uid) return std::string(fields[kHomeField]);
  }
  return "";
}

void AddHome(Vfs& vfs, Caller caller, uid_t uid, std::vector<std::string>& env) {
  std::string* variable = nullptr;
  for (std::string& entry : env) {
    if (entry.starts_with("HOME=")) variable = &entry;
  }
  constexpr size_t kEmpty = 5;
  if (variable != nullptr && variable->size() > kEmpty) return;
  std::string home = HomeInPasswd(ReadPasswd(vfs, caller), uid);
  std::string entry = absl::StrCat("HOME=", home.empty() ? "/" : home);
  if (variable != nullptr) {
    *variable = std::move(entry);
  } else {
    env.push_back(std::move(entry));
  }
}

}  // namespace runsc::boot
