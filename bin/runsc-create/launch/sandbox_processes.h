// Starts the gofer and boot of one container and brings them to readiness.
//
//   TRY_ASSIGN(SandboxProcesses processes, SandboxProcesses::Start(plan));
//   // both wait for their requests: put them into cgroups, store their ids
//   TRY(processes.Configure(plan));
//   processes.LetGo();
//
// Until LetGo, the end of the object is the end of both processes.
#ifndef RUNSC_CREATE_LAUNCH_SANDBOX_PROCESSES_H_
#define RUNSC_CREATE_LAUNCH_SANDBOX_PROCESSES_H_

#include <string>

#include "bin/runsc-create/options.h"
#include "bin/runsc-create/process/child.h"
#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/channel.h"
#include "ipc/oci.pb.h"

namespace runsc::create {

// What is to be started. Descriptors are borrowed.
struct LaunchPlan {
  const GlobalOptions* options = nullptr;
  const oci::Spec* spec = nullptr;
  std::string id;
  std::string boot_program, gofer_program;
  bool attached = false;
  int control_socket = -1;
  int exit_file = -1;
  int stdio[3] = {0, 1, 2};
  int terminal = -1;                  // -1: none; else instead of stdio
  int boot_log = -1, gofer_log = -1;  // -1: none
  int user_log = -1;
};

class SandboxProcesses {
 public:
  // Errors name the program that could not be started.
  static Result<SandboxProcesses> Start(const LaunchPlan& plan);

  Child& boot() { return boot_; }
  Child& gofer() { return gofer_; }

  // Sends both requests and waits for both answers. The error is what the
  // process said, or how it died and at which step.
  Status Configure(const LaunchPlan& plan);
  // The processes live on without us.
  void LetGo();

 private:
  Status SendRequests(const LaunchPlan& plan);
  Status AwaitReplies();

  Child boot_, gofer_;
  Channel boot_channel_, gofer_channel_;
  bool boot_ready_ = false, gofer_ready_ = false;
};

}  // namespace runsc::create

#endif  // RUNSC_CREATE_LAUNCH_SANDBOX_PROCESSES_H_
