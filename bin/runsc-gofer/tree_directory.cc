// Reading directories, with the attributes of each entry.
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "bin/runsc-gofer/tree.h"

namespace runsc::gofer {
namespace {

constexpr uint32_t kMaxEntries = 1024;

struct DirentHeader {  // linux_dirent64 up to its name
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
};
constexpr size_t kNameOffset = offsetof(DirentHeader, type) + 1;

}  // namespace

Status Tree::ReadDirectory(const fs::ReadDirectoryRequest& request, Answer& answer) {
  fs::ReadDirectoryReply& reply = *answer.reply.mutable_read_directory();
  TRY_ASSIGN(HeldFileRef held, GetDirectory(request.handle()));
  if (!request.name().empty()) {
    TRY(CheckName(request.name()));
    TRY_ASSIGN(FileDescriptor child, OpenPathAt(held->fd.get(), request.name()));
    TRY(gofer::GetAttributes(child.get(), "", reply.mutable_node()->mutable_attributes()));
    TRY(Hold(std::move(child), reply.mutable_node()));
    TRY_ASSIGN(held, GetDirectory(reply.node().handle()));
  }
  uint32_t limit = std::clamp<uint32_t>(request.max_entries(), 1, kMaxEntries);
  // Opened anew each time, so that the client's readers share no position.
  TRY_ASSIGN(FileDescriptor directory, descriptors_.Reopen(held->fd.get(), O_RDONLY | O_DIRECTORY));
  if (request.cookie() != 0 && lseek(directory.get(), request.cookie(), SEEK_SET) < 0) {
    return Error(errno);
  }

  reply.set_next(request.cookie());
  alignas(DirentHeader) char buffer[32 << 10];
  while (true) {
    long size = syscall(SYS_getdents64, directory.get(), buffer, sizeof(buffer));
    if (size < 0) return Error(errno);
    if (size == 0) {
      reply.set_end(true);
      return Ok();
    }
    for (long position = 0; position < size;) {
      DirentHeader header;
      memcpy(&header, buffer + position, kNameOffset);
      const char* name = buffer + position + kNameOffset;
      position += header.length;
      if (std::string_view(name) != "." && std::string_view(name) != "..") {
        if (static_cast<uint32_t>(reply.entries_size()) >= limit) return Ok();
        auto* entry = reply.add_entries();
        entry->set_name(name);
        if (!gofer::GetAttributes(held->fd.get(), name, entry->mutable_attributes()).ok()) {
          entry->clear_attributes();
        }
      }
      reply.set_next(header.offset);
    }
  }
}

}  // namespace runsc::gofer
