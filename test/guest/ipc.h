// What the programs about System V IPC and POSIX message queues have in common.
#ifndef RUNSC_TEST_GUEST_IPC_H_
#define RUNSC_TEST_GUEST_IPC_H_

#include <grp.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "test/guest/cases.h"

namespace guest {

constexpr key_t kKey = 0x51e7;

// Nothing of other cases, and nothing that the others see.
inline void FreshIpc() { MUST(unshare(CLONE_NEWIPC)); }

inline int WriteText(const char* path, std::string_view text) {
  const int fd = open(path, O_WRONLY);
  if (fd < 0) return -1;
  const ssize_t count = write(fd, text.data(), text.size());
  const int code = errno;
  close(fd);
  errno = code;
  return count < 0 ? -1 : 0;
}
// The row `index` of a table in /proc, without the columns of ids and times.
inline std::string Row(const char* path, size_t index, std::vector<size_t> columns) {
  std::string text = Content(path);
  for (; index > 0; --index) {
    const size_t end = text.find('\n');
    if (end == std::string::npos) return "none";
    text.erase(0, end + 1);
  }
  text.resize(std::min(text.find('\n'), text.size()));
  std::vector<std::string> words;
  for (size_t at = 0; (at = text.find_first_not_of(' ', at)) != std::string::npos;) {
    const size_t end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  std::string chosen;
  for (const size_t column : columns) {
    chosen += (chosen.empty() ? "" : ",") + (column < words.size() ? words[column] : "?");
  }
  return chosen;
}

inline void OnSignal(int signo, int flags = 0) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  action.sa_flags = flags;
  MUST(sigaction(signo, &action, nullptr));
}
// Sends the signal to the calling process in a while.
inline void SignalLater(int signo, int milliseconds = 60) {
  const pid_t me = getpid();
  if (fork() == 0) {
    SleepMs(milliseconds);
    _exit(kill(me, signo));
  }
}
// Runs `body` as another user, with no capability.
inline std::string AsUser(uid_t uid, const std::function<void()>& body) {
  int pipe_fds[2];
  MUST(pipe(pipe_fds));
  const pid_t child = fork();
  if (child == 0) {
    BecomeUser(uid, uid);
    dup2(pipe_fds[1], 1);
    body();
    fflush(stdout);
    _exit(0);
  }
  close(pipe_fds[1]);
  std::string text = Drain(pipe_fds[0]);
  close(pipe_fds[0]);
  waitpid(child, nullptr, 0);
  return text;
}
// Prints the result of a call in the child of AsUser.
inline void Say(const char* what, long result) {
  printf("%s%s=%s", what[0] == ' ' ? "" : ";", what,
         result < 0 ? strerrorname_np(errno) : std::to_string(result).c_str());
}

// --- Semaphores
inline int Value(int id, int index = 0) { return semctl(id, index, GETVAL); }
inline int SetValue(int id, int index, int value) { return semctl(id, index, SETVAL, value); }
inline int Op(int id, int index, int change, int flags = 0) {
  sembuf operation = {static_cast<unsigned short>(index), static_cast<short>(change),
                      static_cast<short>(flags)};
  return semop(id, &operation, 1);
}
inline int NewSet(int count) {
  const int id = semget(IPC_PRIVATE, count, 0600);
  MUST(id);
  return id;
}
// Waits until so many wait for the semaphore.
inline void AwaitWaiters(int id, int index, int command, int count) {
  for (int i = 0; i < 500 && semctl(id, index, command) < count; i++) SleepMs(10);
}

// --- Messages
struct Letter {
  long type;
  char text[64];
};
inline int Send(int id, long type, std::string_view text, int flags = IPC_NOWAIT) {
  Letter letter{type, {}};
  memcpy(letter.text, text.data(), std::min(text.size(), sizeof letter.text));
  return msgsnd(id, &letter, text.size(), flags);
}
// "type:text", or the name of errno.
inline std::string Receive(int id, long type, int flags = IPC_NOWAIT, size_t size = 64) {
  Letter letter{};
  const ssize_t count = msgrcv(id, &letter, size, type, flags);
  if (count < 0) return strerrorname_np(errno);
  return std::to_string(letter.type) + ":" + std::string(letter.text, static_cast<size_t>(count));
}
inline int NewQueue(int mode = 0600) {
  const int id = msgget(IPC_PRIVATE, mode);
  MUST(id);
  return id;
}

// --- Shared memory
inline int NewSegment(size_t size = 4096, int mode = 0600) {
  const int id = shmget(IPC_PRIVATE, size, mode);
  MUST(id);
  return id;
}
inline shmid_ds Segment(int id) {
  shmid_ds about{};
  MUST(shmctl(id, IPC_STAT, &about));
  return about;
}
inline char* Attach(int id, int flags = 0) {
  void* at = shmat(id, nullptr, flags);
  if (at == reinterpret_cast<void*>(-1)) Broken("shmat");
  return static_cast<char*>(at);
}

// --- POSIX queues
inline mq_attr QueueSize(long messages, long size) {
  mq_attr attributes{};
  attributes.mq_maxmsg = messages;
  attributes.mq_msgsize = size;
  return attributes;
}
inline mqd_t OpenQueue(const char* name, long messages = 4, long size = 32,
                       int flags = O_RDWR | O_NONBLOCK) {
  mq_attr attributes = QueueSize(messages, size);
  const mqd_t queue = mq_open(name, O_CREAT | flags, 0600, &attributes);
  MUST(queue);
  return queue;
}
inline int Post(mqd_t queue, std::string_view text, unsigned priority = 0) {
  return mq_send(queue, text.data(), text.size(), priority);
}
inline std::string Take(mqd_t queue, size_t size = 32) {
  char text[128];
  unsigned priority = 0;
  const ssize_t count = mq_receive(queue, text, size, &priority);
  if (count < 0) return strerrorname_np(errno);
  return std::to_string(priority) + ":" + std::string(text, static_cast<size_t>(count));
}
inline timespec RealTimeIn(int milliseconds) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_nsec += (milliseconds % 1000) * 1'000'000L;
  now.tv_sec += milliseconds / 1000 + now.tv_nsec / 1'000'000'000;
  now.tv_nsec %= 1'000'000'000;
  return now;
}

}  // namespace guest

#endif  // RUNSC_TEST_GUEST_IPC_H_
