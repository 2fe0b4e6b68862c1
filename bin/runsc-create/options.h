// The flags that stand in front of the command's name.
#ifndef RUNSC_CREATE_OPTIONS_H_
#define RUNSC_CREATE_OPTIONS_H_

#include <string>

#include "common/log.h"
#include "ipc/boot.pb.h"

namespace runsc::create {

struct GlobalOptions {
  std::string root = "/run/runsc";  // the state directory
  std::string log;                  // a file; empty for standard error
  log::Format log_format = log::Format::kText;
  bool debug = false;
  std::string debug_log;  // a file or, with a slash at the end, a directory
  control::Network network = control::NETWORK_NONE;
  bool overlay = false;
  bool strace = false;
  bool native_calls = true;
  bool systemd_cgroup = false;
  bool ignore_cgroups = false;
  bool host_sockets = false;  // --host-uds
  bool xattrs = true;
  bool device_nodes = true;
  std::string boot;   // path of the binary; empty for the one beside this one
  std::string gofer;  // the same
};

}  // namespace runsc::create

#endif  // RUNSC_CREATE_OPTIONS_H_
