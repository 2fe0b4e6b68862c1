#include "bin/runsc-create/spec/parse.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace runsc::spec {
namespace {

// A valid config.json in which `from` is replaced by `to`.
std::string Config(std::string_view from = "", std::string_view to = "") {
  std::string text = R"({
    "ociVersion": "1.0.2",
    "process": {
      "user": {"uid": 1, "gid": 2, "umask": 18, "additionalGids": [3]},
      "args": ["sh", "-c", "true"],
      "env": ["PATH=/bin"],
      "cwd": "/work",
      "capabilities": {"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"], "effective": []},
      "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 20}]
    },
    "root": {"path": "rootfs", "readonly": true},
    "hostname": "host",
    "mounts": [
      {"destination": "/proc", "type": "proc", "source": "proc"},
      {"destination": "/data", "type": "none", "source": "data", "options": ["rbind", "ro"]}
    ],
    "hooks": {"prestart": [{"path": "/bin/true", "args": ["true"], "timeout": 5}]},
    "annotations": {"a": "b"},
    "linux": {
      "namespaces": [{"type": "pid"}, {"type": "network", "path": "/proc/1/ns/net"}],
      "cgroupsPath": "/a/b",
      "resources": {"memory": {"limit": 1}, "devices": [{"allow": false, "access": "rwm"}]},
      "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW",
          "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]},
      "devices": [{"type": "c", "path": "/dev/x", "major": 1, "minor": 2}],
      "maskedPaths": ["/proc/kcore"]
    }
  })";
  if (from.empty()) return text;
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string ErrorOf(const std::string& text) {
  auto spec = ParseSpec(text, "/bundle");
  return spec.ok() ? "(valid)" : spec.error().message();
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ParseSpec, KeepsEveryField) {
  auto spec = ParseSpec(Config(), "/bundle");
  ASSERT_TRUE(spec.ok()) << spec.error().ToString();
  EXPECT_EQ(spec->process().user().uid(), 1u);
  EXPECT_EQ(spec->process().user().gid(), 2u);
  EXPECT_EQ(spec->process().user().umask(), 022u);
  EXPECT_EQ(spec->process().user().additional_gids(0), 3u);
  EXPECT_EQ(spec->process().args_size(), 3);
  EXPECT_EQ(spec->process().env(0), "PATH=/bin");
  EXPECT_EQ(spec->process().cwd(), "/work");
  EXPECT_EQ(spec->process().capabilities().bounding(), uint64_t{1} << CAP_KILL);
  EXPECT_EQ(spec->process().capabilities().effective(), 0u);
  EXPECT_EQ(spec->process().rlimits(0).resource(), uint32_t{RLIMIT_NOFILE});
  EXPECT_EQ(spec->process().rlimits(0).hard(), 20u);
  EXPECT_EQ(spec->hostname(), "host");
  EXPECT_TRUE(spec->root().readonly());
  EXPECT_EQ(spec->mounts_size(), 2);
  EXPECT_EQ(spec->hooks().prestart(0).timeout_seconds(), 5u);
  EXPECT_FALSE(spec->hooks().prestart(0).has_env());
  EXPECT_EQ(spec->annotations().at("a"), "b");
  EXPECT_EQ(spec->linux().namespaces(1).type(), oci::Namespace::NETWORK);
  EXPECT_EQ(spec->linux().namespaces(1).path(), "/proc/1/ns/net");
  EXPECT_EQ(spec->linux().cgroups_path(), "/a/b");
  EXPECT_EQ(spec->linux().resources().memory_limit(), 1);
  EXPECT_EQ(spec->linux().seccomp().rules(0).args(0).value(), 1u);
  EXPECT_EQ(spec->linux().devices(0).minor(), 2);
  EXPECT_EQ(spec->linux().masked_paths(0), "/proc/kcore");
}

TEST(ParseSpec, TakesAFileModeWithItsType) {
  auto spec =
      ParseSpec(Config(R"("path": "/dev/x")", R"("path": "/dev/x", "fileMode": 8624)"), "/b");
  ASSERT_TRUE(spec.ok()) << spec.error().ToString();
  EXPECT_EQ(spec->linux().devices(0).file_mode(), 0660u);
}

