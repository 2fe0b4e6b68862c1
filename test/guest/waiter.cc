#include "test/guest/waiter.h"

namespace guest {

Waiter::Waiter(const std::function<void()>& setup) {
  int ready[2];
  MUST(pipe(ready));
  MUST(pipe(stop_));
  pid_ = fork();
  if (pid_ == 0) {
    close(stop_[1]);
    setup();
    (void)!write(ready[1], "x", 1);
    char byte;
    while (read(stop_[0], &byte, 1) < 0 && errno == EINTR) {
    }
    _exit(0);
  }
  close(ready[1]);
  close(stop_[0]);
  char byte;
  (void)!read(ready[0], &byte, 1);
  close(ready[0]);
}

Waiter::~Waiter() {
  close(stop_[1]);
  waitpid(pid_, nullptr, 0);
}

}  // namespace guest
