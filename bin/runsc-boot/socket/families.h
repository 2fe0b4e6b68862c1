// The address families of a sandbox: who makes sockets of which domain.
#ifndef RUNSC_BOOT_SOCKET_FAMILIES_H_
#define RUNSC_BOOT_SOCKET_FAMILIES_H_

#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "bin/runsc-boot/socket/socket.h"

namespace runsc::boot {

class SocketFamily {
 public:
  virtual ~SocketFamily() = default;
  // `flags`: O_NONBLOCK or 0. ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM.
  virtual Result<SocketRef> Create(Caller caller, int type, int protocol, int flags) = 0;
  virtual Result<std::pair<SocketRef, SocketRef>> CreatePair(Caller caller, int type, int protocol,
                                                             int flags) {
    return Error(EOPNOTSUPP);
  }
};

// Filled while the sandbox starts, constant afterwards.
class SocketFamilies {
 public:
  void Register(int domain, std::unique_ptr<SocketFamily> family);
  // EAFNOSUPPORT.
  Result<SocketFamily*> Find(int domain) const;

 private:
  absl::flat_hash_map<int, std::unique_ptr<SocketFamily>> families_;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_SOCKET_FAMILIES_H_
