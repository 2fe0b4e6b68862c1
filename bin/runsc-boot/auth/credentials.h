// Credentials of a task: ids, groups and capability sets (credentials(7),
// capabilities(7)). Immutable and shared; a change makes a new object.
#ifndef RUNSC_BOOT_AUTH_CREDENTIALS_H_
#define RUNSC_BOOT_AUTH_CREDENTIALS_H_

#include <linux/capability.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace runsc::boot {

// A set of capabilities as a bit mask, bit n for capability n.
using CapabilitySet = uint64_t;
constexpr CapabilitySet CapabilityBit(int capability) { return CapabilitySet{1} << capability; }
constexpr CapabilitySet kAllCapabilities = (CapabilitySet{1} << (CAP_LAST_CAP + 1)) - 1;

class UserNamespace;
using UserNamespaceRef = std::shared_ptr<UserNamespace>;

struct Credentials {
  uid_t ruid = 0, euid = 0, suid = 0, fsuid = 0;
  gid_t rgid = 0, egid = 0, sgid = 0, fsgid = 0;
  std::vector<gid_t> groups;
  CapabilitySet permitted = 0, effective = 0, inheritable = 0, bounding = 0, ambient = 0;
  uint32_t securebits = 0;
  bool no_new_privs = false;
  UserNamespaceRef user_namespace;

  // True when `capability` is in the effective set.
  bool Has(int capability) const { return (effective & CapabilityBit(capability)) != 0; }
  // True for fsgid and the supplementary groups.
  bool InGroup(gid_t gid) const;
};
using CredentialsRef = std::shared_ptr<const Credentials>;

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_AUTH_CREDENTIALS_H_
