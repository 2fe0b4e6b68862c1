// Connects the master end of a container's terminal to the caller's standard
// input and output, while the caller waits in the foreground:
//
//   TRY_ASSIGN(ConsoleRelay relay, ConsoleRelay::Start(console.TakeMaster()));
//   while (...) {
//     auto entries = relay.Entries();     // for poll(2), beside others
//     poll(...);
//     relay.Handle(entries);
//     if (SIGWINCH has come) relay.Resize();
//   }
//   relay.Finish();
//
// A terminal on standard input is in raw mode from Start to Finish (or the
// object's end): what is typed is the container's line discipline's business.
#ifndef RUNSC_CREATE_LAUNCH_CONSOLE_RELAY_H_
#define RUNSC_CREATE_LAUNCH_CONSOLE_RELAY_H_

#include <poll.h>
#include <termios.h>

#include <array>
#include <memory>
#include <string>

#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::create {

class ConsoleRelay {
 public:
  // With the caller's window size, where it has one. SIGWINCH should be blocked
  // or handled already.
  static Result<ConsoleRelay> Start(FileDescriptor master);
  ConsoleRelay(ConsoleRelay&&) = default;
  ConsoleRelay& operator=(ConsoleRelay&&) = delete;
  ~ConsoleRelay();

  using PollEntries = std::array<pollfd, 2>;
  PollEntries Entries() const;
  void Handle(const PollEntries& entries);
  // Gives the container's terminal the caller's window size.
  void Resize();
  // The process has ended and all its output is in the terminal: shows the rest
  // of it and restores the caller's terminal.
  void Finish();

 private:
  explicit ConsoleRelay(FileDescriptor master) : master_(std::move(master)) {}
  bool CopyOutput();  // false: there is none at the moment, or never again
  void CopyInput();
  void SendInput();
  void Restore();

  FileDescriptor master_;  // O_NONBLOCK
  // Set while the caller's terminal is in raw mode.
  std::unique_ptr<termios> saved_;
  std::string typed_;  // not yet taken by the container
  bool input_ended_ = false;
  bool output_ended_ = false;
};

}  // namespace runsc::create

#endif  // RUNSC_CREATE_LAUNCH_CONSOLE_RELAY_H_
