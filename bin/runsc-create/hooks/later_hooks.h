// Hooks that run when a container has ended, started by a process that has kept
// the caller's privileges for them. The process that waits for the container can
// so give its own up.
//
//   TRY_ASSIGN(LaterHooks later, LaterHooks::Prepare("poststop", hooks, state));
//   TRY(DropPrivilegesToWait());
//   ... wait ...
//   TRY(later.Run());
#ifndef RUNSC_CREATE_HOOKS_LATER_HOOKS_H_
#define RUNSC_CREATE_HOOKS_LATER_HOOKS_H_

#include <string>
#include <string_view>

#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/oci.pb.h"

namespace runsc::create {

class LaterHooks {
 public:
  LaterHooks() = default;
  // Forks. `state` is what the hooks will read.
  static Result<LaterHooks> Prepare(std::string_view kind,
                                    const google::protobuf::RepeatedPtrField<oci::Hook>& hooks,
                                    const std::string& state);

  bool prepared() const { return order_.valid(); }
  // Runs them and waits for their end; once. Without it they do not run. Needs
  // no more than read(2) and write(2).
  Status Run();

 private:
  FileDescriptor order_, report_;
};

}  // namespace runsc::create

#endif  // RUNSC_CREATE_HOOKS_LATER_HOOKS_H_
