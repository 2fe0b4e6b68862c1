#include "bin/runsc-boot/fs/gofer/known_names.h"

#include <utility>

namespace runsc::boot {

KnownNames::Entry* KnownNames::Find(std::string_view name) {
  auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

KnownNames::Entry& KnownNames::Put(std::string_view name, uint64_t inode, mode_t type) {
  Entry& entry = entries_[std::string(name)];
  entry = Entry();
  entry.inode = inode;
  entry.type = type;
  return entry;
}

std::optional<KnownNames::Entry> KnownNames::Take(std::string_view name) {
  auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  Entry entry = std::move(found->second);
  entries_.erase(found);
  return entry;
}

void KnownNames::Shrink() {
  absl::erase_if(entries_, [](const auto& item) { return item.second.file.expired(); });
  complete_ = false;
}

}  // namespace runsc::boot
