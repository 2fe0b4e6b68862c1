#include "bin/runsc-boot/fs/pipe/pipe.h"

#include <gtest/gtest.h>

#include <string>

#include "bin/runsc-boot/vfs/kernel_context.h"

namespace runsc::boot {
namespace {

class PipeTest : public ::testing::Test {
 protected:
  PipeTest() : ends_(MakePipe(vfs_, context_, 0)) {}

  Result<size_t> Write(std::string text) {
    KernelBuffer buffer(text.data(), text.size());
    return ends_.writer->Write(context_, buffer);
  }
  Result<std::string> Read(size_t size) {
    std::string text(size, 0);
    KernelBuffer buffer(text.data(), text.size());
    TRY_ASSIGN(size_t count, ends_.reader->Read(context_, buffer));
    text.resize(count);
    return text;
  }

  Vfs vfs_;
  KernelContext context_;
  PipeEnds ends_;
};

TEST_F(PipeTest, CarriesBytesInOrder) {
  EXPECT_EQ(Read(1).code(), EAGAIN);
  EXPECT_EQ(*Write("hello "), 6u);
  EXPECT_EQ(*Write("world"), 5u);
  EXPECT_EQ(*Read(3), "hel");
  EXPECT_EQ(*Read(100), "lo world");
  EXPECT_EQ(Read(1).code(), EAGAIN);
}

TEST_F(PipeTest, LargeWritesFillItAndSmallOnesAreAtomic) {
  EXPECT_EQ(*Write(std::string(100000, 'a')), 65536u);
  EXPECT_EQ(Write("b").code(), EAGAIN);
  EXPECT_EQ(ends_.writer->Poll() & EPOLLOUT, 0u);
  EXPECT_EQ(Read(4000)->size(), 4000u);
  EXPECT_EQ(Write(std::string(4096, 'c')).code(), EAGAIN);
  EXPECT_EQ(*Write(std::string(4000, 'd')), 4000u);
  std::string rest = *Read(1 << 20);
  EXPECT_EQ(rest, std::string(61536, 'a') + std::string(4000, 'd'));
}

TEST_F(PipeTest, ReadersSeeTheEndWhenTheLastWriterIsGone) {
  PollEvents seen = 0;
  WaitEntry entry(EPOLLIN, [&](PollEvents events) { seen |= events; });
  ends_.reader->wait_queue()->Register(entry);
  ASSERT_TRUE(Write("x").ok());
  EXPECT_NE(seen & EPOLLIN, 0u);
  ends_.writer.reset();
  EXPECT_NE(seen & EPOLLHUP, 0u);
  EXPECT_EQ(ends_.reader->Poll() & (EPOLLIN | EPOLLHUP), PollEvents{EPOLLIN | EPOLLHUP});
  EXPECT_EQ(*Read(10), "x");
  EXPECT_EQ(*Read(10), "");
}

TEST_F(PipeTest, WritersGetEpipeWithoutReaders) {
  ends_.reader.reset();
  EXPECT_EQ(Write("x").code(), EPIPE);
  EXPECT_NE(ends_.writer->Poll() & EPOLLERR, 0u);
}

TEST_F(PipeTest, CapacityCanBeChanged) {
  Pipe& pipe = ends_.writer->pipe();
  EXPECT_EQ(*pipe.SetCapacity(context_, 5000), 8192u);
  EXPECT_EQ(*Write(std::string(100000, 'a')), 8192u);
  EXPECT_EQ(pipe.SetCapacity(context_, 4096).code(), EBUSY);
  EXPECT_EQ(*pipe.SetCapacity(context_, 1 << 20), size_t{1 << 20});
  EXPECT_EQ(*Write(std::string(100000, 'b')), 100000u);
  EXPECT_EQ(Read(1 << 20)->size(), 108192u);
  KernelContext nobody(std::make_shared<Credentials>());
  EXPECT_EQ(pipe.SetCapacity(nobody, 2 << 20).code(), EPERM);
}

TEST_F(PipeTest, PacketsAreReadOneByOne) {
  ASSERT_TRUE(ends_.writer->SetFlags(O_DIRECT).ok());
  ASSERT_TRUE(Write("one").ok());
  ASSERT_TRUE(Write("second").ok());
  EXPECT_EQ(*Read(100), "one");
  EXPECT_EQ(*Read(3), "sec");
  EXPECT_EQ(Read(100).code(), EAGAIN);
}

TEST_F(PipeTest, FstatShowsAFifoAndProcAName) {
  EXPECT_TRUE(S_ISFIFO(ends_.reader->GetAttributes()->mode));
  EXPECT_EQ(ends_.reader->GetAttributes()->ino, ends_.writer->GetAttributes()->ino);
  EXPECT_EQ(ends_.reader->Describe().substr(0, 6), "pipe:[");
}

TEST_F(PipeTest, ItCanBeOpenedAgainByItsInode) {
  auto again = ends_.reader->inode()->Open(context_, ends_.reader->path(), O_WRONLY);
  ASSERT_TRUE(again.ok());
  ends_.writer.reset();
  char text[] = "z";
  KernelBuffer buffer(text, 1);
  EXPECT_EQ(*(*again)->Write(context_, buffer), 1u);
  EXPECT_EQ(*Read(10), "z");
}

TEST_F(PipeTest, APipeWithoutANameOpensAtOnceWhenItsWritersHaveGone) {
  ends_.writer.reset();
  auto again = ends_.reader->inode()->Open(context_, ends_.reader->path(), O_RDONLY);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(static_cast<PipeFile&>(**again).WaitingForPeer());
  EXPECT_NE((*again)->Poll() & EPOLLHUP, 0u);
}

TEST_F(PipeTest, AnOpenedFifoWaitsUntilAPeerHasBeenThere) {
  auto pipe = std::make_shared<Pipe>();
  Path path = ends_.reader->path();
  PipeFile reader(path, O_RDONLY, pipe);
  EXPECT_TRUE(reader.WaitingForPeer());
  EXPECT_EQ(reader.Poll() & EPOLLHUP, 0u);
  {
    PipeFile writer(path, O_WRONLY, pipe);
  }
  EXPECT_FALSE(reader.WaitingForPeer());
  EXPECT_NE(reader.Poll() & EPOLLHUP, 0u);
}

}  // namespace
}  // namespace runsc::boot
