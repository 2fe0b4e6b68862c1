// Connects a terminal of the container to one of the host: a thread that has the
// master end of the one and the slave end of the other, which is in raw mode, and
// copies bytes between them. What it holds is bounded by a few KiB each way.
//
// The host's size is the terminal's: the thread looks at it whenever it wakes, and
// from time to time, since the host tells only processes whose controlling
// terminal it is.
//
// When the host's other end is closed, the terminal is hung up.
#ifndef RUNSC_BOOT_TTY_HOST_RELAY_H_
#define RUNSC_BOOT_TTY_HOST_RELAY_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bin/runsc-boot/tty/terminal_file.h"
#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::boot::tty {

class HostRelay : public std::enable_shared_from_this<HostRelay> {
 public:
  enum class Lifetime {
    kSandbox,    // the host's end stays open until boot ends
    kOpenSlave,  // it is closed when no file of the slave is open any more
  };
  // `host`: non-blocking, of an open file description that nobody else has.
  static Result<std::shared_ptr<HostRelay>> Start(std::shared_ptr<MasterFile> master,
                                                  FileDescriptor host, Lifetime lifetime);
  HostRelay(std::shared_ptr<MasterFile> master, FileDescriptor host, FileDescriptor wake,
            Lifetime lifetime);

  // Looks at the host's size.
  void Resized() { Wake(); }
  // Waits until all output so far has been given to the host, or `patience` is over.
  void Drain(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mutex_);
  bool finished() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run();
  void Wake();
  // False: the relay is over.
  bool Pass();
  // Each copies a bounded amount, so that neither keeps the other waiting.
  bool CopyOutput();
  bool CopyInput();
  bool Wait();
  int SizeInterval();  // in milliseconds
  void SetBusy(bool busy) ABSL_LOCKS_EXCLUDED(mutex_);

  const FileDescriptor wake_;  // an eventfd
  std::atomic<bool> woken_{false};
  const Lifetime lifetime_;
  const TerminalRef terminal_;

  // The thread's own.
  std::shared_ptr<MasterFile> master_;
  std::shared_ptr<const FileDescriptor> host_;
  std::string shown_;  // not yet taken by the host
  std::string typed_;  // not yet taken by the terminal
  int64_t next_look_ns_ = 0;
  bool size_watched_ = false;  // somebody waits for SIGWINCH

  absl::Mutex mutex_;
  absl::CondVar progress_;
  bool busy_ ABSL_GUARDED_BY(mutex_) = true;  // output may be on its way
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace runsc::boot::tty

#endif  // RUNSC_BOOT_TTY_HOST_RELAY_H_
