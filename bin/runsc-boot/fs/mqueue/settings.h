// /proc/sys/fs/mqueue of an ipc namespace (mq_overview(7)).
#ifndef RUNSC_BOOT_FS_MQUEUE_SETTINGS_H_
#define RUNSC_BOOT_FS_MQUEUE_SETTINGS_H_

#include <atomic>
#include <cstdint>

namespace runsc::boot::mqueue {

// What CAP_SYS_RESOURCE and the settings themselves cannot exceed.
constexpr int kMostMessages = 65536;
constexpr int kMostMessageSize = 16 << 20;  // bytes

struct Settings {
  std::atomic<int> queues_max{256};
  std::atomic<int> msg_max{10}, msg_default{10};
  std::atomic<int> msgsize_max{8192}, msgsize_default{8192};
};

// mq_maxmsg and mq_msgsize of a queue to be made.
struct QueueSize {
  int64_t messages = 0;
  int64_t message_size = 0;
};

}  // namespace runsc::boot::mqueue

#endif  // RUNSC_BOOT_FS_MQUEUE_SETTINGS_H_
