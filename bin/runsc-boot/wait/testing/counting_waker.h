// Who waits in a test, without a thread that sleeps.
#ifndef RUNSC_BOOT_WAIT_TESTING_COUNTING_WAKER_H_
#define RUNSC_BOOT_WAIT_TESTING_COUNTING_WAKER_H_

#include "bin/runsc-boot/wait/wait_queue.h"

namespace runsc::boot {

class CountingWaker : public Waker {
 public:
  void Wake() override { ++count; }
  int count = 0;
};

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_WAIT_TESTING_COUNTING_WAKER_H_
