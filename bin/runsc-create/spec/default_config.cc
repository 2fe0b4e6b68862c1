#include "bin/runsc-create/json/writer.h"
#include "bin/runsc-create/spec/parse.h"

namespace runsc::spec {
namespace {

using json::Writer;

void WriteStrings(Writer& out, std::string_view name,
                  std::initializer_list<std::string_view> values) {
  out.Name(name).BeginArray();
  for (std::string_view value : values) out.String(value);
  out.EndArray();
}

void WriteProcess(Writer& out) {
  out.Name("process").BeginObject();
  out.Name("terminal").Bool(false);
  out.Name("user").BeginObject();
  out.Name("uid").Number(0);
  out.Name("gid").Number(0);
  out.EndObject();
  WriteStrings(out, "args", {"sh"});
  WriteStrings(out, "env",
               {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"});
  out.Name("cwd").String("/");
  out.Name("capabilities").BeginObject();
  for (std::string_view set : {"bounding", "effective", "permitted"}) {
    WriteStrings(out, set, {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"});
  }
  out.EndObject();
  out.Name("rlimits").BeginArray();
  out.BeginObject();
  out.Name("type").String("RLIMIT_NOFILE");
  out.Name("hard").Number(1024);
  out.Name("soft").Number(1024);
  out.EndObject();
  out.EndArray();
  out.EndObject();
}

void WriteMount(Writer& out, std::string_view destination, std::string_view type,
                std::initializer_list<std::string_view> options) {
  out.BeginObject();
  out.Name("destination").String(destination);
  out.Name("type").String(type);
  out.Name("source").String(type);
  WriteStrings(out, "options", options);
  out.EndObject();
}

}  // namespace

std::string DefaultConfig() {
  Writer out;
  out.BeginObject();
  out.Name("ociVersion").String("1.0.2");
  WriteProcess(out);
  out.Name("root").BeginObject();
  out.Name("path").String("rootfs");
  out.Name("readonly").Bool(true);
  out.EndObject();
  out.Name("hostname").String("runsc");
  out.Name("mounts").BeginArray();
  WriteMount(out, "/proc", "proc", {});
  WriteMount(out, "/dev", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"});
  WriteMount(out, "/sys", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
  out.EndArray();
  out.Name("linux").BeginObject();
  out.Name("namespaces").BeginArray();
  for (std::string_view type : {"pid", "network", "ipc", "uts", "mount"}) {
    out.BeginObject();
    out.Name("type").String(type);
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  out.EndObject();
  return out.text() + "\n";
}

}  // namespace runsc::spec
