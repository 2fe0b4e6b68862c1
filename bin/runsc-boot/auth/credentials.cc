#include "bin/runsc-boot/auth/credentials.h"

#include <algorithm>

namespace runsc::boot {

bool Credentials::InGroup(gid_t gid) const {
  return gid == fsgid || std::find(groups.begin(), groups.end(), gid) != groups.end();
}

}  // namespace runsc::boot
