#include "bin/runsc-boot/fs/tmpfs/options.h"

#include <sys/sysinfo.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/runsc-boot/vfs/mount_data.h"

namespace runsc::boot {
namespace {

constexpr uint64_t kPage = 4096;

// In pages.
uint64_t TotalMemory() {
  struct sysinfo info{};
  sysinfo(&info);
  return uint64_t{info.totalram} * info.mem_unit / kPage;
}

// In pages: bytes, or a share of the memory.
Result<uint64_t> ParsePages(const NamedOption& option) {
  const std::string_view text = option.value.value_or("");
  if (!text.ends_with('%')) {
    TRY_ASSIGN(const uint64_t bytes, option.Size());
    return bytes / kPage + (bytes % kPage != 0 ? 1 : 0);
  }
  TRY_ASSIGN(const uint32_t percent,
             (NamedOption{option.name, text.substr(0, text.size() - 1)}.Number()));
  return TotalMemory() * percent / 100;
}

Status Take(const NamedOption& option, TmpfsOptions& options) {
  const std::string_view name = option.name;
  if (name == "size") {
    TRY_ASSIGN(options.pages, ParsePages(option));
  } else if (name == "nr_blocks") {
    TRY_ASSIGN(options.pages, option.Size());
  } else if (name == "nr_inodes") {
    TRY_ASSIGN(options.inodes, option.Size());
  } else if (name == "mode") {
    TRY_ASSIGN(const uint32_t mode, option.Number(8));
    options.mode = mode & 07777;
  } else if (name == "uid") {
    TRY_ASSIGN(options.uid, option.Number());
    options.uid_given = true;
  } else if (name == "gid") {
    TRY_ASSIGN(options.gid, option.Number());
    options.gid_given = true;
  } else if (name == "noswap" || name == "inode64" || name == "inode32") {
    return option.Flag();  // about memory of the host, which is not the container's
  } else if (name != "huge" && name != "mpol") {
    return Error(EINVAL);
  }
  // More than can be counted in bytes is no limit that could be reached.
  if (options.pages && *options.pages > kMostTmpfsPages) options.pages = kMostTmpfsPages;
  return Ok();
}

}  // namespace

uint64_t DefaultTmpfsPages() { return TotalMemory() / 2; }

std::string TmpfsOptions::ToString() const {
  std::string text;
  if (pages) absl::StrAppend(&text, ",size=", *pages * (kPage / 1024), "k");
  if (inodes) absl::StrAppend(&text, ",nr_inodes=", *inodes);
  if (mode != 01777) absl::StrAppendFormat(&text, ",mode=%03o", mode);
  if (uid != 0) absl::StrAppend(&text, ",uid=", uid);
  if (gid != 0) absl::StrAppend(&text, ",gid=", gid);
  return text.empty() ? text : text.substr(1);
}

Result<TmpfsOptions> ParseTmpfsOptions(std::string_view text, TmpfsOptions options) {
  TRY(ForEachOption("tmpfs", text,
                    [&](const NamedOption& option) { return Take(option, options); }));
  return options;
}

}  // namespace runsc::boot
