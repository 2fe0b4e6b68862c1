// Micro-benchmarks of single system calls and small patterns, to be run on the
// host and inside a container of any OCI runtime: static, no configuration.
//
//   guest_micro [--ms BUDGET] [--filter TEXT]   prints "name nanoseconds" lines
//   guest_micro --list                          prints the names
//   guest_micro --true                          does nothing (target of exec)
//
// Files are made in BENCH_DIR, or /tmp. Each case repeats its body until the
// budget is used up and prints the mean; ctx_N, where N processes pass a byte on
// in a ring, that of one step.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Body = std::function<void()>;

// Makes the body of a case; what it captures lives as long as the body.
struct Case {
  const char* name;
  std::function<Body()> prepare;
  int steps = 1;  // of one run of the body; the figure is for one
};

void Check(bool good, const char* what) {
  if (good) return;
  perror(what);
  exit(1);
}

std::string Path(const char* name) {
  const char* directory = getenv("BENCH_DIR");
  return std::string(directory ? directory : "/tmp") + "/" + name;
}

// A file of 1 MiB, removed when the body goes.
class File {
 public:
  File() : path_(Path("bench_file")), fd_(open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644)) {
    Check(fd_ >= 0, path_.c_str());
    const std::string data(1 << 20, 'x');
    Check(write(fd_, data.data(), data.size()) == static_cast<ssize_t>(data.size()), "write");
  }
  ~File() {
    close(fd_);
    unlink(path_.c_str());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }
  int fd() const { return fd_; }

 private:
  std::string path_;
  int fd_;
};

char g_buffer[1 << 16];

// Answers each byte on `in` with one on `out`, until the end.
void Echo(int in, int out) {
  char c;
  while (read(in, &c, 1) == 1) {
    if (write(out, &c, 1) != 1) break;
  }
}

// Sends a byte and waits for it to come back.
void PingPong(int out, int in) {
  char c = 0;
  Check(write(out, &c, 1) == 1 && read(in, &c, 1) == 1, "ping-pong");
}

// The other side of a ping-pong, in a thread of its own.
class Partner {
 public:
  Partner(int fd, pthread_t thread) : fd_(fd), thread_(thread) {}
  ~Partner() {
    shutdown(fd_, SHUT_RDWR);
    close(fd_);
    pthread_join(thread_, nullptr);
  }
  Partner(const Partner&) = delete;
  Partner& operator=(const Partner&) = delete;

  void PingPong() const { ::PingPong(fd_, fd_); }

 private:
  int fd_;
  pthread_t thread_;
};

// Processes in a ring, this one included, that pass a byte on through pipes.
class Ring {
 public:
  explicit Ring(int processes) {
    int ends[2];
    Check(pipe(ends) == 0, "pipe");
    in_ = ends[0];
    out_ = ends[1];
    while (static_cast<int>(children_.size()) < processes - 1) {
      Check(pipe(ends) == 0, "pipe");
      const pid_t child = fork();
      Check(child >= 0, "fork");
      if (child == 0) {
        // So that the end of one is the end of the next.
        close(out_);
        close(ends[0]);
        Echo(in_, ends[1]);
        _exit(0);
      }
      close(in_);
      close(ends[1]);
      in_ = ends[0];
      children_.push_back(child);
    }
  }
  ~Ring() {
    close(out_);
    for (const pid_t child : children_) waitpid(child, nullptr, 0);
    close(in_);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  void Round() const { PingPong(out_, in_); }

 private:
  int in_, out_;
  std::vector<pid_t> children_;
};

void* EchoThread(void* argument) {
  const int fd = static_cast<int>(reinterpret_cast<long>(argument));
  Echo(fd, fd);
  close(fd);
  return nullptr;
}

std::shared_ptr<Partner> StartEchoThread(int mine, int theirs) {
  pthread_t thread;
  Check(pthread_create(&thread, nullptr, EchoThread, reinterpret_cast<void*>(long{theirs})) == 0,
        "pthread_create");
  return std::make_shared<Partner>(mine, thread);
}

Body RoundOf(int processes) {
  auto ring = std::make_shared<Ring>(processes);
  return [ring] { ring->Round(); };
}

// lmbench's lat_ctx: what it takes to get from one process to the next.
Case ContextSwitches(const char* name, int processes) {
  return {name, [processes] { return RoundOf(processes); }, processes};
}

Body UnixBetweenThreads() {
  int pair[2];
  Check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
  auto partner = StartEchoThread(pair[0], pair[1]);
  return [partner] { partner->PingPong(); };
}

Body TcpBetweenThreads() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || bind(listener, raw, length) < 0 || listen(listener, 1) < 0 ||
      getsockname(listener, raw, &length) < 0) {
    return nullptr;
  }
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(client, raw, length) < 0) return nullptr;
  const int server = accept(listener, nullptr, nullptr);
  close(listener);
  const int one = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  auto partner = StartEchoThread(client, server);
  return [partner] { partner->PingPong(); };
}

