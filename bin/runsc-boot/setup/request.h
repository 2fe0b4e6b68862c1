// The controller's request, with its descriptors sorted by what they are.
#ifndef RUNSC_BOOT_SETUP_REQUEST_H_
#define RUNSC_BOOT_SETUP_REQUEST_H_

#include <vector>

#include "bin/runsc-boot/setup/exit_page.h"
#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/boot.pb.h"
#include "ipc/channel.h"

namespace runsc::boot::setup {

struct Request {
  runsc::control::BootRequest message;
  FileDescriptor stdio[3];
  FileDescriptor terminal;  // instead of stdio
  FileDescriptor control;   // the listening socket
  FileDescriptor log;
  FileDescriptor user_log;
  FileDescriptor network_namespace;
  FileDescriptor exit;  // where the container's end is recorded, until it is mapped
  ExitPage exit_page;
  std::vector<FileDescriptor> filesystems;  // the root's, then one per served mount
};

// Waits for the request. EINVAL names what is missing or too much.
Result<Request> ReceiveRequest(Channel& controller);

// The part of it that needs no channel.
Result<Request> SortDescriptors(runsc::control::BootRequest message,
                                std::vector<FileDescriptor> fds);

}  // namespace runsc::boot::setup

#endif  // RUNSC_BOOT_SETUP_REQUEST_H_
