#include "bin/runsc-boot/sandbox/process.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bin/runsc-boot/auth/user_namespace.h"

namespace runsc::boot {
namespace {

// Of signals that may be pending and processes that may exist: Linux allows
// one for so many bytes of memory.
constexpr uint64_t kBytesPerThread = 256 << 10;

constexpr rlimit Both(rlim_t value) { return {value, value}; }

Result<gid_t> GroupOf(const UserNamespace& user_namespace, gid_t gid) {
  const gid_t mapped = user_namespace.ToKernelGid(gid);
  if (mapped == kNoId) {
    return Error(EINVAL, absl::StrCat("config.json: process.user: group ", gid,
                                      " is not in linux.gidMappings"));
  }
  return mapped;
}

}  // namespace

Result<Credentials> CredentialsOf(const oci::Process& process,
                                  const UserNamespaceRef& user_namespace) {
  const oci::User& user = process.user();
  const oci::Capabilities& capabilities = process.capabilities();
  Credentials result;
  result.user_namespace = user_namespace;
  const uid_t uid = user_namespace->ToKernelUid(user.uid());
  if (uid == kNoId) {
    return Error(EINVAL, absl::StrCat("config.json: process.user.uid: ", user.uid(),
                                      " is not in linux.uidMappings"));
  }
  result.ruid = result.euid = result.suid = result.fsuid = uid;
  TRY_ASSIGN(const gid_t gid, GroupOf(*user_namespace, user.gid()));
  result.rgid = result.egid = result.sgid = result.fsgid = gid;
  for (gid_t group : user.additional_gids()) {
    TRY_ASSIGN(const gid_t mapped, GroupOf(*user_namespace, group));
    result.groups.push_back(mapped);
  }
  // Linux keeps and shows them in order; runc leaves out what is there twice.
  std::sort(result.groups.begin(), result.groups.end());
  result.groups.erase(std::unique(result.groups.begin(), result.groups.end()), result.groups.end());
  result.bounding = capabilities.bounding() & kAllCapabilities;
  result.permitted = capabilities.permitted() & kAllCapabilities;
  result.effective = capabilities.effective() & result.permitted;
  result.inheritable = capabilities.inheritable() & kAllCapabilities;
  // Linux keeps ambient capabilities within both.
  result.ambient = capabilities.ambient() & result.permitted & result.inheritable;
  result.no_new_privs = process.no_new_privileges();
  return result;
}

std::array<rlimit, RLIM_NLIMITS> LimitsOf(const oci::Process& process, uint64_t memory_total) {
  std::array<rlimit, RLIM_NLIMITS> limits;
  limits.fill(Both(RLIM_INFINITY));
  const uint64_t threads = memory_total / kBytesPerThread;
  limits[RLIMIT_STACK].rlim_cur = 8 << 20;
  limits[RLIMIT_CORE].rlim_cur = 0;
  limits[RLIMIT_NPROC] = limits[RLIMIT_SIGPENDING] = Both(threads);
  limits[RLIMIT_NOFILE] = {1024, 1 << 20};
  limits[RLIMIT_MEMLOCK] = Both(8 << 20);
  limits[RLIMIT_MSGQUEUE] = Both(819200);
  limits[RLIMIT_NICE] = limits[RLIMIT_RTPRIO] = Both(0);
  for (const oci::Rlimit& limit : process.rlimits()) {
    if (limit.resource() >= limits.size()) continue;
    limits[limit.resource()] = {limit.soft(), limit.hard()};
  }
  return limits;
}

}  // namespace runsc::boot
