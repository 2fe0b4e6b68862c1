// Sends arbitrary requests to a tree: no input may crash it, or touch anything
// outside the tree.
//
//   bazel build --config=fuzz //bin/runsc-gofer:tree_fuzzer
//   bazel-bin/bin/runsc-gofer/tree_fuzzer -max_total_time=60
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "bin/runsc-gofer/tree.h"

namespace {

namespace stdfs = std::filesystem;
using runsc::FileDescriptor;
using runsc::gofer::DescriptorDirectory;
using runsc::gofer::Tree;
using runsc::gofer::TreeOptions;

// A tree with a file of each kind, beside a file that must never change.
struct Playground {
  Playground() {
    char pattern[] = "/dev/shm/tree_fuzzer.XXXXXX";
    base = mkdtemp(pattern);
    std::ofstream(base + "/outside") << "untouched";
    stdfs::create_directories(base + "/root/a/b");
    std::ofstream(base + "/root/a/f") << "content";
    stdfs::create_symlink("../../outside", base + "/root/a/l");
    stdfs::create_symlink("/", base + "/root/s");
  }
  ~Playground() {
    std::string content;
    std::ifstream(base + "/outside") >> content;
    bool intact = content == "untouched";
    for (const auto& entry : stdfs::directory_iterator(base)) {
      std::string name = entry.path().filename();
      intact &= name == "outside" || name == "root";
    }
    stdfs::remove_all(base);
    if (!intact) abort();
  }
  std::string base;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  umask(0);
  Playground playground;
  DescriptorDirectory descriptors(
      FileDescriptor(open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC)));
  TreeOptions options;
  options.xattrs = true;
  FileDescriptor root(open((playground.base + "/root").c_str(), O_PATH | O_CLOEXEC));
  Tree tree("fuzzed", std::move(root), options, descriptors);

  runsc::fs::FsRequest request;
  request.mutable_attach();
  tree.Handle(request);  // handle 1 is the root
  request.mutable_walk()->set_handle(1);
  request.mutable_walk()->add_names("a");
  request.mutable_walk()->add_names("l");
  tree.Handle(request);  // 2 is a directory, 3 a link

  while (size > 1) {
    size_t length = std::min<size_t>(data[0], size - 1);
    request.Clear();
    if (request.ParseFromArray(data + 1, static_cast<int>(length))) tree.Handle(request);
    data += length + 1;
    size -= length + 1;
  }
  return 0;
}
