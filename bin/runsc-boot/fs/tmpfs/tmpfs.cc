#include "bin/runsc-boot/fs/tmpfs/tmpfs.h"

#include <sys/mman.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <utility>

#include "bin/runsc-boot/fs/tmpfs/regular.h"
#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/device_numbers.h"

namespace runsc::boot {
namespace {

constexpr uint64_t kPage = 4096;

constexpr uint64_t kNoLimit = kMostTmpfsPages * kPage;

uint64_t LimitOf(const TmpfsOptions& options) {
  const uint64_t pages = options.pages.value_or(DefaultTmpfsPages());
  return pages == 0 ? kNoLimit : pages * kPage;
}

uint64_t InodeLimitOf(const TmpfsOptions& options) {
  const uint64_t inodes = options.inodes.value_or(DefaultTmpfsPages());
  return inodes == 0 ? UINT64_MAX : inodes;
}

}  // namespace

TmpfsFilesystem::TmpfsFilesystem(const TmpfsOptions& options, const char* type)
    : type_(type),
      dev_(NewAnonymousDevice()),
      options_(options),
      limit_(LimitOf(options)),
      inode_limit_(InodeLimitOf(options)) {
  NewInode root{.mode = S_IFDIR | (options.mode & 07777), .uid = options.uid, .gid = options.gid};
  inodes_ = 1;
  auto directory = std::make_shared<TmpfsDirectory>(*this, root, 0);
  directory->AddLinks(1);
  root_ = std::move(directory);
}

TmpfsFilesystem::~TmpfsFilesystem() { root_.reset(); }

Status TmpfsFilesystem::Charge(int64_t bytes) {
  uint64_t now = used_.fetch_add(static_cast<uint64_t>(bytes)) + static_cast<uint64_t>(bytes);
  return bytes > 0 && now > limit_.load(std::memory_order_relaxed) ? Status(Error(ENOSPC)) : Ok();
}

uint64_t TmpfsFilesystem::available() const {
  uint64_t used = used_.load(std::memory_order_relaxed);
  const uint64_t limit = limit_.load(std::memory_order_relaxed);
  return used < limit ? limit - used : 0;
}

Status TmpfsFilesystem::ChargeInode() {
  uint64_t count = inodes_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (count <= inode_limit_.load(std::memory_order_relaxed)) return Ok();
  ReleaseInode();
  return Error(ENOSPC);
}

std::string TmpfsFilesystem::mount_options() const {
  absl::ReaderMutexLock lock(&options_mutex_);
  return options_.ToString();
}

Status TmpfsFilesystem::Reconfigure(Context&, std::string_view data) {
  absl::MutexLock lock(&options_mutex_);
  // Owner and mode are those of a root that exists already.
  TRY_ASSIGN(TmpfsOptions wanted, ParseTmpfsOptions(data, options_));
  wanted.mode = options_.mode;
  wanted.uid = options_.uid;
  wanted.gid = options_.gid;
  const bool pages_change = wanted.pages != options_.pages && wanted.pages != 0u;
  const bool inodes_change = wanted.inodes != options_.inodes && wanted.inodes != 0u;
  if (pages_change && (options_.pages == 0u || used_.load() > LimitOf(wanted))) {
    return Error(EINVAL);
  }
  if (inodes_change && (options_.inodes == 0u || inodes_.load() > InodeLimitOf(wanted))) {
    return Error(EINVAL);
  }
  options_ = wanted;
  limit_.store(LimitOf(wanted));
  inode_limit_.store(InodeLimitOf(wanted));
  return Ok();
}

Result<struct statfs> TmpfsFilesystem::StatFs() {
  struct statfs result{};
  result.f_type = 0x01021994;  // TMPFS_MAGIC
  result.f_bsize = kPage;
  result.f_frsize = kPage;
  result.f_namelen = 255;
  // Without a limit there is nothing to tell of.
  if (const uint64_t limit = limit_.load(); limit != kNoLimit) {
    result.f_blocks = limit / kPage;
    result.f_bfree = result.f_bavail = available() / kPage;
  }
  const uint64_t inodes = inodes_.load(std::memory_order_relaxed);
  if (const uint64_t limit = inode_limit_.load(); limit != UINT64_MAX) {
    result.f_files = limit;
    result.f_ffree = limit > inodes ? limit - inodes : 0;
  }
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
  int seals = (flags & MFD_ALLOW_SEALING) != 0 ? 0 : F_SEAL_SEAL;
  if ((flags & kNoExecSeal) != 0) seals = kSealExec;
  auto inode = std::make_shared<TmpfsRegular>(*this, node, seals);
  Path path{nullptr,
            std::make_shared<Dentry>(nullptr, "/memfd:" + std::string(name) + " (deleted)", inode)};
  return inode->Open(context, path, O_RDWR);
}

Result<FileRef> TmpfsFilesystem::CreateSegment(Context& context, std::string name, uint64_t size,
                                               uint64_t ino) {
  const CredentialsRef credentials = context.credentials();
  NewInode node{.mode = S_IFREG | 0777, .uid = credentials->fsuid, .gid = credentials->fsgid};
  TRY(ChargeInode());
  auto inode = std::make_shared<TmpfsRegular>(*this, node);
  inode->ShowAs(ino);
  TRY(inode->SetSparseSize(size));
  Path path{nullptr, std::make_shared<Dentry>(nullptr, std::move(name), inode)};
  return inode->Open(context, path, O_RDWR);
}

}  // namespace runsc::boot
