// POSIX message queues: mq_overview(7)
#include <linux/netlink.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "test/guest/ipc.h"

using namespace guest;

namespace {

std::string About(mqd_t queue) {
  mq_attr attributes{};
  if (mq_getattr(queue, &attributes) < 0) return strerrorname_np(errno);
  return std::to_string(attributes.mq_flags) + "," + std::to_string(attributes.mq_maxmsg) + "," +
         std::to_string(attributes.mq_msgsize) + "," + std::to_string(attributes.mq_curmsgs);
}
// Without what libc does to the name.
long RawOpen(const char* name, int flags, mode_t mode = 0600, mq_attr* attributes = nullptr) {
  return syscall(SYS_mq_open, name, flags, mode, attributes);
}
volatile sig_atomic_t told = 0;
volatile int told_code = 0, told_value = 0, told_pid = 0, told_uid = -1;
void OnTold(int, siginfo_t* info, void*) {
  told = told + 1;
  told_code = info->si_code;
  told_value = info->si_value.sival_int;
  told_pid = info->si_pid;
  told_uid = static_cast<int>(info->si_uid);
}
void Listen() {
  struct sigaction action = {};
  action.sa_sigaction = OnTold;
  action.sa_flags = SA_SIGINFO;
  MUST(sigaction(SIGUSR1, &action, nullptr));
}
sigevent BySignal(int signo = SIGUSR1, int value = 77) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = signo;
  event.sigev_value.sival_int = value;
  return event;
}

}  // namespace