TEST(ParseSpec, TakesMappingsOfAUserNamespace) {
  auto spec = ParseSpec(
      Config(R"({"type": "pid"}, )", R"({"type": "pid"}, {"type": "user"}, )")
          .replace(Config().find(R"("linux": {)"), 10,
                   R"("linux": {"uidMappings": [{"containerID": 0, "hostID": 5, "size": 9}],
                      "gidMappings": [{"containerID": 1, "hostID": 6, "size": 8}], )"),
      "/b");
  ASSERT_TRUE(spec.ok()) << spec.error().ToString();
  EXPECT_EQ(spec->linux().uid_mappings(0).host_id(), 5u);
  EXPECT_EQ(spec->linux().gid_mappings(0).size(), 8u);
}

// A configuration with a time namespace of these offsets.
std::string WithTimeOffsets(const std::string& offsets) {
  return Config(R"({"type": "pid"}, )", R"({"type": "pid"}, {"type": "time"}, )")
      .replace(Config().find(R"("linux": {)"), 10, R"("linux": {"timeOffsets": )" + offsets + ", ");
}

TEST(ParseSpec, TakesOffsetsOfATimeNamespace) {
  auto spec = ParseSpec(WithTimeOffsets(R"({"monotonic": {"secs": -5, "nanosecs": 7},
                                            "boottime": {"secs": 86400}})"),
                        "/b");
  ASSERT_TRUE(spec.ok()) << spec.error().ToString();
  ASSERT_EQ(spec->linux().time_offsets_size(), 2);
  for (const oci::TimeOffset& offset : spec->linux().time_offsets()) {
    const bool monotonic = offset.clock() == oci::TimeOffset::MONOTONIC;
    EXPECT_EQ(offset.seconds(), monotonic ? -5 : 86400);
    EXPECT_EQ(offset.nanoseconds(), monotonic ? 7u : 0u);
  }
  ASSERT_TRUE(ParseSpec(WithTimeOffsets("{}"), "/b").ok());
}

TEST(ParseSpec, NamesTheWrongOffset) {
  EXPECT_EQ(ErrorOf(WithTimeOffsets(R"({"realtime": {"secs": 1}})")),
            "config.json: linux.timeOffsets.\"realtime\": unknown clock, must be \"monotonic\" or "
            "\"boottime\"");
  EXPECT_EQ(ErrorOf(WithTimeOffsets(R"({"monotonic": 5})")),
            "config.json: linux.timeOffsets.\"monotonic\": must be an object, not an integer");
  EXPECT_EQ(ErrorOf(WithTimeOffsets(R"({"monotonic": {"secs": "5"}})")),
            "config.json: linux.timeOffsets.\"monotonic\".secs: must be an integer, not a string");
  EXPECT_EQ(ErrorOf(WithTimeOffsets(R"({"boottime": {"nanosecs": 1000000000}})")),
            "config.json: linux.timeOffsets.\"boottime\".nanosecs: must be below 1000000000");
}

TEST(ParseSpec, RelativePathsAreBelowTheBundle) {
  auto spec = ParseSpec(Config(), "/bundle");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->root().path(), "/bundle/rootfs");
  EXPECT_EQ(spec->mounts(1).source(), "/bundle/data");
  EXPECT_EQ(spec->mounts(0).source(), "proc");
}

TEST(ParseSpec, BindOptionMakesABindMountWhateverTheType) {
  auto spec = ParseSpec(Config(), "/bundle");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->mounts(1).type(), "bind");
}

TEST(ParseSpec, NullCountsAsAbsent) {
  EXPECT_EQ(ErrorOf(Config(R"(["PATH=/bin"])", "null")), "(valid)");
  EXPECT_EQ(ErrorOf(Config(R"(["sh", "-c", "true"])", "null")),
            "config.json: process.args: must not be empty");
}

TEST(ParseSpec, UnknownFieldsAreIgnored) {
  EXPECT_EQ(ErrorOf(Config(R"("hostname": "host")", R"("future": {"x": [1]})")), "(valid)");
}

TEST(ParseSpec, EveryCapabilityOfLinuxIsKnown) {
  std::string names;
  for (const char* name : {"CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
                           "CAP_CHECKPOINT_RESTORE"}) {
    names += (names.empty() ? "\"" : ",\"") + std::string(name) + "\"";
  }
  EXPECT_EQ(ErrorOf(Config(R"(["CAP_KILL"])", "[" + names + "]")), "(valid)");
}

TEST(ParseSpec, AppArmorIsIgnored) {
  EXPECT_EQ(ErrorOf(Config(R"("cwd")", R"("apparmorProfile": "docker-default", "cwd")")),
            "(valid)");
}

