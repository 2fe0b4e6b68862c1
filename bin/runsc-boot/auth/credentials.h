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

// Ids are the kernel's: those of the sandbox's first user namespace.
struct Credentials {
  uid_t ruid = 0, euid = 0, suid = 0, fsuid = 0;
  gid_t rgid = 0, egid = 0, sgid = 0, fsgid = 0;
  std::vector<gid_t> groups;
  CapabilitySet permitted = 0, effective = 0, inheritable = 0, bounding = 0, ambient = 0;
  uint32_t securebits = 0;
  bool no_new_privs = false;
  UserNamespaceRef user_namespace;  // null in set-up code: the first one

  // --- Capabilities. Which of the three is asked depends on who owns the
  // object: the caller's own user namespace, another one, or the whole sandbox.
  bool Has(int capability) const { return (effective & CapabilityBit(capability)) != 0; }
  // capabilities(7) and user_namespaces(7): in an ancestor none count, in a
  // descendant those that one has oneself; and its maker has all of them.
  bool HasIn(const UserNamespace& target, int capability) const;
  // In the first user namespace: for what no namespace confines.
  bool HasInitially(int capability) const;
  // Over an inode: its owners must exist in the caller's user namespace.
  bool HasOver(uid_t uid, gid_t gid, int capability) const {
    return Has(capability) && Maps(uid, gid);
  }

  // --- Ids on their way in (kNoId, which is -1, when not mapped) and out (the
  // overflow id).
  uid_t KernelUid(uid_t uid) const;
  gid_t KernelGid(gid_t gid) const;
  uid_t ShownUid(uid_t uid) const;
  gid_t ShownGid(gid_t gid) const;
  bool Maps(uid_t uid, gid_t gid) const;
  bool MapsUid(uid_t uid) const;
  // In the first user namespace.
  bool MapsEverything() const;
  // The kernel's id of the user namespace's uid 0; kNoId when there is none.
  uid_t RootUid() const;

  // True for fsgid and the supplementary groups.
  bool InGroup(gid_t gid) const;
};
using CredentialsRef = std::shared_ptr<const Credentials>;

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_AUTH_CREDENTIALS_H_
