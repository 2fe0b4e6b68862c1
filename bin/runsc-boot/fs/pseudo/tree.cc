#include "bin/runsc-boot/fs/pseudo/tree.h"

namespace runsc::boot::pseudo {

std::pair<std::shared_ptr<StaticDirectory>, std::string_view> Tree::Parent(std::string_view path) {
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {root_, path};
  return {Directory(path.substr(0, slash)), path.substr(slash + 1)};
}

std::shared_ptr<StaticDirectory> Tree::Directory(std::string_view path) {
  std::shared_ptr<StaticDirectory> directory = root_;
  while (!path.empty()) {
    size_t slash = path.find('/');
    std::string_view name = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    auto child = std::dynamic_pointer_cast<StaticDirectory>(directory->Find(name));
    if (child == nullptr) {
      child =
          std::make_shared<StaticDirectory>(filesystem_, ChildIno(directory->ino(), name), 0555);
      directory->Add(name, child);
    }
    directory = std::move(child);
  }
  return directory;
}

void Tree::File(std::string_view path, mode_t mode, FunctionFile::Generator generator,
                FunctionFile::Writer writer) {
  Add(path, [&](uint64_t ino) {
    return std::make_shared<FunctionFile>(filesystem_, ino, mode, std::move(generator),
                                          std::move(writer), file_size_);
  });
}

void Tree::Text(std::string_view path, std::string contents, mode_t mode) {
  File(path, mode, [contents = std::move(contents)](Context&) { return contents; });
}

void Tree::Link(std::string_view path, std::string target) {
  Add(path, [&](uint64_t ino) {
    return std::make_shared<LinkInode>(filesystem_, ino,
                                       [target = std::move(target)](Context&) { return target; });
  });
}

}  // namespace runsc::boot::pseudo
