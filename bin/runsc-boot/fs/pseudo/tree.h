// Builds trees of generated files from path names:
//
//   Tree tree(filesystem, root);
//   tree.Text("vm/max_map_count", "65530\n", 0644);
//   tree.File("kernel/hostname", 0644, [&](Context&) { return kernel.hostname() + "\n"; });
//
// Directories on the way are made as needed.
#ifndef RUNSC_BOOT_FS_PSEUDO_TREE_H_
#define RUNSC_BOOT_FS_PSEUDO_TREE_H_

#include <memory>
#include <string>
#include <string_view>

#include "bin/runsc-boot/fs/pseudo/directory.h"

namespace runsc::boot::pseudo {

class Tree {
 public:
  // Adds to `root`, which keeps what is added. `file_size` is what stat(2)
  // reports for files (4096 in /sys).
  Tree(Filesystem& filesystem, std::shared_ptr<StaticDirectory> root, uint64_t file_size = 0)
      : filesystem_(filesystem), root_(std::move(root)), file_size_(file_size) {}

  void File(std::string_view path, mode_t mode, FunctionFile::Generator generator,
            FunctionFile::Writer writer = nullptr);
  // Fixed contents.
  void Text(std::string_view path, std::string contents, mode_t mode = 0444);
  void Link(std::string_view path, std::string target);
  std::shared_ptr<StaticDirectory> Directory(std::string_view path);
  // Any inode; `make` gets its inode number.
  template <typename Make>
  void Add(std::string_view path, Make make) {
    auto [directory, name] = Parent(path);
    directory->Add(name, make(ChildIno(directory->ino(), name)));
  }

 private:
  std::pair<std::shared_ptr<StaticDirectory>, std::string_view> Parent(std::string_view path);

  Filesystem& filesystem_;
  const std::shared_ptr<StaticDirectory> root_;
  const uint64_t file_size_;
};

}  // namespace runsc::boot::pseudo

#endif  // RUNSC_BOOT_FS_PSEUDO_TREE_H_
