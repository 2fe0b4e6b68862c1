// How execve(2) changes credentials: set-id bits, capabilities of root and of
// files, the ambient set (capabilities(7), "Transformation of capabilities").
#ifndef RUNSC_BOOT_AUTH_EXEC_CREDENTIALS_H_
#define RUNSC_BOOT_AUTH_EXEC_CREDENTIALS_H_

#include <sys/types.h>

#include <optional>
#include <string_view>

#include "bin/runsc-boot/auth/credentials.h"
#include "common/result.h"

namespace runsc::boot {

// The attribute security.capability of an executable.
struct FileCapabilities {
  CapabilitySet permitted = 0, inheritable = 0;
  bool effective = false;
  uid_t root_uid = 0;  // version 3: of the user namespace that they are for
};
// Versions 2 and 3; nullopt for anything else.
std::optional<FileCapabilities> ParseFileCapabilities(std::string_view attribute);

// What of the executable counts.
struct ExecutableFacts {
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  // The mount's flag, or a file system of another user namespace: set-id bits
  // and capabilities are void.
  bool nosuid = false;
  std::optional<FileCapabilities> capabilities;
};

struct ExecCredentials {
  Credentials credentials;
  bool secure = false;      // AT_SECURE
  bool privileged = false;  // ids or capabilities come with it: not dumpable
};
// EPERM: the file's capabilities are effective, and the bounding set lacks some.
Result<ExecCredentials> CredentialsAfterExec(const Credentials& old, const ExecutableFacts& file);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_AUTH_EXEC_CREDENTIALS_H_
