// The data argument of mount(2): options separated by commas.
//
//   TRY(ForEachOption("proc", data, [&](const NamedOption& option) -> Status {
//     if (option.name == "gid") {
//       TRY_ASSIGN(options.gid, option.Number());
//       return Ok();
//     }
//     return Error(EINVAL);
//   }));
#ifndef RUNSC_BOOT_VFS_MOUNT_DATA_H_
#define RUNSC_BOOT_VFS_MOUNT_DATA_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "common/result.h"

namespace runsc::boot {

struct NamedOption {
  std::string_view name;
  std::optional<std::string_view> value;  // what follows '='

  // No value may be given. EINVAL.
  Status Flag() const;
  // A number below 2^31: by default as C writes it, 0x10 and 010 too. EINVAL.
  Result<uint32_t> Number(int base = 0) const;
  // A number of 64 bits with a factor k, m, g, t, p or e. EINVAL.
  Result<uint64_t> Size() const;
};

// Calls `take` for each option; empty ones are skipped. An error of `take`
// gets a message that names the file system and the option.
Status ForEachOption(std::string_view filesystem, std::string_view data,
                     absl::FunctionRef<Status(const NamedOption&)> take);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_VFS_MOUNT_DATA_H_
