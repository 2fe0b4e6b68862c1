#include "bin/runsc-boot/sandbox/terminals.h"

#include <fcntl.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bin/runsc-boot/fs/devpts/devpts_filesystem.h"
#include "bin/runsc-boot/sandbox/mount_point.h"
#include "bin/runsc-boot/tty/terminal_file.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

FsContext TopOf(const std::shared_ptr<MountNamespace>& mounts) {
  const MountRef root = mounts->root();
  const Path top = mounts->Descend({root, root->root()});
  return {mounts, top, top, 0};
}

}  // namespace

Result<AttachedTerminal> Terminals::Attach(const std::shared_ptr<MountNamespace>& mounts,
                                           const Credentials& owner, FileDescriptor host,
                                           tty::HostRelay::Lifetime lifetime) {
  KernelContext context;
  FsContext fs = TopOf(mounts);
  const Caller caller{context, fs};
  WalkOptions walk;
  walk.start = fs.root();
  Result<Path> directory = kernel_.vfs().Walk(caller, walk, "/dev/pts");
  auto* devpts =
      directory.ok()
          ? dynamic_cast<devpts::DevptsFilesystem*>(&directory->dentry->inode()->filesystem())
          : nullptr;
  if (devpts == nullptr) {
    return Error(ENODEV, "config.json: process.terminal needs a devpts mount on /dev/pts");
  }
  // As if root had made it and given it to the process's user.
  Credentials maker;
  maker.fsuid = owner.euid;
  TRY_ASSIGN(tty::TerminalRef terminal, devpts->NewTerminal(maker));
  auto master = std::make_shared<tty::MasterFile>(*directory, O_RDWR, terminal, *directory);
  TRY_ASSIGN(auto relay, tty::HostRelay::Start(std::move(master), std::move(host), lifetime));
  terminal->set_locked(false);
  walk.start = *directory;
  TRY_ASSIGN(Path node, kernel_.vfs().Walk(caller, walk, absl::StrCat(terminal->index())));
  TRY_ASSIGN(FileRef file, tty::SlaveFile::Open(context, node, O_RDWR | O_NOCTTY, terminal));
  absl::MutexLock lock(&mutex_);
  std::erase_if(relays_, [](const auto& old) { return old->finished(); });
  relays_.push_back(relay);
  return AttachedTerminal{std::move(file), std::move(terminal), std::move(relay)};
}

Status Terminals::MountConsole(const std::shared_ptr<MountNamespace>& mounts,
                               const AttachedTerminal& attached) {
  KernelContext context;
  FsContext fs = TopOf(mounts);
  TRY_ASSIGN(Path target, MakeMountPoint(kernel_.vfs(), {context, fs}, "/dev/console", false));
  const Path& node = attached.file->path();
  TRY(mounts->Attach(node.mount->filesystem(), node.dentry, target, node.mount->flags(),
                     node.mount->source()));
  return Ok();
}

std::vector<std::shared_ptr<tty::HostRelay>> Terminals::relays() {
  absl::MutexLock lock(&mutex_);
  return relays_;
}

void Terminals::Resized() {
  for (const auto& relay : relays()) relay->Resized();
}

void Terminals::Drain(absl::Duration patience) {
  const absl::Time deadline = absl::Now() + patience;
  for (const auto& relay : relays()) relay->Drain(deadline - absl::Now());
}

}  // namespace runsc::boot
