// What the kernel must know of a terminal: whose controlling terminal it is.
#ifndef RUNSC_BOOT_KERNEL_CONTROLLING_TERMINAL_H_
#define RUNSC_BOOT_KERNEL_CONTROLLING_TERMINAL_H_

#include <sys/types.h>

#include <memory>

#include "bin/runsc-boot/kernel/process_group.h"

namespace runsc::boot {

// The base of terminals (tty/). The last reference may be given up with the
// kernel's tree mutex held, so destructors take leaf locks only.
class ControllingTerminal : public std::enable_shared_from_this<ControllingTerminal> {
 public:
  explicit ControllingTerminal(dev_t device) : device_(device) {}
  virtual ~ControllingTerminal() = default;
  ControllingTerminal(const ControllingTerminal&) = delete;
  ControllingTerminal& operator=(const ControllingTerminal&) = delete;

  // vhangup(2): its open files are dead, and it is nobody's terminal any more.
  virtual void HangUp() = 0;
  // As /proc/PID/stat shows it.
  dev_t device() const { return device_; }

 private:
  friend class JobControl;
  const dev_t device_;
  // Both guarded by the kernel's tree mutex, and null together.
  std::shared_ptr<Session> session_;
  ProcessGroupRef foreground_;
};
using ControllingTerminalRef = std::shared_ptr<ControllingTerminal>;

// An open file on a terminal's slave end.
class ControllingTerminalFile {
 public:
  virtual ~ControllingTerminalFile() = default;
  virtual ControllingTerminalRef controlling_terminal() const = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_KERNEL_CONTROLLING_TERMINAL_H_