TEST(ParseSpec, CriAnnotations) {
  auto with = [](std::string annotations) { return Config(R"("a": "b")", annotations); };
  auto spec = ParseSpec(with(R"("io.kubernetes.cri.container-type": "sandbox")"), "/");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->container_type(), oci::TYPE_SANDBOX);
  spec = ParseSpec(with(R"("io.kubernetes.cri.container-type": "container",
                           "io.kubernetes.cri.sandbox-id": "s")"),
                   "/");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->container_type(), oci::TYPE_CONTAINER);
  EXPECT_EQ(spec->sandbox_id(), "s");
  EXPECT_EQ(ErrorOf(with(R"("io.kubernetes.cri.container-type": "container")")),
            "config.json: annotations.\"io.kubernetes.cri.sandbox-id\": missing");
  EXPECT_EQ(ErrorOf(with(R"("io.kubernetes.cri.container-type": "pod")")),
            "config.json: annotations.\"io.kubernetes.cri.container-type\": unknown type \"pod\"");
}

TEST(ParseSpec, AcceptsWhatDockerAndPodmanWrite) {
  for (const char* name : {"docker", "podman"}) {
    std::string text = ReadFile(std::string("bin/runsc-create/spec/testdata/") + name + ".json");
    ASSERT_FALSE(text.empty());
    EXPECT_EQ(ErrorOf(text), "(valid)") << name;
  }
}

TEST(ParseSpec, AcceptsItsOwnDefault) { EXPECT_EQ(ErrorOf(DefaultConfig()), "(valid)"); }

struct Wrong {
  std::string_view from, to, error;
};

class WrongField : public testing::TestWithParam<Wrong> {};

TEST_P(WrongField, IsNamedInTheError) {
  EXPECT_EQ(ErrorOf(Config(GetParam().from, GetParam().to)),
            "config.json: " + std::string(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    TopLevel, WrongField,
    testing::Values(
        Wrong{R"("ociVersion": "1.0.2",)", "", "ociVersion: missing"},
        Wrong{"1.0.2", "2.0.0", "ociVersion: version 2.0.0 is not supported, only 1.x"},
        Wrong{"1.0.2", "new", "ociVersion: must have the form 1.0.2"},
        Wrong{R"("1.0.2")", "1", "ociVersion: must be a string, not an integer"},
        Wrong{R"("process")", R"("procces")", "process: missing"},
        Wrong{R"("root")", R"("boot")", "root: missing"},
        Wrong{R"({"path": "rootfs", "readonly": true})", R"("rootfs")",
              "root: must be an object, not a string"},
        Wrong{R"("path": "rootfs", )", "", "root.path: missing"},
        Wrong{R"("rootfs")", R"("")", "root.path: must not be empty"},
        Wrong{R"("rootfs")", R"("a\u0000b")", "root.path: must not contain a zero byte"},
        Wrong{R"("readonly": true)", R"("readonly": 1)",
              "root.readonly: must be a boolean, not an integer"},
        Wrong{R"("host",)", R"(["host"],)", "hostname: must be a string, not an array"},
        Wrong{R"("hostname": "host")", R"("windows": {})", "windows: not supported"},
        Wrong{R"("hostname": "host")", R"("solaris": {})", "solaris: not supported"},
        Wrong{R"("a": "b")", R"("a": 1)", "annotations.\"a\": must be a string, not an integer"}));

INSTANTIATE_TEST_SUITE_P(
    Process, WrongField,
    testing::Values(
        Wrong{R"(["sh", "-c", "true"])", "[]", "process.args: must not be empty"},
        Wrong{R"(["sh", "-c", "true"])", R"([""])", "process.args[0]: must not be empty"},
        Wrong{R"(["sh", "-c", "true"])", R"(["sh", 1])",
              "process.args[1]: must be a string, not an integer"},
        Wrong{R"(["sh", "-c", "true"])", R"("sh")", "process.args: must be an array, not a string"},
        Wrong{R"("PATH=/bin")", R"("PATH")", "process.env[0]: must have the form NAME=value"},
        Wrong{R"("/work")", R"("work")", "process.cwd: must be an absolute path"},
        Wrong{R"("cwd": "/work",)", "", "process.cwd: missing"},
        Wrong{R"("uid": 1)", R"("uid": -1)", "process.user.uid: must not be negative"},
        Wrong{R"("uid": 1)", R"("uid": 4294967296)",
              "process.user.uid: must be at most 4294967295"},
        Wrong{R"("uid": 1)", R"("uid": 4294967295)", "process.user.uid: out of range"},
        Wrong{R"("uid": 1)", R"("uid": 1.5)",
              "process.user.uid: must be an integer, not a fraction"},
        Wrong{R"("umask": 18)", R"("umask": 512)", "process.user.umask: must be at most 511"},
        Wrong{R"([3])", R"(["wheel"])",
              "process.user.additionalGids[0]: must be an integer, not a string"},
        Wrong{R"(["CAP_KILL"])", R"(["CAP_MAGIC"])",
              "process.capabilities.bounding[0]: unknown capability \"CAP_MAGIC\""},
        Wrong{R"("effective": [])", R"("effective": ["CAP_CHOWN"])",
              "process.capabilities.effective: must be a subset of permitted"},
        Wrong{R"(RLIMIT_NOFILE)", R"(RLIMIT_FOO)",
              "process.rlimits[0].type: unknown limit \"RLIMIT_FOO\""},
        Wrong{R"("soft": 10)", R"("soft": 30)",
              "process.rlimits[0].soft: must not be above the hard limit"},
        Wrong{R"(, "hard": 20)", "", "process.rlimits[0].hard: missing"},
        Wrong{R"("hard": 20})", R"("hard": 20}, {"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1})",
              "process.rlimits[1].type: RLIMIT_NOFILE is there twice"},
        Wrong{R"("cwd")", R"("oomScoreAdj": 2000, "cwd")",
              "process.oomScoreAdj: must be between -1000 and 1000"},
        Wrong{R"("cwd")", R"("selinuxLabel": "a:b", "cwd")",
              "process.selinuxLabel: SELinux is not supported"}));

