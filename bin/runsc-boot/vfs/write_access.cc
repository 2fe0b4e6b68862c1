#include "bin/runsc-boot/vfs/write_access.h"

#include "bin/runsc-boot/vfs/inode.h"

namespace runsc::boot {

Result<std::shared_ptr<const WriteDenial>> WriteDenial::Take(std::shared_ptr<Inode> inode) {
  TRY(inode->write_access().Deny());
  return std::shared_ptr<const WriteDenial>(std::make_shared<WriteDenial>(std::move(inode)));
}

WriteDenial::~WriteDenial() { inode_->write_access().Allow(); }

}  // namespace runsc::boot