void RunAndWait(pid_t child) {
  int status;
  Check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "child");
}

void ExecTrue() {
  execl("/proc/self/exe", "guest_micro", "--true", static_cast<char*>(nullptr));
  _exit(9);
}

void* Nothing(void*) { return nullptr; }

Body MapAndTouch(size_t bytes) {
  return [bytes] {
    char* map = static_cast<char*>(
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (size_t at = 0; at < bytes; at += 4096) const_cast<volatile char*>(map)[at] = 1;
    munmap(map, bytes);
  };
}

Body ReadFile(size_t bytes) {
  auto file = std::make_shared<File>();
  return [file, bytes] {
    Check(pread(file->fd(), g_buffer, bytes, 0) == static_cast<ssize_t>(bytes), "pread");
  };
}

// A body that works on one descriptor and closes it at the end.
Body WithDescriptor(int fd, void (*body)(int)) {
  Check(fd >= 0, "open");
  std::shared_ptr<int> holder(new int(fd), [](int* held) {
    close(*held);
    delete held;
  });
  return [holder, body] { body(*holder); };
}

Body UncontendedLock() {
  struct Shared {
    std::mutex mutex;
    long value = 0;
  };
  auto shared = std::make_shared<Shared>();
  return [shared] {
    std::lock_guard<std::mutex> lock(shared->mutex);
    shared->value++;
  };
}

std::vector<Case> IdentityCases() {
  return {
      {"cpu_loop_1000",
       [] {
         return [] {
           volatile long x = 0;
           for (int i = 0; i < 1000; i++) x = x + i;
         };
       }},
      {"getppid", [] { return [] { syscall(SYS_getppid); }; }},
      {"clock_gettime",
       [] {
         return [] {
           timespec now;
           clock_gettime(CLOCK_MONOTONIC, &now);
         };
       }},
      {"sched_yield", [] { return [] { sched_yield(); }; }},
      {"mutex_uncontended", UncontendedLock},
      {"read_devzero_1",
       [] {
         return WithDescriptor(open("/dev/zero", O_RDONLY),
                               [](int fd) { Check(read(fd, g_buffer, 1) == 1, "read"); });
       }},
      {"write_devnull_1",
       [] {
         return WithDescriptor(open("/dev/null", O_WRONLY),
                               [](int fd) { Check(write(fd, g_buffer, 1) == 1, "write"); });
       }},
      {"dup_close", [] { return [] { close(dup(0)); }; }},
  };
}

std::vector<Case> FileCases() {
  return {
      {"pread_file_1", [] { return ReadFile(1); }},
      {"pread_file_4k", [] { return ReadFile(4096); }},
      {"pread_file_64k", [] { return ReadFile(65536); }},
      {"pwrite_file_4k",
       [] {
         auto file = std::make_shared<File>();
         return [file] { Check(pwrite(file->fd(), g_buffer, 4096, 8192) == 4096, "pwrite"); };
       }},
      {"fstat",
       [] {
         auto file = std::make_shared<File>();
         return [file] {
           struct stat st;
           fstat(file->fd(), &st);
         };
       }},
      {"stat",
       [] {
         auto file = std::make_shared<File>();
         return [file] {
           struct stat st;
           Check(stat(file->path().c_str(), &st) == 0, "stat");
         };
       }},
      {"stat_enoent",
       [] {
         return [] {
           struct stat st;
           Check(stat("/tmp/nope/nope", &st) < 0, "stat");
         };
       }},
      {"open_close",
       [] {
         auto file = std::make_shared<File>();
         return [file] { close(open(file->path().c_str(), O_RDONLY)); };
       }},
      {"create_unlink",
       [] {
         const std::string path = Path("bench_new");
         return [path] {
           const int fd = open(path.c_str(), O_CREAT | O_WRONLY | O_EXCL, 0644);
           Check(fd >= 0, "create");
           close(fd);
           unlink(path.c_str());
         };
       }},
      {"readdir_root",
       [] {
         return [] {
           DIR* directory = opendir("/");
           while (readdir(directory)) {
           }
           closedir(directory);
         };
       }},
  };
}

std::vector<Case> WaitingCases() {
  return {
      {"pipe_rw_same_task",
       [] {
         auto ends = std::make_shared<std::array<int, 2>>();
         Check(pipe(ends->data()) == 0, "pipe");
         return [ends] {
           Check(write((*ends)[1], g_buffer, 1) == 1 && read((*ends)[0], g_buffer, 1) == 1, "pipe");
         };
       }},
      {"pipe_pingpong_proc", [] { return RoundOf(2); }},
      ContextSwitches("ctx_2", 2),
      ContextSwitches("ctx_8", 8),
      ContextSwitches("ctx_16", 16),
      {"unix_pingpong_thread", UnixBetweenThreads},
      {"tcp_pingpong_thread", TcpBetweenThreads},
      {"epoll_wait_ready",
       [] {
         const int epoll = epoll_create1(0), event_fd = eventfd(1, 0);
         epoll_event event = {EPOLLIN, {}};
         Check(epoll_ctl(epoll, EPOLL_CTL_ADD, event_fd, &event) == 0, "epoll_ctl");
         return WithDescriptor(epoll, [](int fd) {
           epoll_event out;
           Check(epoll_wait(fd, &out, 1, 0) == 1, "epoll_wait");
         });
       }},
      {"poll_ready",
       [] {
         return WithDescriptor(eventfd(1, 0), [](int fd) {
           pollfd one = {fd, POLLIN, 0};
           Check(poll(&one, 1, 0) == 1, "poll");
         });
       }},
      {"signal_self",
       [] {
         signal(SIGUSR1, [](int) {});
         return [] { kill(getpid(), SIGUSR1); };
       }},
  };
}

std::vector<Case> MemoryAndProcessCases() {
  return {
      {"mmap_touch_munmap_4k", [] { return MapAndTouch(4096); }},
      {"mmap_touch_munmap_1m", [] { return MapAndTouch(1 << 20); }},
      {"mmap_file_touch_64k",
       [] {
         auto file = std::make_shared<File>();
         return [file] {
           auto* map = static_cast<volatile char*>(
               mmap(nullptr, 65536, PROT_READ, MAP_PRIVATE, file->fd(), 0));
           for (int at = 0; at < 65536; at += 4096) (void)map[at];
           munmap(const_cast<char*>(map), 65536);
         };
       }},
      {"thread_create_join",
       [] {
         return [] {
           pthread_t thread;
           Check(pthread_create(&thread, nullptr, Nothing, nullptr) == 0, "pthread_create");
           pthread_join(thread, nullptr);
         };
       }},
      {"fork_exit_wait",
       [] {
         return [] {
           const pid_t child = fork();
           if (child == 0) _exit(0);
           RunAndWait(child);
         };
       }},
      {"fork_exec_wait",
       [] {
         return [] {
           const pid_t child = fork();
           if (child == 0) ExecTrue();
           RunAndWait(child);
         };
       }},
      {"vfork_exec_wait",
       [] {
         return [] {
           const pid_t child = vfork();
           if (child == 0) ExecTrue();
           RunAndWait(child);
         };
       }},
  };
}

// Doubles the number of repetitions until they fill the budget, so that the
// clock is read once for many of them.
double Measure(const Body& body, double milliseconds) {
  body();
  for (long count = 1;; count *= 2) {
    const auto start = Clock::now();
    for (long i = 0; i < count; i++) body();
    const double passed = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
    if (passed >= milliseconds * 1e6 / 2) return passed / count;
  }
}

}  // namespace

int main(int argc, char** argv) {
  double milliseconds = 60;
  std::string filter;
  bool list = false;
  for (int i = 1; i < argc; i++) {
    const std::string_view option = argv[i];
    if (option == "--true") return 0;
    if (option == "--list") list = true;
    if (option == "--ms" && i + 1 < argc) milliseconds = atof(argv[++i]);
    if (option == "--filter" && i + 1 < argc) filter = argv[++i];
  }
  memset(g_buffer, 1, sizeof g_buffer);
  for (const auto& group :
       {IdentityCases(), FileCases(), WaitingCases(), MemoryAndProcessCases()}) {
    for (const Case& test : group) {
      if (std::string_view(test.name).find(filter) == std::string_view::npos) continue;
      if (list) {
        puts(test.name);
        continue;
      }
      const Body body = test.prepare();
      if (!body) continue;
      printf("%s %.1f\n", test.name, Measure(body, milliseconds) / test.steps);
      fflush(stdout);
    }
  }
  return 0;
}