INSTANTIATE_TEST_SUITE_P(
    MountsAndHooks, WrongField,
    testing::Values(
        Wrong{R"("/data")", R"("data")", "mounts[1].destination: must be an absolute path"},
        Wrong{R"("destination": "/data", )", "", "mounts[1].destination: missing"},
        Wrong{R"("/data")", R"("/./..")", "mounts[1].destination: \"/./..\" is the root itself"},
        Wrong{R"("type": "proc", )", "", "mounts[0].type: missing"},
        Wrong{R"("type": "proc")", R"("type": "ext4")",
              "mounts[0].type: unsupported file system \"ext4\""},
        Wrong{R"("source": "data", )", "", "mounts[1].source: missing"},
        Wrong{R"(["rbind", "ro"])", R"(["rbind", ""])", "mounts[1].options[1]: must not be empty"},
        Wrong{R"(["rbind", "ro"])", R"({"rbind": 1})",
              "mounts[1].options: must be an array, not an object"},
        Wrong{R"("/bin/true")", R"("true")", "hooks.prestart[0].path: must be an absolute path"},
        Wrong{R"("path": "/bin/true", )", "", "hooks.prestart[0].path: missing"},
        Wrong{R"("timeout": 5)", R"("timeout": 0)",
              "hooks.prestart[0].timeout: must be at least 1"}));

