#include "bin/runsc-boot/fs/gofer/attributes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace runsc::boot {
namespace {

timespec FromTime(const fs::Time& time) {
  return {static_cast<time_t>(time.seconds()), static_cast<long>(time.nanoseconds())};
}

timespec FromTime(const statx_timestamp& time) {
  return {static_cast<time_t>(time.tv_sec), static_cast<long>(time.tv_nsec)};
}

void SetTime(const timespec& from, fs::SetAttributesRequest::NewTime* to) {
  to->mutable_value()->set_seconds(from.tv_sec);
  to->mutable_value()->set_nanoseconds(static_cast<uint32_t>(from.tv_nsec));
}

}  // namespace

Attributes FromMessage(const fs::Attributes& message) {
  Attributes attributes;
  attributes.ino = message.inode();
  attributes.mode = message.mode();
  attributes.nlink = message.links();
  attributes.uid = message.uid();
  attributes.gid = message.gid();
  attributes.rdev = message.device_number();
  attributes.size = message.size();
  attributes.blocks = message.blocks();
  attributes.blksize = message.block_size();
  attributes.atime = FromTime(message.access_time());
  attributes.mtime = FromTime(message.modify_time());
  attributes.ctime = FromTime(message.change_time());
  if (message.has_birth_time()) attributes.btime = FromTime(message.birth_time());
  return attributes;
}

Result<Attributes> FromDescriptor(int fd) {
  struct statx stat;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &stat) < 0) {
    return Error(errno);
  }
  Attributes attributes;
  attributes.ino = stat.stx_ino;
  attributes.mode = stat.stx_mode;
  attributes.nlink = stat.stx_nlink;
  attributes.uid = stat.stx_uid;
  attributes.gid = stat.stx_gid;
  attributes.rdev = makedev(stat.stx_rdev_major, stat.stx_rdev_minor);
  attributes.size = stat.stx_size;
  attributes.blocks = stat.stx_blocks;
  attributes.blksize = stat.stx_blksize;
  attributes.atime = FromTime(stat.stx_atime);
  attributes.mtime = FromTime(stat.stx_mtime);
  attributes.ctime = FromTime(stat.stx_ctime);
  if (stat.stx_mask & STATX_BTIME) attributes.btime = FromTime(stat.stx_btime);
  return attributes;
}

fs::SetAttributesRequest ToMessage(uint64_t handle, const AttributeChange& change) {
  fs::SetAttributesRequest request;
  request.set_handle(handle);
  if (change.size) request.set_size(*change.size);
  if (change.uid) request.set_uid(*change.uid);
  if (change.gid) request.set_gid(*change.gid);
  if (change.mode) request.set_mode(*change.mode);
  if (change.atime) SetTime(*change.atime, request.mutable_access_time());
  if (change.mtime) SetTime(*change.mtime, request.mutable_modify_time());
  return request;
}

}  // namespace runsc::boot
