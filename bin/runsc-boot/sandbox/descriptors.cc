#include "bin/runsc-boot/sandbox/descriptors.h"

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/fs/host/host_file.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {

Result<std::shared_ptr<FdTable>> ImportDescriptors(Vfs& vfs, HostPoller& poller,
                                                   const Credentials& owner,
                                                   std::vector<FileDescriptor> fds) {
  KernelContext context(std::make_shared<Credentials>(owner));
  auto table = std::make_shared<FdTable>();
  for (size_t i = 0; i < fds.size(); ++i) {
    if (!fds[i].valid()) continue;
    auto file = MakeHostFile(vfs, context, poller, std::move(fds[i]));
    if (!file.ok()) return std::move(file).error().WithContext(absl::StrCat("descriptor ", i));
    TRY(table->Replace(static_cast<int>(i), std::move(file).value(), false, fds.size()));
  }
  return table;
}

}  // namespace runsc::boot
