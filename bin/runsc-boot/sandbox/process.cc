#include "bin/runsc-boot/sandbox/process.h"

namespace runsc::boot {
namespace {

// Of signals that may be pending and processes that may exist: Linux allows
// one for so many bytes of memory.
constexpr uint64_t kBytesPerThread = 256 << 10;

constexpr rlimit Both(rlim_t value) { return {value, value}; }

}  // namespace

Credentials CredentialsOf(const oci::Process& process) {
  const oci::User& user = process.user();
  const oci::Capabilities& capabilities = process.capabilities();
  Credentials result;
  result.ruid = result.euid = result.suid = result.fsuid = user.uid();
  result.rgid = result.egid = result.sgid = result.fsgid = user.gid();
  result.groups.assign(user.additional_gids().begin(), user.additional_gids().end());
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
