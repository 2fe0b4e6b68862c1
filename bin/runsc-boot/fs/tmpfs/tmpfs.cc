#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"

#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <utility>

#include "bin/runsc-boot/fs/tmpfs/regular.h"
#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/device_numbers.h"

namespace runsc::boot {
namespace {

constexpr uint64_t kPage = 4096;

uint64_t HalfOfMemory() {
  struct sysinfo info {};
  sysinfo(&info);
  return uint64_t{info.totalram} * info.mem_unit / 2;
}

}  // namespace

TmpfsFilesystem::TmpfsFilesystem(const TmpfsOptions& options, const char* type)
    : options_(options),
      type_(type),
      dev_(NewAnonymousDevice()),
      limit_(options.size != 0 ? (options.size + kPage - 1) / kPage * kPage : HalfOfMemory()) {
  NewInode root{.mode = S_IFDIR | (options.mode & 07777), .uid = options.uid, .gid = options.gid};
  inodes_ = 1;
  auto directory = std::make_shared<TmpfsDirectory>(*this, root, 0);
  directory->AddLinks(1);
  root_ = std::move(directory);
}

TmpfsFilesystem::~TmpfsFilesystem() { root_.reset(); }

Status TmpfsFilesystem::Charge(int64_t bytes) {
  uint64_t now = used_.fetch_add(static_cast<uint64_t>(bytes)) + static_cast<uint64_t>(bytes);
  return bytes > 0 && now > limit_ ? Status(Error(ENOSPC)) : Ok();
}

uint64_t TmpfsFilesystem::available() const {
  uint64_t used = used_.load(std::memory_order_relaxed);
  return used < limit_ ? limit_ - used : 0;
}

Status TmpfsFilesystem::ChargeInode() {
  uint64_t count = inodes_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (options_.max_inodes == 0 || count <= options_.max_inodes) return Ok();
  ReleaseInode();
  return Error(ENOSPC);
}

Result<struct statfs> TmpfsFilesystem::StatFs() {
  struct statfs result {};
  result.f_type = 0x01021994;  // TMPFS_MAGIC
  result.f_bsize = kPage;
  result.f_frsize = kPage;
  result.f_namelen = 255;
  result.f_blocks = limit_ / kPage;
  result.f_bfree = result.f_bavail = available() / kPage;
  uint64_t inodes = inodes_.load(std::memory_order_relaxed);
  result.f_files = options_.max_inodes != 0 ? options_.max_inodes : limit_ / kPage;
  result.f_ffree = result.f_files > inodes ? result.f_files - inodes : 0;
  return result;
}

Result<FileRef> TmpfsFilesystem::CreateMemfd(Context& context, std::string_view name,
                                             unsigned flags) {
  constexpr unsigned kNoExecSeal = 8, kExec = 0x10;
  constexpr unsigned kKnown = MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExecSeal | kExec;
  if ((flags & ~kKnown) != 0 || name.size() > 249) return Error(EINVAL);
  if ((flags & kNoExecSeal) != 0 && (flags & kExec) != 0) return Error(EINVAL);
  CredentialsRef credentials = context.credentials();
  NewInode node{.mode = S_IFREG | 0777, .uid = credentials->fsuid, .gid = credentials->fsgid};
  if ((flags & kNoExecSeal) != 0) node.mode &= ~mode_t{0111};
  TRY(ChargeInode());
  bool sealing = (flags & (MFD_ALLOW_SEALING | kNoExecSeal)) != 0;
  auto inode = std::make_shared<TmpfsRegular>(*this, node, sealing ? 0 : F_SEAL_SEAL);
  Path path{nullptr,
            std::make_shared<Dentry>(nullptr, "/memfd:" + std::string(name) + " (deleted)", inode)};
  return inode->Open(context, path, O_RDWR);
}

}  // namespace runsc::boot
