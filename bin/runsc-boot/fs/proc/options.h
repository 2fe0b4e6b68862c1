// The options of a procfs mount (proc(5)).
#ifndef RUNSC_BOOT_FS_PROC_OPTIONS_H_
#define RUNSC_BOOT_FS_PROC_OPTIONS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bin/runsc-boot/auth/credentials.h"
#include "common/result.h"

namespace runsc::boot::proc {

// hidepid=: what is kept from those who may not trace a process.
enum class HidePid : uint8_t {
  kOff,
  kNoAccess,    // what is in its directory
  kInvisible,   // the directory
  kPtraceable,  // the same, without the exception for a group
};

struct Options {
  HidePid hide = HidePid::kOff;
  std::optional<gid_t> gid;  // who is in it sees everything; as given
  gid_t kernel_gid = 0;      // the same in the first user namespace
  bool only_pids = false;    // subset=pid: nothing but processes

  // As /proc/mounts shows them.
  std::string ToString() const;
};

// The data of mount(2): hidepid=, by number or word, gid= and subset=pid. Ids
// are those of the mounter's user namespace (null: the first one's). What it
// does not say stays as in `options`. EINVAL.
Result<Options> ParseOptions(std::string_view text, const Credentials* mounter,
                             Options options = {});

}  // namespace runsc::boot::proc

#endif  // RUNSC_BOOT_FS_PROC_OPTIONS_H_
