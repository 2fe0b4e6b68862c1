// The container's terminals that are connected to terminals of the host: init's,
// and those of processes that are started from outside.
#ifndef RUNSC_BOOT_SANDBOX_TERMINALS_H_
#define RUNSC_BOOT_SANDBOX_TERMINALS_H_

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bin/runsc-boot/kernel/kernel.h"
#include "bin/runsc-boot/tty/host_relay.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot {

struct AttachedTerminal {
  // Of the slave end, for descriptors 0, 1 and 2 of the process.
  FileRef file;
  // To become its session's controlling terminal.
  tty::TerminalRef terminal;
  std::shared_ptr<tty::HostRelay> relay;
};

class Terminals {
 public:
  explicit Terminals(Kernel& kernel) : kernel_(kernel) {}

  // A new terminal of the devpts at /dev/pts in `mounts`, which belongs to
  // `owner`, connected to `host` (see host_relay.h). ENODEV: no devpts there.
  Result<AttachedTerminal> Attach(const std::shared_ptr<MountNamespace>& mounts,
                                  const Credentials& owner, FileDescriptor host,
                                  tty::HostRelay::Lifetime lifetime);
  // Makes /dev/console of `mounts` this terminal.
  Status MountConsole(const std::shared_ptr<MountNamespace>& mounts,
                      const AttachedTerminal& attached);

  // Sizes of the host's terminals may have changed.
  void Resized() ABSL_LOCKS_EXCLUDED(mutex_);
  // Until all output has reached the host.
  void Drain(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  std::vector<std::shared_ptr<tty::HostRelay>> relays() ABSL_LOCKS_EXCLUDED(mutex_);

  Kernel& kernel_;
  absl::Mutex mutex_;
  std::vector<std::shared_ptr<tty::HostRelay>> relays_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SANDBOX_TERMINALS_H_
