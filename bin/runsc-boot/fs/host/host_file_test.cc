#include "bin/runsc-boot/fs/host/host_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "absl/synchronization/notification.h"
#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

class HostFileTest : public ::testing::Test {
 protected:
  HostFileTest() { signal(SIGPIPE, SIG_IGN); }
  FileRef Make(int fd) {
    auto file = MakeHostFile(vfs_, context_, poller_, FileDescriptor(fd));
    EXPECT_TRUE(file.ok());
    return *file;
  }
  Result<std::string> Read(File& file, size_t size = 100) {
    std::string text(size, 0);
    KernelBuffer buffer(text.data(), text.size());
    TRY_ASSIGN(size_t count, file.Read(context_, buffer));
    text.resize(count);
    return text;
  }
  Result<size_t> Write(File& file, std::string text) {
    KernelBuffer buffer(text.data(), text.size());
    Result<size_t> count = file.Write(context_, buffer);
    // What could not be written is still in the buffer.
    EXPECT_EQ(buffer.position(), count.ok() ? *count : 0);
    return count;
  }
  Vfs vfs_;
  KernelContext context_;
  HostPoller poller_;
};

TEST_F(HostFileTest, PipesDoNotBlockAndStayAsTheyAre) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  int watched = dup(ends[0]);
  FileRef reader = Make(ends[0]), writer = Make(ends[1]);
  EXPECT_EQ(Read(*reader).code(), EAGAIN);
  EXPECT_EQ(*Write(*writer, "hello"), 5u);
  EXPECT_EQ(*Read(*reader), "hello");
  EXPECT_EQ(fcntl(watched, F_GETFL) & O_NONBLOCK, 0);
  size_t total = 0;
  Result<size_t> count = Write(*writer, std::string(200000, 'x'));
  for (; count.ok(); count = Write(*writer, std::string(200000, 'x'))) total += *count;
  EXPECT_EQ(count.code(), EAGAIN);
  EXPECT_GE(total, 60000u);
  EXPECT_EQ(writer->Poll() & EPOLLOUT, 0u);
  reader.reset();
  close(watched);
  EXPECT_EQ(Write(*writer, "x").code(), EPIPE);
}

TEST_F(HostFileTest, TheQueueIsNotifiedWhenDataArrives) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  FileRef file = Make(ends[0]);
  absl::Notification arrived;
  WaitEntry entry(EPOLLIN, [&](PollEvents events) {
    if ((events & EPOLLIN) != 0 && !arrived.HasBeenNotified()) arrived.Notify();
  });
  file->wait_queue()->Register(entry);
  EXPECT_EQ(Read(*file).code(), EAGAIN);
  ASSERT_EQ(write(ends[1], "data", 4), 4);
  ASSERT_TRUE(arrived.WaitForNotificationWithTimeout(absl::Seconds(10)));
  EXPECT_EQ(*Read(*file), "data");
  close(ends[1]);
  EXPECT_EQ(*Read(*file), "");
}

TEST_F(HostFileTest, RegularFilesShareTheHostsPosition) {
  int fd = memfd_create("test", MFD_CLOEXEC);
  int shared = dup(fd);
  FileRef file = Make(fd);
  EXPECT_EQ(*Write(*file, "one"), 3u);
  ASSERT_EQ(write(shared, "two", 3), 3);
  EXPECT_EQ(*file->Seek(context_, 0, SEEK_CUR), 6u);
  EXPECT_EQ(*file->Seek(context_, 0, SEEK_SET), 0u);
  EXPECT_EQ(*Read(*file), "onetwo");
  EXPECT_EQ(file->GetAttributes()->size, 6u);
  EXPECT_FALSE(file->pollable());
  EXPECT_EQ(file->wait_queue(), nullptr);
  close(shared);
}

TEST_F(HostFileTest, OpeningAgainNeedsTheSameAccess) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  FileRef reader = Make(ends[0]), writer = Make(ends[1]);
  EXPECT_EQ(writer->inode()->Open(context_, writer->path(), O_RDONLY).code(), EACCES);
  auto again = writer->inode()->Open(context_, writer->path(), O_WRONLY);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*Write(**again, "again"), 5u);
  EXPECT_EQ(*Read(*reader), "again");
  // Both wait on the one queue of the host's descriptor.
  EXPECT_EQ((*again)->wait_queue(), writer->wait_queue());
  EXPECT_NE(writer->wait_queue(), nullptr);
}

TEST_F(HostFileTest, DirectoriesAreRefused) {
  EXPECT_EQ(MakeHostFile(vfs_, context_, poller_, FileDescriptor(open("/", O_RDONLY))).code(),
            EISDIR);
}

}  // namespace
}  // namespace runsc::boot