INSTANTIATE_TEST_SUITE_P(
    Linux, WrongField,
    testing::Values(
        Wrong{R"({"type": "pid"})", R"({"type": "disk"})",
              "linux.namespaces[0].type: unknown namespace \"disk\""},
        Wrong{R"({"type": "pid"})", R"({"type": "network"})",
              "linux.namespaces[1].type: \"network\" is there twice"},
        Wrong{R"("/proc/1/ns/net")", R"("ns")",
              "linux.namespaces[1].path: must be an absolute path"},
        Wrong{R"({"type": "pid"})", R"({"type": "user"})",
              "linux.uidMappings: missing, and linux.namespaces wants a user namespace"},
        Wrong{R"("maskedPaths")", R"("uidMappings": [{"size": 1}], "maskedPaths")",
              "linux.uidMappings: linux.namespaces has no entry of type \"user\""},
        Wrong{R"("maskedPaths")", R"("uidMappings": [{"size": 0}], "maskedPaths")",
              "linux.uidMappings[0].size: must not be 0"},
        Wrong{R"("maskedPaths")", R"("timeOffsets": {"boottime": {"secs": 1}}, "maskedPaths")",
              "linux.timeOffsets: linux.namespaces has no entry of type \"time\""},
        Wrong{R"({"type": "pid"})", R"({"type": "time", "path": "/proc/1/ns/time"})",
              "linux.namespaces[0].path: a time namespace cannot be joined, only made with "
              "linux.timeOffsets"},
        Wrong{R"("maskedPaths")", R"("personality": {"domain": "BSD"}, "maskedPaths")",
              "linux.personality.domain: must be \"LINUX\" or \"LINUX32\""},
        Wrong{R"("maskedPaths")",
              R"("personality": {"domain": "LINUX", "flags": ["X"]}, "maskedPaths")",
              "linux.personality.flags: no flag is known"},
        Wrong{R"("/a/b")", R"("/a/../../b")", "linux.cgroupsPath: must not contain \"..\""},
        Wrong{R"("limit": 1)", R"("limit": "1G")",
              "linux.resources.memory.limit: must be an integer, not a string"},
        Wrong{R"("access": "rwm")", R"("access": "x")",
              "linux.resources.devices[0].access: must consist of \"r\", \"w\" and \"m\""},
        Wrong{R"("SCMP_ACT_ERRNO")", R"("ERRNO")",
              "linux.seccomp.defaultAction: unknown action \"ERRNO\""},
        Wrong{R"("names": ["read"], )", "", "linux.seccomp.syscalls[0].names: must not be empty"},
        Wrong{R"("index": 0)", R"("index": 6)",
              "linux.seccomp.syscalls[0].args[0].index: must be at most 5"},
        Wrong{R"("SCMP_CMP_EQ")", R"("==")",
              "linux.seccomp.syscalls[0].args[0].op: unknown operator \"==\""},
        Wrong{R"("SCMP_ARCH_X86_64")", R"("x86")",
              "linux.seccomp.architectures: unknown architecture \"x86\""},
        Wrong{R"("type": "c")", R"("type": "x")",
              "linux.devices[0].type: must be \"c\", \"b\", \"u\" or \"p\""},
        Wrong{R"("major": 1, )", "", "linux.devices[0].major: missing"},
        Wrong{R"(["/proc/kcore"])", R"(["kcore"])",
              "linux.maskedPaths[0]: must be an absolute path"},
        Wrong{R"("maskedPaths")", R"("rootfsPropagation": "both", "maskedPaths")",
              "linux.rootfsPropagation: unknown propagation \"both\""},
        Wrong{R"("maskedPaths")", R"("mountLabel": "x", "maskedPaths")",
              "linux.mountLabel: SELinux is not supported"}));

class LoadSpecTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/bundleXXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    bundle_ = pattern;
  }
  void Write(const std::string& text) { std::ofstream(bundle_ + "/config.json") << text; }
  std::string LoadError() {
    auto spec = LoadSpec(bundle_);
    return spec.ok() ? "(valid)" : spec.error().message();
  }
  std::string bundle_;
};

TEST_F(LoadSpecTest, NamesWhatIsMissingOnDisk) {
  EXPECT_EQ(LoadError(), "open " + bundle_ + "/config.json: No such file or directory");
  Write("{");
  EXPECT_NE(LoadError().find("config.json: parse error at line 1"), std::string::npos);
  Write(Config("/proc/1/ns/net", "/proc/self/ns/net"));
  EXPECT_EQ(LoadError(),
            "config.json: root.path: stat " + bundle_ + "/rootfs: No such file or directory");
  ASSERT_EQ(mkdir((bundle_ + "/rootfs").c_str(), 0755), 0);
  EXPECT_EQ(LoadError(),
            "config.json: mounts[1].source: stat " + bundle_ + "/data: No such file or directory");
  ASSERT_EQ(mkdir((bundle_ + "/data").c_str(), 0755), 0);
  EXPECT_EQ(LoadError(), "(valid)");
}

TEST_F(LoadSpecTest, RootMustBeADirectory) {
  Write(Config());
  std::ofstream(bundle_ + "/rootfs") << "x";
  EXPECT_EQ(LoadError(), "config.json: root.path: " + bundle_ + "/rootfs: Not a directory");
}

TEST_F(LoadSpecTest, RefusesAConfigThatIsNoFileOrTooLong) {
  ASSERT_EQ(mkfifo((bundle_ + "/config.json").c_str(), 0600), 0);
  EXPECT_EQ(LoadError(), bundle_ + "/config.json: not a regular file");
  unlink((bundle_ + "/config.json").c_str());
  Write(std::string((1 << 20) + 1, ' '));
  EXPECT_EQ(LoadError(), bundle_ + "/config.json: longer than 1048576 bytes");
}

}  // namespace
}  // namespace runsc::spec
