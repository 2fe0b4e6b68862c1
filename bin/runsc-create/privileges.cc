#include "bin/runsc-create/privileges.h"

namespace runsc::create {

std::string DescribePrivileges() {
  return "program: runsc-create\n"
         "runs as: the caller\n"
         "capabilities: the caller's\n"
         "namespaces: the host's\n"
         "root directory: the host's\n"
         "seccomp: none\n";
}

}  // namespace runsc::create
