#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "bin/runsc-boot/setup/privileges.h"
#include "bin/runsc-boot/setup/surroundings.h"

namespace runsc::boot::setup {
namespace {

// Runs `body` in a child with new namespaces of its own; its wait status.
int InNamespaces(const std::function<bool()>& body) {
  pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) != 0) _exit(77);
    pid_t inner = fork();
    if (inner == 0) _exit(body() ? 0 : 1);
    int status = 0;
    waitpid(inner, &status, 0);
    _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

std::string Entries(const char* path) {
  std::string names;
  DIR* directory = opendir(path);
  if (directory == nullptr) return "(none)";
  while (dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') names += std::string(entry->d_name) + " ";
  }
  closedir(directory);
  return names;
}

class SetUpTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

TEST_F(SetUpTest, RootIsEmptyButForAReadOnlyProc) {
  EXPECT_EQ(InNamespaces([] {
              if (!EnterEmptyRoot().ok()) return false;
              if (Entries("/") != "proc ") return false;
              if (getpid() != 1 || access("/proc/1/status", R_OK) != 0) return false;
              if (open("/file", O_CREAT | O_WRONLY, 0600) >= 0) return false;
              if (open("/proc/sys/kernel/hostname", O_WRONLY) >= 0) return false;
              std::ifstream mounts("/proc/self/mountinfo");
              int count = 0;
              for (std::string line; std::getline(mounts, line);) ++count;
              return count == 2;
            }),
            0);
}

TEST_F(SetUpTest, LoopbackIsUp) {
  EXPECT_EQ(InNamespaces([] {
              if (!BringUpLoopback().ok()) return false;
              std::ifstream flags("/sys/class/net/lo/flags");
              int fd = socket(AF_INET, SOCK_DGRAM, 0);
              sockaddr address = {.sa_family = AF_INET, .sa_data = {0, 9, 127, 0, 0, 1}};
              return connect(fd, &address, sizeof(address)) == 0;
            }),
            0);
}

TEST_F(SetUpTest, NoIdentityIsLeft) {
  EXPECT_EQ(InNamespaces([] {
              if (!DropIdentity().ok()) return false;
              std::ifstream status("/proc/self/status");
              for (std::string line; std::getline(status, line);) {
                if (line.substr(0, 3) == "Cap" && line.substr(8) != "0000000000000000")
                  return false;
                if (line.substr(0, 7) == "Groups:" && line.find_first_of("0123456789") != line.npos)
                  return false;
                if (line.substr(0, 4) == "Uid:" && line != "Uid:\t65534\t65534\t65534\t65534") {
                  return false;
                }
              }
              return setuid(0) != 0;
            }),
            0);
}

TEST_F(SetUpTest, FilterLetsThreadsRunAndMemoryGrow) {
  EXPECT_EQ(InNamespaces([] {
              if (!BootFilter({}).Install().ok()) return false;
              bool ran = false;
              std::thread([&] {
                std::string memory(64 << 20, 'x');
                ran = memory[1000] == 'x';
              }).join();
              return ran;
            }),
            0);
}

TEST_F(SetUpTest, FilterKillsWhatBootHasNoUseFor) {
  auto killed = [](const std::function<void()>& body) {
    return InNamespaces([&] {
             if (!BootFilter({}).Install().ok()) return false;
             body();
             return true;
           }) == 128 + SIGSYS;
  };
  EXPECT_TRUE(killed([] { (void)socket(AF_INET, SOCK_STREAM, 0); }));
  EXPECT_TRUE(killed([] { (void)fork(); }));
  EXPECT_TRUE(killed([] { execl("/bin/true", "true", nullptr); }));
  EXPECT_TRUE(killed([] {
    (void)mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }));
  EXPECT_TRUE(killed([] { (void)unshare(CLONE_NEWUSER); }));
  EXPECT_TRUE(killed([] { (void)setuid(0); }));
}

}  // namespace
}  // namespace runsc::boot::setup
