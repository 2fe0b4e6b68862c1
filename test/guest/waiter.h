// A child that has done something and waits, while the parent goes on.
//
//   Waiter child([] { BecomeUser(1000, 1000); });
//   T(kill(child.pid(), 0));
#ifndef RUNSC_TEST_GUEST_WAITER_H_
#define RUNSC_TEST_GUEST_WAITER_H_

#include <functional>
#include <string>

#include "test/guest/cases.h"

namespace guest {

class Waiter {
 public:
  // Returns when the child has done `setup`. It ends with the waiter.
  explicit Waiter(const std::function<void()>& setup);
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  pid_t pid() const { return pid_; }
  // The path of an entry of its directory in /proc.
  std::string Proc(const char* name) const { return "/proc/" + std::to_string(pid_) + "/" + name; }

 private:
  pid_t pid_;
  int stop_[2];
};

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_WAITER_H_
