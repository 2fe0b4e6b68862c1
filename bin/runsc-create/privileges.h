// What the controller may do, for --print-privileges.
#ifndef RUNSC_CREATE_PRIVILEGES_H_
#define RUNSC_CREATE_PRIVILEGES_H_

#include <string>

namespace runsc::create {

std::string DescribePrivileges();

}  // namespace runsc::create

#endif  // RUNSC_CREATE_PRIVILEGES_H_
