#include "bin/runsc-create/launch/requests.h"

#include <sched.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace runsc::create {
namespace {

// What the sandbox's own /dev provides, and below.
constexpr std::array<absl::string_view, 11> kOwnDevices = {
    "/dev/fd",   "/dev/stdin",  "/dev/stdout",  "/dev/stderr", "/dev/null", "/dev/zero",
    "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm",    "/dev/pts",
};

// Without empty and "." components and with ".." applied, by the text alone.
std::string Normalize(const std::string& path) {
  std::vector<absl::string_view> kept;
  for (absl::string_view component : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (component == ".") continue;
    if (component == "..") {
      if (!kept.empty()) kept.pop_back();
      continue;
    }
    kept.push_back(component);
  }
  std::string text;
  for (absl::string_view component : kept) absl::StrAppend(&text, "/", component);
  return text.empty() ? "/" : text;
}

bool IsOwnDevice(const std::string& destination) {
  std::string path = Normalize(destination);
  if (path == "/dev" || path == "/dev/ptmx" || absl::StartsWith(path, "/dev/ptmx/")) return true;
  return std::any_of(kOwnDevices.begin(), kOwnDevices.end(), [&](absl::string_view device) {
    return path == device || absl::StartsWith(path, absl::StrCat(device, "/"));
  });
}

bool HasOption(const oci::Mount& mount, absl::string_view option) {
  return std::find(mount.options().begin(), mount.options().end(), option) != mount.options().end();
}

// "slave" and "rslave" alike; the default for any other word.
gofer::Propagation PropagationOf(absl::string_view word, bool* recursive) {
  *recursive = absl::ConsumePrefix(&word, "r");
  if (word == "private") return gofer::PROPAGATION_PRIVATE;
  if (word == "slave") return gofer::PROPAGATION_SLAVE;
  if (word == "shared") return gofer::PROPAGATION_SHARED;
  if (word == "unbindable") return gofer::PROPAGATION_UNBINDABLE;
  return gofer::PROPAGATION_DEFAULT;
}

gofer::BindMount MakeBindMount(const oci::Mount& mount) {
  gofer::BindMount bind;
  bind.set_source(mount.source());
  bind.set_destination(mount.destination());
  bind.set_recursive(HasOption(mount, "rbind"));
  bind.set_read_only(HasOption(mount, "ro") && !HasOption(mount, "rw"));
  for (const std::string& option : mount.options()) {
    bool recursive = false;
    gofer::Propagation propagation = PropagationOf(option, &recursive);
    if (propagation == gofer::PROPAGATION_DEFAULT) continue;
    bind.set_propagation(propagation);
    bind.set_recursive_propagation(recursive);
  }
  return bind;
}

// Engines that let containers share /dev/shm bind a tmpfs of the host there
// (podman, containerd's CRI, docker with --ipc shareable). The sandbox's memory
// is its own, so it gets a tmpfs with the size and the flags of that one.
void KeepSharedMemoryInside(oci::Mount& mount) {
  struct statvfs source = {};
  if (statvfs(mount.source().c_str(), &source) == 0 && source.f_blocks > 0) {
    mount.add_options(absl::StrCat("size=", uint64_t{source.f_blocks} * source.f_frsize));
  }
  mount.add_options("mode=1777");
  mount.set_type("tmpfs");
  mount.set_source("shm");
}

uint32_t CpuCount() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return static_cast<uint32_t>(CPU_COUNT(&set));
  return static_cast<uint32_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

uint64_t MemoryTotal(const oci::Resources& resources) {
  struct sysinfo info = {};
  sysinfo(&info);
  uint64_t total = static_cast<uint64_t>(info.totalram) * info.mem_unit;
  if (resources.memory_limit() > 0) {
    total = std::min(total, static_cast<uint64_t>(resources.memory_limit()));
  }
  return total;
}

}  // namespace

std::vector<uint32_t> ServedMounts(const oci::Spec& spec) {
  std::vector<uint32_t> served;
  for (int i = 0; i < spec.mounts_size(); ++i) {
    const oci::Mount& mount = spec.mounts(i);
    if (mount.type() == "bind" && !IsOwnDevice(mount.destination())) {
      served.push_back(static_cast<uint32_t>(i));
    }
  }
  return served;
}

gofer::GoferRequest MakeGoferRequest(const GlobalOptions& options, const oci::Spec& spec) {
  gofer::GoferRequest request;
  request.set_root(spec.root().path());
  request.set_root_read_only(spec.root().readonly() || options.overlay);
  bool recursive = false;
  request.set_root_propagation(PropagationOf(spec.linux().rootfs_propagation(), &recursive));
  for (uint32_t index : ServedMounts(spec)) {
    *request.add_mounts() = MakeBindMount(spec.mounts(static_cast<int>(index)));
  }
  request.set_working_directory(spec.process().cwd());
  request.set_host_sockets(options.host_sockets);
  request.set_xattrs(options.xattrs);
  request.set_device_nodes(options.device_nodes);
  request.set_debug(options.debug);
  request.set_json_log(options.log_format == log::Format::kJson);
  return request;
}

control::BootRequest MakeBootRequest(const GlobalOptions& options, const oci::Spec& spec,
                                     const std::string& id, bool attached) {
  control::BootRequest request;
  request.set_container_id(id);
  *request.mutable_spec() = spec;
  // Boot has no use for programs of the host.
  request.mutable_spec()->clear_hooks();
  for (oci::Mount& mount : *request.mutable_spec()->mutable_mounts()) {
    if (mount.type() == "bind" && Normalize(mount.destination()) == "/dev/shm") {
      KeepSharedMemoryInside(mount);
    }
  }
  control::BootOptions& boot = *request.mutable_options();
  boot.set_network(options.network);
  boot.set_new_network_namespace(ChooseNetworkNamespace(options, spec).kind ==
                                 NetworkNamespace::Kind::kNew);
  boot.set_attached(attached);
  boot.set_overlay(options.overlay);
  boot.set_strace(options.strace);
  boot.set_all_calls_in_kernel(!options.native_calls);
  boot.set_debug(options.debug);
  boot.set_json_log(options.log_format == log::Format::kJson);
  boot.set_cpu_count(CpuCount());
  boot.set_memory_total(MemoryTotal(spec.linux().resources()));
  request.set_owner_uid(geteuid());
  for (uint32_t index : ServedMounts(spec)) request.add_served_mounts(index);
  return request;
}

NetworkNamespace ChooseNetworkNamespace(const GlobalOptions& options, const oci::Spec& spec) {
  using Kind = NetworkNamespace::Kind;
  // Loopback only means: nobody else's loopback either.
  if (options.network == control::NETWORK_NONE) return {Kind::kNew, ""};
  for (const oci::Namespace& entry : spec.linux().namespaces()) {
    if (entry.type() != oci::Namespace::NETWORK) continue;
    if (entry.path().empty()) return {Kind::kNew, ""};
    return {Kind::kJoin, entry.path()};
  }
  return {Kind::kHost, ""};
}

}  // namespace runsc::create
