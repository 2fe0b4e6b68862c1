// runsc-gofer: serves the container's root and bind mounts to the sandbox.
//
// Started by runsc-create, which talks to it over descriptor 3
// (ipc/gofer.proto). Sets up its own root, drops its privileges, and then
// answers the file-system requests of boot (ipc/fs.proto) until the last
// connection ends.
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bin/runsc-gofer/mount_setup.h"
#include "bin/runsc-gofer/privileges.h"
#include "bin/runsc-gofer/server.h"
#include "bin/runsc-gofer/tree.h"
#include "common/log.h"
#include "ipc/channel.h"
#include "ipc/gofer.pb.h"

namespace runsc::gofer {
namespace {

constexpr int kUsageError = 64;

// Each file that the client knows is a descriptor here.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void StartLog(const GoferRequest& request, int fd) {
  log::Sink sink;
  sink.fd = fd;
  sink.format = request.json_log() ? log::Format::kJson : log::Format::kText;
  sink.level = request.debug() ? log::Level::kDebug : log::Level::kWarning;
  log::SetSinks(&sink, 1);
  tzset();  // reads the host's time zone while it can
}

// Everything that needs privileges. Returns the trees, in the order of their
// connections.
Result<std::vector<std::unique_ptr<Tree>>> SetUp(
    const GoferRequest& request, std::unique_ptr<DescriptorDirectory>& descriptors) {
  if (getpid() != 1) {
    return Error(EINVAL, "runsc-gofer must be started in its own namespaces, by runsc-create");
  }
  TRY_ASSIGN(MountedTrees mounted, SetUpMounts(request));
  if (request.host_sockets() && fchdir(mounted.descriptor_directory.get()) < 0) {
    return ErrnoError("change to the descriptors' directory");
  }
  descriptors = std::make_unique<DescriptorDirectory>(std::move(mounted.descriptor_directory));
  TreeOptions options = {.host_sockets = request.host_sockets(),
                         .xattrs = request.xattrs(),
                         .device_nodes = request.device_nodes()};
  std::vector<std::unique_ptr<Tree>> trees;
  for (MountedTrees::TreeRoot& root : mounted.trees) {
    options.read_only = root.read_only;
    bool first = trees.empty();
    trees.push_back(std::make_unique<Tree>(
        root.name, std::move(root.root), options, *descriptors,
        first ? std::move(mounted.mounts) : std::vector<fs::ResolvedMount>()));
  }
  TRY(DropPrivileges(options));
  return trees;
}

Status Run(Channel& controller) {
  TRY_ASSIGN(auto received, controller.Receive<GoferRequest>(Channel::kMaxFds));
  const GoferRequest& request = received.message;
  size_t tree_count = 1 + static_cast<size_t>(request.mounts_size());
  if (received.fds.size() != tree_count && received.fds.size() != tree_count + 1) {
    return Error(EINVAL, absl::StrCat("runsc-gofer got ", received.fds.size(), " descriptors for ",
                                      tree_count, " trees"));
  }
  bool has_log = received.fds.size() > tree_count;
  StartLog(request, has_log ? received.fds.back().get() : STDERR_FILENO);

  RaiseDescriptorLimit();
  std::unique_ptr<DescriptorDirectory> descriptors;
  auto trees = SetUp(request, descriptors);
  GoferReply reply;
  if (!trees.ok()) reply.set_error(trees.error().ToString());
  TRY(controller.Send(reply));
  controller.Release().Reset();
  if (!trees.ok()) return std::move(trees).error();

  Server server;
  for (size_t i = 0; i < tree_count; ++i) {
    server.Serve(std::move((*trees)[i]), std::move(received.fds[i]));
  }
  server.Wait();
  return Ok();
}

int Main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--print-privileges") {
    fputs(DescribePrivileges().c_str(), stdout);
    return 0;
  }
  struct stat stat;
  if (argc != 1 || fstat(kInheritedChannelFd, &stat) < 0 || !S_ISSOCK(stat.st_mode)) {
    fputs(
        "runsc-gofer serves a container's files. It is started by runsc-create.\n"
        "usage: runsc-gofer --print-privileges\n",
        stderr);
    return kUsageError;
  }
  mallopt(M_ARENA_MAX, 1);  // connections are many, the work of each is short
  Channel controller(FileDescriptor(kInheritedChannelFd), Conversation::kGofer);
  Status status = Run(controller);
  if (!status.ok()) {
    LOG_ERROR("gofer: ", status.error().ToString());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace runsc::gofer

int main(int argc, char** argv) { return runsc::gofer::Main(argc, argv); }