CASE(mq_open_flags) {
  FreshIpc();
  T(mq_open("/q", O_RDWR));
  T(mq_open("/q", O_CREAT | O_RDWR, 0600, nullptr) >= 0);
  T(mq_open("/q", O_CREAT | O_EXCL | O_RDWR, 0600, nullptr));
  T(mq_open("/q", O_CREAT | O_RDONLY, 0600, nullptr) >= 0);
  T(mq_open("/q", O_ACCMODE));
  T(mq_unlink("/q"));
  T(mq_unlink("/q"));
  T(mq_open("/q", O_RDWR));
}
CASE(mq_names) {
  FreshIpc();
  T(mq_open("q", O_CREAT | O_RDWR, 0600, nullptr));
  T(mq_open("/", O_CREAT | O_RDWR, 0600, nullptr));
  T(RawOpen("", O_CREAT | O_RDWR));
  T(RawOpen(".", O_CREAT | O_RDWR));
  T(RawOpen("..", O_CREAT | O_RDWR));
  T(RawOpen("a/b", O_CREAT | O_RDWR));
  T(RawOpen("/q", O_CREAT | O_RDWR));
  T(RawOpen(std::string(255, 'n').c_str(), O_CREAT | O_RDWR) >= 0);
  T(RawOpen(std::string(256, 'n').c_str(), O_CREAT | O_RDWR));
  T(RawOpen(std::string(5000, 'n').c_str(), O_CREAT | O_RDWR));
  T(RawOpen(static_cast<const char*>(BadPointer()), O_CREAT | O_RDWR));
  T(syscall(SYS_mq_unlink, ""));
  T(syscall(SYS_mq_unlink, "a/b"));
  T(syscall(SYS_mq_unlink, "."));
  T(syscall(SYS_mq_unlink, BadPointer()));
  T(syscall(SYS_mq_unlink, std::string(256, 'n').c_str()));
}
CASE(mq_attributes) {
  FreshIpc();
  const mqd_t usual = mq_open("/usual", O_CREAT | O_RDWR, 0600, nullptr);
  Record("usual", About(usual));
  Record("own", About(OpenQueue("/own", 3, 100)));
  for (const auto& [messages, size] : std::vector<std::pair<long, long>>{{0, 1},
                                                                         {1, 0},
                                                                         {-1, 1},
                                                                         {1, -1},
                                                                         {65537, 1},
                                                                         {1, (16 << 20) + 1},
                                                                         {1L << 40, 1L << 40}}) {
    mq_attr attributes = QueueSize(messages, size);
    T(mq_open("/wrong", O_CREAT | O_RDWR, 0600, &attributes));
  }
  T(RawOpen("wrong", O_CREAT | O_RDWR, 0600, static_cast<mq_attr*>(BadPointer())));
  T(mq_open("/wrong", O_RDWR));
}
CASE(mq_attributes_of_users) {
  FreshIpc();
  Record("user", AsUser(1000, [] {
           for (const auto& [messages, size] :
                std::vector<std::pair<long, long>>{{10, 8192}, {11, 10}, {10, 8193}}) {
             mq_attr attributes = QueueSize(messages, size);
             Say(" open", mq_open("/q", O_CREAT | O_RDWR, 0600, &attributes) >= 0 ? 0 : -1);
             mq_unlink("/q");
           }
         }));
}
CASE(mq_settings) {
  FreshIpc();
  for (const char* name :
       {"queues_max", "msg_max", "msgsize_max", "msg_default", "msgsize_default"}) {
    const std::string path = std::string("/proc/sys/fs/mqueue/") + name;
    Record(name, Content(path.c_str()));
    T(WriteText(path.c_str(), "0"));
    T(WriteText(path.c_str(), "127"));
    T(WriteText(path.c_str(), "70000"));
    T(WriteText(path.c_str(), "16777217"));
    T(WriteText(path.c_str(), "x"));
    Record(name, Content(path.c_str()));
  }
}
CASE(mq_defaults_are_bounded) {
  FreshIpc();
  T(WriteText("/proc/sys/fs/mqueue/msg_max", "5"));
  T(WriteText("/proc/sys/fs/mqueue/msgsize_max", "200"));
  Record("q", About(mq_open("/q", O_CREAT | O_RDWR, 0600, nullptr)));
  T(WriteText("/proc/sys/fs/mqueue/msg_default", "2"));
  T(WriteText("/proc/sys/fs/mqueue/msgsize_default", "150"));
  Record("r", About(mq_open("/r", O_CREAT | O_RDWR, 0600, nullptr)));
}
CASE(mq_queues_max) {
  FreshIpc();
  T(WriteText("/proc/sys/fs/mqueue/queues_max", "2"));
  Record("user", AsUser(1000, [] {
           mq_attr attributes = QueueSize(1, 10);
           const mqd_t first = mq_open("/a", O_CREAT | O_RDWR, 0600, &attributes);
           Say(" b", mq_open("/b", O_CREAT | O_RDWR, 0600, &attributes) >= 0 ? 0 : -1);
           Say("c", mq_open("/c", O_CREAT | O_RDWR, 0600, &attributes));
           mq_unlink("/a");
           Say("c", mq_open("/c", O_CREAT | O_RDWR, 0600, &attributes));
           mq_close(first);
           Say("c", mq_open("/c", O_CREAT | O_RDWR, 0600, &attributes) >= 0 ? 0 : -1);
         }));
}
CASE(mq_priorities) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 10);
  T(Post(queue, "low", 1));
  T(Post(queue, "high", 9));
  T(Post(queue, "low again", 1));
  T(Post(queue, "zero", 0));
  T(Post(queue, "most", 32767));
  T(Post(queue, "too much", 32768));
  T(Post(queue, "", 3));
  for (int i = 0; i < 7; i++) Record("got", Take(queue));
}
CASE(mq_full_and_empty) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 2);
  Record("empty", Take(queue));
  T(Post(queue, "a"));
  T(Post(queue, "b"));
  T(Post(queue, "c"));
  Record("about", About(queue));
  Record("got", Take(queue));
  T(Post(queue, "c"));
}
CASE(mq_sizes) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 2, 10);
  T(Post(queue, "0123456789"));
  T(Post(queue, "0123456789a"));
  Record("small", Take(queue, 9));
  Record("exact", Take(queue, 10));
  Record("empty", Take(queue, 9));
}
CASE(mq_send_errors) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q");
  const mqd_t reader = mq_open("/q", O_RDONLY | O_NONBLOCK),
              writer = mq_open("/q", O_WRONLY | O_NONBLOCK);
  const int file = open("/dev/null", O_RDWR);
  T(Post(reader, "x"));
  Record("writer", Take(writer));
  T(Post(-1, "x"));
  T(Post(file, "x"));
  Record("file", Take(file));
  T(mq_send(queue, static_cast<char*>(BadPointer()), 4, 0));
  T(Post(queue, "text"));
  T(syscall(SYS_mq_timedreceive, queue, BadPointer(), 32, nullptr, nullptr));
  Record("about", About(queue));
  T(Post(queue, "text"));
  char text[32];
  T(syscall(SYS_mq_timedreceive, queue, text, 32, BadPointer(), nullptr));
  Record("about", About(queue));
}
CASE(mq_time_arguments) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 1, 32, O_RDWR);
  char text[32];
  timespec past = {1, 0}, bad = {1, 1'000'000'000}, negative = {-1, 0};
  T(mq_timedreceive(queue, text, 32, nullptr, &past));
  T(mq_timedreceive(queue, text, 32, nullptr, &bad));
  T(mq_timedreceive(queue, text, 32, nullptr, &negative));
  T(syscall(SYS_mq_timedreceive, queue, text, 32, nullptr, BadPointer()));
  T(syscall(SYS_mq_timedreceive, -1, text, 32, nullptr, &bad));
  T(mq_timedsend(queue, "x", 1, 0, &past));
  T(mq_timedsend(queue, "y", 1, 0, &past));
  T(mq_timedsend(queue, "y", 1, 0, &bad));
  T(mq_timedsend(queue, "y", 1, 40000, &bad));
  T(mq_timedreceive(queue, text, 32, nullptr, &past));
}
CASE(mq_time_out) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 1, 32, O_RDWR);
  char text[32];
  timespec until = RealTimeIn(80);
  long long begun = NowMs();
  T(mq_timedreceive(queue, text, 32, nullptr, &until));
  Record("waited", NowMs() - begun >= 79);
  Post(queue, "x");
  until = RealTimeIn(80);
  begun = NowMs();
  T(mq_timedsend(queue, "y", 1, 0, &until));
  Record("waited", NowMs() - begun >= 79);
}
CASE(mq_receive_waits) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 2, 32, O_RDWR);
  if (fork() == 0) {
    SleepMs(60);
    Post(queue, "hello", 5);
    _exit(0);
  }
  Record("got", Take(queue));
  wait(nullptr);
  Record("about", About(queue));
}
CASE(mq_send_waits) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 1, 32, O_RDWR);
  Post(queue, "first");
  if (fork() == 0) {
    SleepMs(60);
    _exit(Take(queue) == "0:first" ? 0 : 1);
  }
  T(Post(queue, "second"));
  wait(nullptr);
  Record("got", Take(queue));
}
CASE(mq_wait_interrupted) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 1, 32, O_RDWR);
  OnSignal(SIGUSR1);
  SignalLater(SIGUSR1);
  Record("receive", Take(queue));
  Post(queue, "x");
  SignalLater(SIGUSR1);
  T(Post(queue, "y"));
}
CASE(mq_wait_restarted) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 1, 32, O_RDWR);
  OnSignal(SIGUSR1, SA_RESTART);
  SignalLater(SIGUSR1);
  if (fork() == 0) {
    SleepMs(150);
    Post(queue, "after the signal");
    _exit(0);
  }
  Record("receive", Take(queue));
  while (wait(nullptr) > 0) {
  }
}
CASE(mq_getsetattr) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 2, 32, O_RDWR);
  mq_attr wanted{}, old{};
  wanted.mq_flags = O_NONBLOCK;
  wanted.mq_maxmsg = 99;
  T(mq_setattr(queue, &wanted, &old));
  Record("old", old.mq_flags);
  Record("about", About(queue));
  T((fcntl(queue, F_GETFL) & O_NONBLOCK) != 0);
  Record("empty", Take(queue));
  wanted.mq_flags = O_NONBLOCK | O_APPEND;
  T(mq_setattr(queue, &wanted, nullptr));
  wanted.mq_flags = 0;
  T(mq_setattr(queue, &wanted, nullptr));
  Record("about", About(queue));
  T(mq_setattr(-1, &wanted, nullptr));
  T(mq_setattr(0, &wanted, nullptr));
  T(syscall(SYS_mq_getsetattr, queue, BadPointer(), nullptr));
  T(syscall(SYS_mq_getsetattr, queue, nullptr, BadPointer()));
  T(syscall(SYS_mq_getsetattr, queue, nullptr, nullptr));
}
CASE(mq_descriptor) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 2, 32, O_RDWR | O_APPEND | O_NONBLOCK);
  T(fcntl(queue, F_GETFD));
  Record("flags", Octal(fcntl(queue, F_GETFL)));
  struct stat about {};
  T(fstat(queue, &about));
  Record("stat", Octal(about.st_mode) + "," + std::to_string(about.st_size) + "," +
                     std::to_string(about.st_nlink));
  char link[64];
  const std::string path = "/proc/self/fd/" + std::to_string(queue);
  const ssize_t size = readlink(path.c_str(), link, sizeof link);
  Record("link", std::string(link, size < 0 ? 0 : static_cast<size_t>(size)));
  char text[128];
  ssize_t count = read(queue, text, sizeof text);
  Record("text", std::string(text, count < 0 ? 0 : static_cast<size_t>(count)));
  T(read(queue, text, sizeof text));
  T(write(queue, "x", 1));
  Post(queue, "12345");
  T(lseek(queue, 0, SEEK_SET));
  count = read(queue, text, sizeof text);
  Record("text", std::string(text, count < 0 ? 0 : static_cast<size_t>(count)));
}
CASE(mq_poll) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 2);
  const auto events = [queue] {
    pollfd entry = {queue, POLLIN | POLLOUT, 0};
    poll(&entry, 1, 0);
    return entry.revents;
  };
  Record("empty", events());
  Post(queue, "a");
  Record("some", events());
  Post(queue, "b");
  Record("full", events());
}
CASE(mq_epoll) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 1);
  const int epoll = epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  T(epoll_ctl(epoll, EPOLL_CTL_ADD, queue, &event));
  if (fork() == 0) {
    SleepMs(60);
    Post(queue, "x");
    _exit(0);
  }
  T(epoll_wait(epoll, &event, 1, 5000));
  Record("events", event.events);
  T(epoll_wait(epoll, &event, 1, 0));
  wait(nullptr);
}
CASE(mq_notify_signal) {
  FreshIpc();
  Listen();
  const mqd_t queue = OpenQueue("/q");
  const sigevent event = BySignal();
  T(mq_notify(queue, &event));
  T(mq_notify(queue, &event));
  Record("text", Content("/proc/self/fd/").size() > 0);
  T(Post(queue, "x"));
  Record("told", std::to_string(told) + "," + std::to_string(told_code == SI_MESGQ) + "," +
                     std::to_string(told_value) + "," + std::to_string(told_pid == getpid()) + "," +
                     std::to_string(told_uid));
  T(Post(queue, "y"));
  Record("told", told);
  T(mq_notify(queue, &event));
  T(Post(queue, "z"));
  Record("told", told);
  while (Take(queue) != "EAGAIN") {
  }
  T(Post(queue, "again"));
  Record("told", told);
}
CASE(mq_notify_by_other_process) {
  FreshIpc();
  Listen();
  const mqd_t queue = OpenQueue("/q");
  const sigevent event = BySignal(SIGUSR1, 5);
  T(mq_notify(queue, &event));
  const pid_t child = fork();
  if (child == 0) {
    const sigevent mine = BySignal();
    const int busy = mq_notify(queue, &mine) < 0 ? errno : 0;
    mq_notify(queue, nullptr);
    BecomeUser(1000, 1000);
    Post(queue, "x");
    _exit(busy);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
  }
  Record("busy", strerrorname_np(WEXITSTATUS(status)));
  Record("told", std::to_string(told) + "," + std::to_string(told_value) + "," +
                     std::to_string(told_pid == child) + "," + std::to_string(told_uid));
}
CASE(mq_notify_removed) {
  FreshIpc();
  Listen();
  const mqd_t queue = OpenQueue("/q");
  const sigevent event = BySignal();
  T(mq_notify(queue, nullptr));
  T(mq_notify(queue, &event));
  T(mq_notify(queue, nullptr));
  T(Post(queue, "x"));
  Record("told", told);
  Take(queue);
  T(mq_notify(queue, &event));
  T(mq_close(dup(queue)));
  T(Post(queue, "x"));
  Record("told", told);
}
CASE(mq_notify_goes_with_its_process) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q");
  const sigevent event = BySignal();
  Record("child", InChild([&] { return mq_notify(queue, &event); }));
  T(mq_notify(queue, &event));
}
CASE(mq_notify_not_while_somebody_waits) {
  FreshIpc();
  Listen();
  const mqd_t queue = OpenQueue("/q", 2, 32, O_RDWR);
  const sigevent event = BySignal();
  T(mq_notify(queue, &event));
  const pid_t child = fork();
  if (child == 0) _exit(Take(queue) == "0:x" ? 0 : 1);
  SleepMs(80);
  T(Post(queue, "x"));
  waitpid(child, nullptr, 0);
  Record("told", told);
  T(Post(queue, "y"));
  Record("told", told);
}
CASE(mq_notify_kinds) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q");
  sigevent event{};
  event.sigev_notify = SIGEV_NONE;
  T(syscall(SYS_mq_notify, queue, &event));
  char text[128];
  const ssize_t count = read(queue, text, sizeof text);
  Record("text", std::string(text, count < 0 ? 0 : static_cast<size_t>(count)).substr(0, 36));
  T(syscall(SYS_mq_notify, queue, &event));
  T(Post(queue, "x"));
  T(syscall(SYS_mq_notify, queue, &event));
  T(syscall(SYS_mq_notify, queue, nullptr));
  event = BySignal(65);
  T(syscall(SYS_mq_notify, queue, &event));
  event = BySignal(-1);
  T(syscall(SYS_mq_notify, queue, &event));
  event = BySignal(0);
  T(syscall(SYS_mq_notify, queue, &event));
  T(syscall(SYS_mq_notify, queue, nullptr));
  event.sigev_notify = 9;
  T(syscall(SYS_mq_notify, queue, &event));
  T(syscall(SYS_mq_notify, queue, BadPointer()));
  T(syscall(SYS_mq_notify, -1, nullptr));
  T(syscall(SYS_mq_notify, 0, nullptr));
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_signo = -1;
  T(syscall(SYS_mq_notify, queue, &event));
  event.sigev_signo = 0;
  char cookie[32] = {};
  event.sigev_value.sival_ptr = cookie;
  T(syscall(SYS_mq_notify, queue, &event));
  event.sigev_value.sival_ptr = BadPointer();
  T(syscall(SYS_mq_notify, queue, &event));
}
// The cookie comes by the socket, with a last byte that says why.
CASE(mq_notify_by_a_socket) {
  FreshIpc();
  mq_attr attributes = QueueSize(2, 10);
  const mqd_t queue = mq_open("/q", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attributes);
  MUST(queue);
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
  MUST(fd);
  char cookie[32] = "cookie";
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_signo = fd;
  event.sigev_value.sival_ptr = cookie;
  char got[64] = {};
  const auto receive = [&] {
    T(recv(fd, got, sizeof(got), MSG_DONTWAIT));
    Record("text", got);
    Record("why", got[31]);
  };
  T(syscall(SYS_mq_notify, queue, &event));
  T(syscall(SYS_mq_notify, queue, &event));
  receive();
  T(mq_send(queue, "x", 1, 0));
  receive();
  T(syscall(SYS_mq_notify, queue, &event));
  T(syscall(SYS_mq_notify, queue, nullptr));
  receive();
  T(syscall(SYS_mq_notify, queue, &event));
  T(close(queue));
  receive();
  T(syscall(SYS_mq_notify, -1, &event));
  event.sigev_signo = socket(AF_UNIX, SOCK_DGRAM, 0);
  T(syscall(SYS_mq_notify, queue, &event));
}
namespace {
volatile int called = 0;
void OnMessage(sigval value) { called = value.sival_int; }
}  // namespace
CASE(mq_notify_by_a_thread) {
  FreshIpc();
  mq_attr attributes = QueueSize(2, 10);
  const mqd_t queue = mq_open("/q", O_CREAT | O_RDWR, 0600, &attributes);
  MUST(queue);
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_notify_function = OnMessage;
  event.sigev_value.sival_int = 33;
  T(mq_notify(queue, &event));
  T(mq_send(queue, "x", 1, 0));
  for (int i = 0; i < 500 && called == 0; ++i) SleepMs(10);
  Record("called", called);
  T(mq_notify(queue, &event));
  T(mq_notify(queue, &event));
  T(mq_notify(queue, nullptr));
}
CASE(mq_permissions) {
  FreshIpc();
  umask(0);
  mq_attr attributes = QueueSize(2, 10);
  MUST(mq_open("/all", O_CREAT | O_RDWR, 0666, &attributes));
  MUST(mq_open("/read", O_CREAT | O_RDWR, 0604, &attributes));
  MUST(mq_open("/none", O_CREAT | O_RDWR, 0600, &attributes));
  Record("user", AsUser(1000, [] {
           for (const char* name : {"/all", "/read", "/none"}) {
             Say(" rw", mq_open(name, O_RDWR) >= 0 ? 0 : -1);
             Say("r", mq_open(name, O_RDONLY) >= 0 ? 0 : -1);
             Say("w", mq_open(name, O_WRONLY) >= 0 ? 0 : -1);
             Say("creat", mq_open(name, O_CREAT | O_RDWR, 0600, nullptr) >= 0 ? 0 : -1);
             Say("unlink", mq_unlink(name));
           }
           Say("own", mq_open("/own", O_CREAT | O_RDWR, 0600, nullptr) >= 0 ? 0 : -1);
           Say("unlink", mq_unlink("/own"));
         }));
}
CASE(mq_umask) {
  FreshIpc();
  umask(027);
  const mqd_t queue = mq_open("/q", O_CREAT | O_RDWR, 07777, nullptr);
  struct stat about {};
  T(fstat(queue, &about));
  Record("mode", Octal(about.st_mode));
}
CASE(mq_unlinked_lives_on) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q");
  Post(queue, "kept");
  T(mq_unlink("/q"));
  T(mq_open("/q", O_RDWR));
  const mqd_t other = OpenQueue("/q");
  Record("other", Take(other));
  Record("kept", Take(queue));
  struct stat about {};
  T(fstat(queue, &about));
  Record("links", static_cast<int>(about.st_nlink));
}
CASE(mq_limit_of_bytes) {
  FreshIpc();
  const rlimit small = {10000, 10000};
  MUST(setrlimit(RLIMIT_MSGQUEUE, &small));
  Record("user", AsUser(1000, [] {
           for (const long size : {904, 905}) {
             mq_attr attributes = QueueSize(10, size);
             const mqd_t queue = mq_open("/q", O_CREAT | O_RDWR, 0600, &attributes);
             Say(" open", queue >= 0 ? 0 : -1);
             Say("second", mq_open("/r", O_CREAT | O_RDWR, 0600, &attributes) >= 0 ? 0 : -1);
             mq_unlink("/q");
             if (queue >= 0) mq_close(queue);
           }
         }));
  mq_attr attributes = QueueSize(10, 905);
  T(mq_open("/q", O_CREAT | O_RDWR, 0600, &attributes));
}
CASE(mq_closed_on_exec) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q");
  T(fcntl(queue, F_GETFD));
  T(fcntl(queue, F_SETFD, 0));
}
CASE(mqueue_mount) {
  FreshIpc();
  MUST(unshare(CLONE_NEWNS));
  MUST(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
  MUST(mkdir("mq", 0755));
  MUST(mount("mqueue", "mq", "mqueue", 0, nullptr));
  const mqd_t queue = OpenQueue("/from_call", 3, 50);
  struct stat about {};
  T(stat("mq/from_call", &about));
  Record("stat", Octal(about.st_mode) + "," + std::to_string(about.st_size));
  T(stat("mq", &about));
  Record("root", Octal(about.st_mode));
  Post(queue, "1234567");
  Record("text", Content("mq/from_call"));
  T(open("mq/from_file", O_CREAT | O_RDWR, 0640) >= 0);
  const mqd_t made = mq_open("/from_file", O_RDWR | O_NONBLOCK);
  Record("about", About(made));
  T(stat("mq/from_file", &about));
  Record("stat", Octal(about.st_mode));
  T(mkdir("mq/dir", 0755));
  T(symlink("x", "mq/link"));
  T(rename("mq/from_file", "mq/other"));
  T(link("mq/from_file", "mq/other"));
  T(chmod("mq/from_file", 0600));
  T(chown("mq/from_file", 3, 4));
  T(unlink("mq/from_file"));
  T(mq_open("/from_file", O_RDWR));
  T(mq_unlink("/from_call"));
  T(stat("mq/from_call", &about));
  T(stat("mq/none", &about));
  MUST(umount2("mq", MNT_DETACH));
}
CASE(mqueue_mounts_show_the_same) {
  FreshIpc();
  MUST(unshare(CLONE_NEWNS));
  MUST(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
  MUST(mkdir("a", 0755));
  MUST(mkdir("b", 0755));
  MUST(mount("mqueue", "a", "mqueue", 0, nullptr));
  OpenQueue("/q");
  MUST(mount("mqueue", "b", "mqueue", 0, nullptr));
  T(access("b/q", F_OK));
  T(unlink("b/q"));
  T(access("a/q", F_OK));
  MUST(umount2("a", MNT_DETACH));
  OpenQueue("/r");
  T(access("b/r", F_OK));
  MUST(umount2("b", MNT_DETACH));
}
CASE(mq_many_senders_and_receivers) {
  FreshIpc();
  const mqd_t queue = OpenQueue("/q", 3, 32, O_RDWR);
  for (int i = 0; i < 4; i++) {
    if (fork() != 0) continue;
    for (int j = 0; j < 100; j++) Post(queue, std::to_string(j), static_cast<unsigned>(i));
    _exit(0);
  }
  int sum = 0;
  for (int i = 0; i < 400; i++) sum += atoi(Take(queue).c_str() + 2);
  while (wait(nullptr) > 0) {
  }
  Record("sum", sum);
  Record("about", About(queue));
}
