// The state directory: one folder per container below --root.
//
//   ROOT/ID/          mode 0700; flock on it is the container's lock
//   ROOT/ID/state     state.Container
//   ROOT/ID/control   the socket that boot listens on
//   ROOT/ID/exit      how the container ended; see exit_file.h
//
// A folder without a state file is a container whose creation was cut short.
#ifndef RUNSC_CREATE_STATE_CONTAINER_STORE_H_
#define RUNSC_CREATE_STATE_CONTAINER_STORE_H_

#include <string>
#include <vector>

#include "common/file_descriptor.h"
#include "common/result.h"
#include "ipc/state.pb.h"

namespace runsc::create {

// EINVAL unless `id` consists of letters, digits, "_", "+", "-", "." and is a
// single path component.
Status CheckContainerId(const std::string& id);

// One container's folder, locked as long as the object lives.
class ContainerStore {
 public:
  // Makes the folder. EEXIST: "container ID already exists".
  static Result<ContainerStore> Create(const std::string& root, const std::string& id);
  // ENOENT: "container ID does not exist". Waits for the lock.
  static Result<ContainerStore> Open(const std::string& root, const std::string& id);
  // The ids below `root`, sorted; none when it does not exist.
  static Result<std::vector<std::string>> List(const std::string& root);

  const std::string& id() const { return id_; }
  // For openat(2) and for addresses of sockets: /proc/self/fd/N/control, since
  // the whole path may be longer than a socket's address.
  int directory() const { return directory_.get(); }

  // A container whose phase is CREATING and that has no processes, when there
  // is no state file.
  Result<state::Container> Load() const;
  Status Save(const state::Container& container) const;
  // Removes the folder and what is in it.
  Status Remove();
  // Lets other commands have the container.
  void Unlock();

 private:
  ContainerStore(std::string root, std::string id, FileDescriptor directory)
      : root_(std::move(root)), id_(std::move(id)), directory_(std::move(directory)) {}

  std::string root_, id_;
  FileDescriptor directory_;
};

}  // namespace runsc::create

#endif  // RUNSC_CREATE_STATE_CONTAINER_STORE_H_
