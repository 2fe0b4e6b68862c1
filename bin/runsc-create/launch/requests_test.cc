#include "bin/runsc-create/launch/requests.h"

#include <gtest/gtest.h>
#include <sys/statvfs.h>

#include <string>

namespace runsc::create {
namespace {

oci::Mount& AddBind(oci::Spec& spec, const std::string& destination,
                    std::initializer_list<const char*> options = {"rbind"}) {
  oci::Mount& mount = *spec.add_mounts();
  mount.set_destination(destination);
  mount.set_type("bind");
  mount.set_source("/source");
  for (const char* option : options) mount.add_options(option);
  return mount;
}

TEST(ServedMounts, LeaveOutWhatTheSandboxsDevProvides) {
  oci::Spec spec;
  AddBind(spec, "/data");
  AddBind(spec, "/dev");
  AddBind(spec, "/dev/shm");
  AddBind(spec, "/dev/../dev//shm/x");
  AddBind(spec, "/dev/pts/");
  AddBind(spec, "/dev/shmem");
  AddBind(spec, "/dev/kvm");
  spec.add_mounts()->set_type("proc");
  EXPECT_EQ(ServedMounts(spec), (std::vector<uint32_t>{0, 5, 6}));
}

TEST(GoferRequest, CarriesTheMountOptions) {
  oci::Spec spec;
  spec.mutable_root()->set_path("/root");
  spec.mutable_linux()->set_rootfs_propagation("rshared");
  AddBind(spec, "/a", {"rbind", "ro", "rslave"});
  AddBind(spec, "/b", {"bind", "rw", "private"});
  gofer::GoferRequest request = MakeGoferRequest({}, spec);
  EXPECT_EQ(request.root_propagation(), gofer::PROPAGATION_SHARED);
  EXPECT_FALSE(request.root_read_only());
  EXPECT_TRUE(request.mounts(0).recursive());
  EXPECT_TRUE(request.mounts(0).read_only());
  EXPECT_EQ(request.mounts(0).propagation(), gofer::PROPAGATION_SLAVE);
  EXPECT_TRUE(request.mounts(0).recursive_propagation());
  EXPECT_FALSE(request.mounts(1).recursive());
  EXPECT_FALSE(request.mounts(1).read_only());
  EXPECT_EQ(request.mounts(1).propagation(), gofer::PROPAGATION_PRIVATE);
  EXPECT_FALSE(request.mounts(1).recursive_propagation());
}

TEST(GoferRequest, OverlayLeavesTheRootUnwritten) {
  GlobalOptions options;
  options.overlay = true;
  EXPECT_TRUE(MakeGoferRequest(options, {}).root_read_only());
}

TEST(BootRequest, DoesNotCarryHooks) {
  oci::Spec spec;
  spec.mutable_hooks()->add_prestart()->set_path("/bin/true");
  EXPECT_FALSE(MakeBootRequest({}, spec, "id", false).spec().has_hooks());
}

TEST(BootRequest, SharedMemoryOfTheHostBecomesATmpfs) {
  oci::Spec spec;
  AddBind(spec, "/dev/shm/", {"bind", "nosuid"}).set_source("/proc/self/no-such-directory");
  AddBind(spec, "/dev/shmem");
  control::BootRequest request = MakeBootRequest({}, spec, "id", false);
  const oci::Mount& shm = request.spec().mounts(0);
  EXPECT_EQ(shm.type(), "tmpfs");
  EXPECT_EQ(shm.source(), "shm");
  EXPECT_EQ(std::vector<std::string>(shm.options().begin(), shm.options().end()),
            (std::vector<std::string>{"bind", "nosuid", "mode=1777"}));
  EXPECT_EQ(request.spec().mounts(1).type(), "bind");
}

TEST(BootRequest, SharedMemoryHasTheSizeOfTheHosts) {
  oci::Spec spec;
  AddBind(spec, "/dev/shm").set_source("/dev/shm");
  struct statvfs host = {};
  ASSERT_EQ(statvfs("/dev/shm", &host), 0);
  control::BootRequest request = MakeBootRequest({}, spec, "id", false);
  EXPECT_EQ(request.spec().mounts(0).options(1),
            "size=" + std::to_string(host.f_blocks * host.f_frsize));
}

TEST(BootRequest, MemoryIsBoundedByTheLimit) {
  oci::Spec spec;
  spec.mutable_linux()->mutable_resources()->set_memory_limit(4096);
  EXPECT_EQ(MakeBootRequest({}, spec, "id", false).options().memory_total(), 4096u);
  spec.mutable_linux()->mutable_resources()->set_memory_limit(-1);
  EXPECT_GT(MakeBootRequest({}, spec, "id", false).options().memory_total(), 1u << 20);
}

TEST(NetworkNamespace, FollowsTheSpecificationUnlessThereIsNoNetwork) {
  using Kind = NetworkNamespace::Kind;
  oci::Spec spec;
  GlobalOptions none, host;
  host.network = control::NETWORK_HOST;
  EXPECT_EQ(ChooseNetworkNamespace(host, spec).kind, Kind::kHost);
  EXPECT_EQ(ChooseNetworkNamespace(none, spec).kind, Kind::kNew);
  oci::Namespace& entry = *spec.mutable_linux()->add_namespaces();
  entry.set_type(oci::Namespace::NETWORK);
  EXPECT_EQ(ChooseNetworkNamespace(host, spec).kind, Kind::kNew);
  entry.set_path("/var/run/netns/x");
  EXPECT_EQ(ChooseNetworkNamespace(host, spec).kind, Kind::kJoin);
  EXPECT_EQ(ChooseNetworkNamespace(host, spec).path, "/var/run/netns/x");
  EXPECT_EQ(ChooseNetworkNamespace(none, spec).kind, Kind::kNew);
}

}  // namespace
}  // namespace runsc::create
