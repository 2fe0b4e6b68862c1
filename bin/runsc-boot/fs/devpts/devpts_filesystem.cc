#include "bin/runsc-boot/fs/devpts/devpts_filesystem.h"

#include <linux/magic.h>
#include <sys/sysmacros.h>

#include "bin/runsc-boot/fs/pseudo/directory.h"

namespace runsc::boot::devpts {
namespace {

constexpr uint64_t kPtmxIno = 2;

class PtmxNode final : public pseudo::PseudoInode {
 public:
  explicit PtmxNode(Filesystem& filesystem) : PseudoInode(filesystem, kPtmxIno, S_IFCHR | 0666) {}

  Result<Attributes> GetAttributes() override {
    TRY_ASSIGN(Attributes attributes, PseudoInode::GetAttributes());
    attributes.rdev = makedev(5, 2);
    return attributes;
  }
  Result<FileRef> Open(Context& context, const Path& path, int flags) override {
    return Error(ENXIO);
  }
};

}  // namespace

FilesystemRef MakeDevptsFilesystem(dev_t dev) {
  auto filesystem = std::make_shared<pseudo::PseudoFilesystem>(
      pseudo::FilesystemTraits{"devpts", DEVPTS_SUPER_MAGIC, dev, "gid=5,mode=620,ptmxmode=666"});
  auto root = std::make_shared<pseudo::StaticDirectory>(*filesystem, pseudo::kRootIno, 0755);
  root->Add("ptmx", std::make_shared<PtmxNode>(*filesystem));
  filesystem->SetRoot(root);
  return filesystem;
}

}  // namespace runsc::boot::devpts
