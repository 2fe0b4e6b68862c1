// What all namespaces have in common (namespaces(7)): a kind, a number that
// never comes again while the sandbox lives, and the user namespace that owns
// them. Immutable.
#ifndef RUNSC_BOOT_AUTH_NAMESPACE_H_
#define RUNSC_BOOT_AUTH_NAMESPACE_H_

#include <memory>
#include <utility>

namespace runsc::boot {

class UserNamespace;
using UserNamespaceRef = std::shared_ptr<UserNamespace>;

enum class NamespaceKind { kCgroup, kIpc, kMount, kNet, kPid, kTime, kUser, kUts };

// The name in /proc/PID/ns and the CLONE_NEW* flag of a kind.
const char* NameOf(NamespaceKind kind);
int CloneFlagOf(NamespaceKind kind);
// The inode number of the first namespace of a kind, which Linux fixes.
unsigned InitialNumberOf(NamespaceKind kind);

class Namespace {
 public:
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;
  virtual ~Namespace() = default;

  NamespaceKind kind() const { return kind_; }
  unsigned number() const { return number_; }
  // For a user namespace: its parent, null for the first one.
  const UserNamespaceRef& owner() const { return owner_; }
  // For the first namespaces, while the sandbox starts.
  void SetFirstOwner(UserNamespaceRef owner) { owner_ = std::move(owner); }

 protected:
  // With a number of its own.
  Namespace(NamespaceKind kind, UserNamespaceRef owner);
  // The first of its kind.
  explicit Namespace(NamespaceKind kind) : kind_(kind), number_(InitialNumberOf(kind)) {}

 private:
  const NamespaceKind kind_;
  const unsigned number_;
  UserNamespaceRef owner_;
};
using NamespaceRef = std::shared_ptr<Namespace>;

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_AUTH_NAMESPACE_H_
