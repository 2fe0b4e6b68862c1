#include "bin/runsc-boot/fs/mqueue/mqueue_filesystem.h"

#include "bin/runsc-boot/fs/pseudo/directory.h"

namespace runsc::boot::mqueue {
namespace {

constexpr long kMqueueMagic = 0x19800202;

}  // namespace

FilesystemRef MakeMqueueFilesystem(dev_t dev) {
  auto filesystem = std::make_shared<pseudo::PseudoFilesystem>(
      pseudo::FilesystemTraits{"mqueue", kMqueueMagic, dev, ""});
  filesystem->SetRoot(
      std::make_shared<pseudo::StaticDirectory>(*filesystem, pseudo::kRootIno, S_ISVTX | 0777));
  return filesystem;
}

}  // namespace runsc::boot::mqueue
