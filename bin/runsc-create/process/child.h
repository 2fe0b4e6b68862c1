// Starts one of the other two programs.
//
// The child gets the channel as descriptor 3, /dev/null as its standard input
// and output, and no other descriptor of the caller. It is in a session of its
// own, with no signal blocked or ignored.
#ifndef RUNSC_CREATE_PROCESS_CHILD_H_
#define RUNSC_CREATE_PROCESS_CHILD_H_

#include <sys/types.h>

#include <string>

#include "common/file_descriptor.h"
#include "common/result.h"

namespace runsc::create {

// A child process. Killed and reaped by the destructor unless it was let go.
class Child {
 public:
  Child() = default;
  Child(std::string name, pid_t pid, FileDescriptor pidfd)
      : name_(std::move(name)), pid_(pid), pidfd_(std::move(pidfd)) {}
  Child(Child&&) noexcept = default;
  Child& operator=(Child&&) noexcept = default;
  ~Child() { Kill(); }

  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }

  // Lets the process live on without us.
  void LetGo() { pidfd_.Reset(); }
  // Ends the process, if it is still ours, and reaps it.
  void Kill();
  // Waits for its end. The exit code, or 128 + n when signal n killed it.
  Result<int> Reap();
  // "runsc-gofer exited with code 1", after it has ended.
  std::string DescribeEnd();

 private:
  std::string name_;
  pid_t pid_ = -1;
  FileDescriptor pidfd_;
};

struct ChildOptions {
  std::string program;    // path of the executable
  int clone_flags = 0;    // CLONE_NEW*
  int channel = -1;       // becomes descriptor 3
  int error_output = -1;  // becomes descriptor 2; -1 for /dev/null
};

// Errors: those of clone(2) and execve(2), naming the program.
Result<Child> StartChild(const ChildOptions& options);

}  // namespace runsc::create

#endif  // RUNSC_CREATE_PROCESS_CHILD_H_
