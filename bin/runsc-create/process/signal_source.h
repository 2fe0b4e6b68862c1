// Signals that wait to be read instead of ending or disturbing the program.
#ifndef RUNSC_CREATE_PROCESS_SIGNAL_SOURCE_H_
#define RUNSC_CREATE_PROCESS_SIGNAL_SOURCE_H_

#include <signal.h>

#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::create {

// Signals that are for the container, not for us: without those that say
// something about this process, or about the terminal that it runs in.
sigset_t ForwardedSignals();
// All that can be caught, but for SIGCHLD: of a process that only stands for
// one in the container.
sigset_t EverySignal();

class SignalSource {
 public:
  // From here on the signals of `set` wait until Take.
  static Result<SignalSource> Open(const sigset_t& set);
  int fd() const { return fd_.get(); }
  // 0 when none has arrived.
  int Take();

 private:
  FileDescriptor fd_;
};

}  // namespace runsc::create

#endif  // RUNSC_CREATE_PROCESS_SIGNAL_SOURCE_H_
