// shmget(2), shmat(2), shmdt(2), shmctl(2)
#include <atomic>
#include <thread>
#include <vector>

#include "test/guest/ipc.h"

using namespace guest;

namespace {

// The mappings that /proc/self/maps names with `name`: permissions and pages.
std::string Maps(const char* name) {
  std::string result;
  FILE* file = fopen("/proc/self/maps", "r");
  char line[512];
  while (fgets(line, sizeof line, file) != nullptr) {
    if (strstr(line, name) == nullptr) continue;
    unsigned long start = 0, end = 0, offset = 0;
    char permissions[8] = {};
    sscanf(line, "%lx-%lx %4s %lx", &start, &end, permissions, &offset);
    const char* shown = strstr(line, name);
    result += std::string(permissions) + ":" + std::to_string((end - start) / 4096) + "+" +
              std::to_string(offset / 4096) + ":" + std::string(shown, strcspn(shown, "\n")) + ";";
  }
  fclose(file);
  return result;
}
std::string Mode(int id) { return Octal(Segment(id).shm_perm.mode); }
long Attached(int id) { return static_cast<long>(Segment(id).shm_nattch); }
// Room for `pages` pages where nothing is mapped.
char* FreePlace(size_t pages) {
  void* at = mmap(nullptr, pages * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(at, pages * 4096);
  return static_cast<char*>(at);
}

}  // namespace

CASE(shmget_sizes) {
  FreshIpc();
  T(shmget(IPC_PRIVATE, 0, 0600));
  T(shmget(IPC_PRIVATE, 1, 0600) >= 0);
  T(shmget(IPC_PRIVATE, ~size_t{0}, 0600));
  T(shmget(IPC_PRIVATE, size_t{1} << 62, 0600));
  T(shmget(kKey, 1, 0));
}
CASE(shmget_by_key) {
  FreshIpc();
  const int id = shmget(kKey, 5000, IPC_CREAT | 0600);
  MUST(id);
  T(shmget(kKey, 0, 0) == id);
  T(shmget(kKey, 5000, 0) == id);
  T(shmget(kKey, 5001, 0));
  T(shmget(kKey, 9000, IPC_CREAT | 0600));
  T(shmget(kKey, 5000, IPC_CREAT | IPC_EXCL));
  T(Segment(id).shm_segsz);
  T(shmctl(id, IPC_RMID, nullptr));
  T(shmget(kKey, 5000, 0));
}
CASE(shm_data_is_shared) {
  FreshIpc();
  const int id = NewSegment(8192);
  char* one = Attach(id);
  char* two = Attach(id);
  Record("differ", one != two);
  Record("zero", one[8191]);
  strcpy(one + 5000, "text");
  Record("seen", two + 5000);
  Record("child", InChild([two] {
           strcpy(two, "from the child");
           return 0;
         }));
  Record("seen", one);
  T(Attached(id));
  T(shmdt(one));
  T(shmdt(one));
  T(shmdt(two));
  T(Attached(id));
}
CASE(shm_between_processes_by_key) {
  FreshIpc();
  const pid_t child = fork();
  if (child == 0) {
    const int id = shmget(kKey, 4096, IPC_CREAT | 0600);
    strcpy(Attach(id), "left behind");
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  const int id = shmget(kKey, 0, 0);
  T(Attached(id));
  Record("text", Attach(id));
  T(Segment(id).shm_cpid == child);
  T(Segment(id).shm_lpid == getpid());
}
CASE(shmat_errors) {
  FreshIpc();
  const int id = NewSegment();
  TP(shmat(-1, nullptr, 0) == reinterpret_cast<void*>(-1) ? nullptr : &id);
  T(reinterpret_cast<long>(shmat(id + 1, nullptr, 0)));
  T(reinterpret_cast<long>(shmat(id, reinterpret_cast<void*>(1), 0)));
  T(reinterpret_cast<long>(shmat(id, nullptr, SHM_REMAP)));
  T(reinterpret_cast<long>(shmat(id, reinterpret_cast<void*>(5), SHM_RND | SHM_REMAP)));
  T(reinterpret_cast<long>(shmat(id, reinterpret_cast<void*>(~0xfffull), 0)));
  char* taken = Attach(id);
  T(reinterpret_cast<long>(shmat(id, taken, 0)));
}
CASE(shmat_at_address) {
  FreshIpc();
  const int id = NewSegment(8192);
  char* place = FreePlace(4);
  T(shmat(id, place, 0) == place);
  T(shmdt(place));
  T(shmat(id, place + 100, SHM_RND) == place);
  T(reinterpret_cast<long>(shmat(id, place + 4096, 0)));
  T(shmat(id, place + 8192, 0) == place + 8192);
  T(Attached(id));
}
CASE(shmat_remap) {
  FreshIpc();
  const int id = NewSegment(8192);
  const int other = NewSegment(4096);
  char* at = Attach(id);
  at[0] = 'a';
  at[4096] = 'b';
  T(shmat(other, at, SHM_REMAP) == at);
  Record("first", static_cast<int>(at[0]));
  Record("second", std::string(1, at[4096]));
  T(Attached(id));
  T(Attached(other));
  T(shmdt(at + 4096));
  T(shmdt(at));
  T(shmdt(at));
  T(Attached(id));
  T(Attached(other));
}
CASE(shmat_remap_over_anonymous) {
  FreshIpc();
  const int id = NewSegment(4096);
  void* at = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  T(reinterpret_cast<long>(shmat(id, at, 0)));
  T(shmat(id, at, SHM_REMAP) == at);
  static_cast<char*>(at)[4096] = 1;
  T(shmdt(at));
}
CASE(shm_read_only) {
  FreshIpc();
  const int id = NewSegment();
  char* writable = Attach(id);
  char* at = Attach(id, SHM_RDONLY);
  strcpy(writable, "text");
  Record("seen", at);
  Record("maps", Maps("/SYSV"));
  T(mprotect(at, 4096, PROT_READ | PROT_WRITE));
  T(mprotect(at, 4096, PROT_NONE));
  T(mprotect(at, 4096, PROT_READ));
  Record("write", InChild([at] {
           *at = 1;
           return 0;
         }));
}
CASE(shm_exec) {
  FreshIpc();
  const int id = NewSegment(4096, 0700);
  char* at = Attach(id, SHM_EXEC);
  const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
  memcpy(at, code, sizeof code);
  Record("result", reinterpret_cast<int (*)()>(at)());
  Record("maps", Maps("/SYSV"));
}
CASE(shm_exec_needs_permission) {
  FreshIpc();
  const int id = shmget(kKey, 4096, IPC_CREAT | 0666);
  MUST(id);
  Record("user", AsUser(1000, [id] {
           Say(" exec", reinterpret_cast<long>(shmat(id, nullptr, SHM_EXEC)));
           Say("plain", reinterpret_cast<long>(shmat(id, nullptr, 0)) > 0);
         }));
}
CASE(shm_made_executable_later) {
  FreshIpc();
  char* at = Attach(NewSegment());
  T(mprotect(at, 4096, PROT_READ | PROT_EXEC));
  char* read_only = Attach(NewSegment(), SHM_RDONLY);
  T(mprotect(read_only, 4096, PROT_READ | PROT_EXEC));
}
CASE(shm_maps_name) {
  FreshIpc();
  const int id = shmget(0x1234abcd, 10000, IPC_CREAT | 0600);
  Attach(id);
  Record("maps", Maps("/SYSV"));
  FILE* file = fopen("/proc/self/maps", "r");
  char line[512];
  while (fgets(line, sizeof line, file) != nullptr) {
    if (strstr(line, "/SYSV") == nullptr) continue;
    unsigned long inode = 0;
    sscanf(line, "%*s %*s %*s %*s %lu", &inode);
    Record("inode_is_id", static_cast<int>(inode) == id);
  }
  fclose(file);
}
CASE(shm_size_is_rounded_for_the_mapping) {
  FreshIpc();
  const int id = NewSegment(1);
  char* at = Attach(id);
  at[4095] = 7;
  Record("byte", static_cast<int>(at[4095]));
  T(Segment(id).shm_segsz);
  shm_info usage{};
  T(shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&usage)));
  T(usage.shm_tot);
}
CASE(shm_removed_while_attached) {
  FreshIpc();
  const int id = shmget(kKey, 4096, IPC_CREAT | 0600);
  char* at = Attach(id);
  strcpy(at, "still there");
  T(shmctl(id, IPC_RMID, nullptr));
  Record("mode", Mode(id));
  T(Segment(id).shm_perm.__key);
  T(shmget(kKey, 0, 0));
  char* again = Attach(id);
  Record("text", again);
  T(shmctl(id, IPC_RMID, nullptr));
  T(shmdt(at));
  T(Attached(id));
  Record("maps", Maps("/SYSV"));
  T(shmdt(again));
  shmid_ds about{};
  T(shmctl(id, IPC_STAT, &about));
  T(reinterpret_cast<long>(shmat(id, nullptr, 0)));
}
CASE(shm_removed_goes_with_the_process) {
  FreshIpc();
  const int id = NewSegment();
  const pid_t child = fork();
  if (child == 0) {
    Attach(id);
    shmctl(id, IPC_RMID, nullptr);
    pause();
  }
  shmid_ds about{};
  while (shmctl(id, IPC_STAT, &about) == 0 && (about.shm_perm.mode & SHM_DEST) == 0) SleepMs(5);
  T(Attached(id));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  T(shmctl(id, IPC_STAT, &about));
}
CASE(shm_removed_goes_with_munmap) {
  FreshIpc();
  const int id = NewSegment(8192);
  char* at = Attach(id);
  T(shmctl(id, IPC_RMID, nullptr));
  T(munmap(at, 4096));
  T(Attached(id));
  T(munmap(at + 4096, 4096));
  shmid_ds about{};
  T(shmctl(id, IPC_STAT, &about));
}
CASE(shm_attached_over_fork_and_exec) {
  FreshIpc();
  const int id = NewSegment();
  Attach(id);
  T(Attached(id));
  const pid_t child = fork();
  if (child == 0) {
    SleepMs(150);
    execl("/bin/sleep", "sleep", "0.3", nullptr);
    _exit(1);
  }
  T(Attached(id));
  SleepMs(300);
  T(Attached(id));
  waitpid(child, nullptr, 0);
  T(Attached(id));
  T(Segment(id).shm_dtime > 0);
}
CASE(shm_attached_counts_parts) {
  FreshIpc();
  const int id = NewSegment(4 * 4096);
  char* at = Attach(id);
  T(mprotect(at + 4096, 4096, PROT_READ));
  T(Attached(id));
  T(munmap(at + 4096, 4096));
  T(Attached(id));
  T(shmdt(at));
  T(Attached(id));
  Record("maps", Maps("/SYSV"));
}
CASE(shmdt_of_parts) {
  FreshIpc();
  const int id = NewSegment(4 * 4096);
  char* at = Attach(id);
  T(munmap(at, 4096));
  T(shmdt(at + 4096));
  T(shmdt(at + 1));
  T(Attached(id));
  T(shmdt(at));
  T(Attached(id));
}
CASE(shmdt_errors) {
  FreshIpc();
  T(shmdt(nullptr));
  T(shmdt(reinterpret_cast<void*>(1)));
  void* at = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  T(shmdt(at));
  const int id = NewSegment();
  Attach(id);
  T(shmdt(at));
}
CASE(shm_moved_by_mremap) {
  FreshIpc();
  const int id = NewSegment(8192);
  char* at = Attach(id);
  strcpy(at, "moved");
  char* place = FreePlace(2);
  T(mremap(at, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
  Record("text", place);
  T(Attached(id));
  T(shmdt(at));
  T(shmdt(place));
}
CASE(shm_vfork_child_counts_once) {
  FreshIpc();
  const int id = NewSegment();
  Attach(id);
  static volatile long count = 0;
  if (vfork() == 0) {
    shmid_ds about{};
    shmctl(id, IPC_STAT, &about);
    count = static_cast<long>(about.shm_nattch);
    _exit(0);
  }
  Record("count", count);
}
CASE(shmctl_errors) {
  FreshIpc();
  const int id = NewSegment();
  T(shmctl(-1, IPC_STAT, nullptr));
  T(shmctl(id + 1, IPC_STAT, nullptr));
  T(shmctl(id, IPC_STAT, static_cast<shmid_ds*>(BadPointer())));
  T(shmctl(id, IPC_SET, static_cast<shmid_ds*>(BadPointer())));
  T(shmctl(0, SHM_INFO, static_cast<shmid_ds*>(BadPointer())));
  T(shmctl(id, 77, nullptr));
  T(shmctl(id, -1, nullptr));
  T(shmctl(id, IPC_RMID, nullptr));
  T(shmctl(id, IPC_RMID, nullptr));
}
CASE(shm_ipc_set) {
  FreshIpc();
  const int id = NewSegment();
  shmid_ds about{};
  about.shm_perm.uid = 5;
  about.shm_perm.gid = 6;
  about.shm_perm.mode = 01644;
  T(shmctl(id, IPC_SET, &about));
  about = Segment(id);
  Record("about", Octal(about.shm_perm.mode) + "," + std::to_string(about.shm_perm.uid) + "," +
                      std::to_string(about.shm_perm.gid) + "," +
                      std::to_string(about.shm_perm.cuid));
}
CASE(shm_times) {
  FreshIpc();
  const int id = NewSegment();
  shmid_ds about = Segment(id);
  Record("new", std::to_string(about.shm_atime) + "," + std::to_string(about.shm_dtime) + "," +
                    std::to_string(about.shm_ctime > 0) + "," + std::to_string(about.shm_lpid));
  char* at = Attach(id);
  about = Segment(id);
  Record("attached", std::to_string(about.shm_atime > 0) + "," + std::to_string(about.shm_dtime) +
                         "," + std::to_string(about.shm_lpid == getpid()));
  shmdt(at);
  about = Segment(id);
  Record("detached", std::to_string(about.shm_dtime > 0));
}
CASE(shm_permissions) {
  FreshIpc();
  const int id = shmget(kKey, 4096, IPC_CREAT | 0604);
  const int closed = NewSegment();
  Record("user", AsUser(1000, [&] {
           shmid_ds about{};
           Say(" write", reinterpret_cast<long>(shmat(id, nullptr, 0)));
           Say("read", reinterpret_cast<long>(shmat(id, nullptr, SHM_RDONLY)) > 0);
           Say("closed", reinterpret_cast<long>(shmat(closed, nullptr, SHM_RDONLY)));
           Say("stat", shmctl(id, IPC_STAT, &about));
           Say("closed", shmctl(closed, IPC_STAT, &about));
           Say("rmid", shmctl(id, IPC_RMID, nullptr));
           Say("set", shmctl(id, IPC_SET, &about));
           Say("lock", shmctl(id, SHM_LOCK, nullptr));
           Say("get", shmget(kKey, 0, 0666));
           Say("index", shmctl(1, SHM_STAT, &about));
           Say("any", shmctl(1, SHM_STAT_ANY, &about) >= 0);
         }));
}
CASE(shm_lock) {
  FreshIpc();
  const int id = NewSegment();
  T(shmctl(id, SHM_LOCK, nullptr));
  Record("mode", Mode(id));
  T(shmctl(id, SHM_LOCK, nullptr));
  T(shmctl(id, SHM_UNLOCK, nullptr));
  Record("mode", Mode(id));
}
CASE(shm_lock_by_owner) {
  FreshIpc();
  Record("user", AsUser(1000, [] {
           const int id = shmget(IPC_PRIVATE, 65536, 0600);
           const rlimit small = {4096, 4096}, none = {0, 0};
           setrlimit(RLIMIT_MEMLOCK, &small);
           Say(" small", shmctl(id, SHM_LOCK, nullptr));
           setrlimit(RLIMIT_MEMLOCK, &none);
           Say("none", shmctl(id, SHM_LOCK, nullptr));
           Say("unlock", shmctl(id, SHM_UNLOCK, nullptr));
         }));
}
CASE(shm_info) {
  FreshIpc();
  NewSegment(4096);
  char* at = Attach(NewSegment(5 * 4096));
  at[0] = at[4096] = 1;
  shminfo limits{};
  T(shmctl(0, IPC_INFO, reinterpret_cast<shmid_ds*>(&limits)));
  Record("limits", std::to_string(limits.shmmax) + "," + std::to_string(limits.shmmin) + "," +
                       std::to_string(limits.shmmni) + "," + std::to_string(limits.shmseg) + "," +
                       std::to_string(limits.shmall));
  shm_info usage{};
  T(shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&usage)));
  Record("usage", std::to_string(usage.used_ids) + "," + std::to_string(usage.shm_tot) + "," +
                      std::to_string(usage.shm_rss) + "," + std::to_string(usage.shm_swp));
}
CASE(shm_limits) {
  FreshIpc();
  T(WriteText("/proc/sys/kernel/shmmax", "10000"));
  T(WriteText("/proc/sys/kernel/shmall", "4"));
  T(WriteText("/proc/sys/kernel/shmmni", "3"));
  T(shmget(IPC_PRIVATE, 10001, 0600));
  T(shmget(IPC_PRIVATE, 10000, 0600));
  T(shmget(IPC_PRIVATE, 8192, 0600));
  T(shmget(IPC_PRIVATE, 4096, 0600));
  T(shmctl(0, IPC_RMID, nullptr));
  T(shmget(IPC_PRIVATE, 1, 0600));
  T(shmget(IPC_PRIVATE, 1, 0600));
  T(shmget(IPC_PRIVATE, 1, 0600));
}
CASE(shm_settings) {
  FreshIpc();
  for (const char* name : {"shmmax", "shmall", "shmmni", "shm_rmid_forced"}) {
    const std::string path = std::string("/proc/sys/kernel/") + name;
    Record(name, Content(path.c_str()));
    T(WriteText(path.c_str(), "-1"));
    T(WriteText(path.c_str(), "1"));
    T(WriteText(path.c_str(), "99999999999999999999999"));
    T(WriteText(path.c_str(), "40000"));
    T(WriteText(path.c_str(), ""));
    T(WriteText(path.c_str(), "word"));
    Record(name, Content(path.c_str()));
  }
}
CASE(shm_rmid_forced) {
  FreshIpc();
  T(WriteText("/proc/sys/kernel/shm_rmid_forced", "1"));
  const int id = NewSegment();
  char* at = Attach(id);
  T(Attached(id));
  T(shmdt(at));
  shmid_ds about{};
  T(shmctl(id, IPC_STAT, &about));
  int pipe_fds[2];
  MUST(pipe(pipe_fds));
  const pid_t child = fork();
  if (child == 0) {
    const int made = shmget(IPC_PRIVATE, 4096, 0600);
    _exit(write(pipe_fds[1], &made, sizeof made) > 0 ? 0 : 1);
  }
  int made = -1;
  MUST(read(pipe_fds[0], &made, sizeof made));
  waitpid(child, nullptr, 0);
  T(shmctl(made, IPC_STAT, &about));
}
CASE(shm_rmid_forced_later) {
  FreshIpc();
  const int id = NewSegment();
  const pid_t child = fork();
  if (child == 0) _exit(shmget(kKey, 4096, IPC_CREAT | 0600) < 0);
  waitpid(child, nullptr, 0);
  T(shmget(kKey, 0, 0) >= 0);
  T(WriteText("/proc/sys/kernel/shm_rmid_forced", "1"));
  T(shmget(kKey, 0, 0));
  T(Attached(id));
}
CASE(shm_proc_table) {
  FreshIpc();
  const int id = shmget(kKey, 10000, IPC_CREAT | 0640);
  char* at = Attach(id);
  at[0] = 1;
  Record("head",
         Row("/proc/sysvipc/shm", 0, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}));
  Record("row", Row("/proc/sysvipc/shm", 1, {0, 2, 3, 6, 7, 8, 9, 10, 12, 14, 15}));
  T(shmctl(id, IPC_RMID, nullptr));
  Record("row", Row("/proc/sysvipc/shm", 1, {0, 2, 3, 6}));
  T(shmdt(at));
  Record("row", Row("/proc/sysvipc/shm", 1, {0}));
}
CASE(shm_truncated_through_map_files) {
  FreshIpc();
  char* at = Attach(NewSegment(8192));
  char name[64];
  snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", reinterpret_cast<long>(at),
           reinterpret_cast<long>(at) + 8192);
  strcpy(at, "text");
  char text[8] = {};
  const int fd = open(name, O_RDONLY);
  T(read(fd, text, 4));
  Record("text", text);
}
CASE(shm_huge_pages) {
  FreshIpc();
  T(shmget(IPC_PRIVATE, 1 << 21, SHM_HUGETLB | 0600));
}
CASE(shm_more_than_there_is) {
  FreshIpc();
  T(shmget(IPC_PRIVATE, size_t{1} << 45, 0600));
  T(shmget(IPC_PRIVATE, size_t{1} << 45, SHM_NORESERVE | 0600) >= 0);
}
CASE(shm_atomics_between_processes) {
  FreshIpc();
  const int id = NewSegment();
  auto* counter = reinterpret_cast<std::atomic<int>*>(Attach(id));
  for (int i = 0; i < 4; i++) {
    if (fork() != 0) continue;
    for (int j = 0; j < 10000; j++) counter->fetch_add(1);
    _exit(0);
  }
  while (wait(nullptr) > 0) {
  }
  Record("count", counter->load());
}
CASE(shm_as_buffer_of_calls) {
  FreshIpc();
  char* at = Attach(NewSegment(8192));
  int pipe_fds[2];
  MUST(pipe(pipe_fds));
  T(write(pipe_fds[1], "through a pipe", 15));
  T(read(pipe_fds[0], at + 4090, 15));
  Record("text", at + 4090);
  Make("f", "from a file");
  const int fd = open("f", O_RDONLY);
  T(read(fd, at, 100));
  Record("text", at);
}
CASE(shm_attached_by_threads_at_once) {
  FreshIpc();
  constexpr int kThreads = 4;
  int ids[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    ids[i] = NewSegment(4096);
    *Attach(ids[i]) = static_cast<char>('a' + i);
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 200; ++round) {
        const char* segment = static_cast<const char*>(shmat(ids[i], nullptr, SHM_RDONLY));
        if (segment == reinterpret_cast<const char*>(-1) || *segment != 'a' + i) ++wrong;
        shmdt(segment);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Record("wrong", wrong.load());
}
