#include "bin/runsc-boot/auth/namespace.h"

#include <sched.h>

#include "bin/runsc-boot/auth/user_namespace.h"

namespace runsc::boot {

Namespace::Namespace(NamespaceKind kind, UserNamespaceRef owner)
    : kind_(kind),
      number_(owner == nullptr ? InitialNumberOf(kind) : owner->NewNumber()),
      owner_(std::move(owner)) {}

const char* NameOf(NamespaceKind kind) {
  switch (kind) {
    case NamespaceKind::kCgroup:
      return "cgroup";
    case NamespaceKind::kIpc:
      return "ipc";
    case NamespaceKind::kMount:
      return "mnt";
    case NamespaceKind::kNet:
      return "net";
    case NamespaceKind::kPid:
      return "pid";
    case NamespaceKind::kTime:
      return "time";
    case NamespaceKind::kUser:
      return "user";
    case NamespaceKind::kUts:
      return "uts";
  }
  return "";
}

int CloneFlagOf(NamespaceKind kind) {
  switch (kind) {
    case NamespaceKind::kCgroup:
      return CLONE_NEWCGROUP;
    case NamespaceKind::kIpc:
      return CLONE_NEWIPC;
    case NamespaceKind::kMount:
      return CLONE_NEWNS;
    case NamespaceKind::kNet:
      return CLONE_NEWNET;
    case NamespaceKind::kPid:
      return CLONE_NEWPID;
    case NamespaceKind::kTime:
      return CLONE_NEWTIME;
    case NamespaceKind::kUser:
      return CLONE_NEWUSER;
    case NamespaceKind::kUts:
      return CLONE_NEWUTS;
  }
  return 0;
}

unsigned InitialNumberOf(NamespaceKind kind) {
  switch (kind) {
    case NamespaceKind::kTime:
      return 4026531834;
    case NamespaceKind::kCgroup:
      return 4026531835;
    case NamespaceKind::kPid:
      return 4026531836;
    case NamespaceKind::kUser:
      return 4026531837;
    case NamespaceKind::kUts:
      return 4026531838;
    case NamespaceKind::kIpc:
      return 4026531839;
    case NamespaceKind::kNet:
      return 4026531840;
    case NamespaceKind::kMount:
      return 4026531841;
  }
  return 0;
}

}  // namespace runsc::boot
