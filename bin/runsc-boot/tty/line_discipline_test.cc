#include "bin/runsc-boot/tty/line_discipline.h"

#include <asm/ioctls.h>
#include <gtest/gtest.h>

#include <csignal>

namespace runsc::boot::tty {
namespace {

class LineDisciplineTest : public ::testing::Test {
 protected:
  void Change(tcflag_t set, tcflag_t clear) {
    Termios termios = line_.termios();
    termios.c_lflag = (termios.c_lflag | set) & ~clear;
    line_.SetTermios(termios);
  }
  std::string Shown() { return std::exchange(line_.output(), ""); }

  LineDiscipline line_;
};

TEST_F(LineDisciplineTest, ALineIsReadableWhenItEnds) {
  line_.Receive("ls");
  EXPECT_FALSE(line_.Readable(1));
  line_.Receive("\r");
  EXPECT_TRUE(line_.Readable(1));
  EXPECT_EQ(line_.Take(100), "ls\n");
  EXPECT_EQ(Shown(), "ls\r\n");
}

TEST_F(LineDisciplineTest, OneReadGetsOneLine) {
  line_.Receive("one\ntwo\n");
  EXPECT_EQ(line_.Take(2), "on");
  EXPECT_EQ(line_.Take(100), "e\n");
  EXPECT_EQ(line_.Take(100), "two\n");
}

TEST_F(LineDisciplineTest, EndOfFileIsAnEmptyLine) {
  line_.Receive("ab\004\004");
  EXPECT_EQ(line_.Take(2), "ab");
  EXPECT_TRUE(line_.Readable(1));
  EXPECT_EQ(line_.Take(100), "");
  EXPECT_FALSE(line_.Readable(1));
}

TEST_F(LineDisciplineTest, ErasingTakesBackAndShowsIt) {
  line_.Receive("ab\177\177\177c\n");
  EXPECT_EQ(line_.Take(100), "c\n");
  EXPECT_EQ(Shown(), "ab\b \b\b \bc\r\n");
}

TEST_F(LineDisciplineTest, WordsAndLinesCanBeErased) {
  line_.Receive("one two\027x\n");
  EXPECT_EQ(line_.Take(100), "one x\n");
  line_.Receive("gone\025kept\n");
  EXPECT_EQ(line_.Take(100), "kept\n");
}

TEST_F(LineDisciplineTest, SignalsFlush) {
  line_.Receive("typed\003");
  EXPECT_EQ(line_.TakeSignals(), std::vector<int>{SIGINT});
  EXPECT_TRUE(line_.TakeSignals().empty());
  EXPECT_FALSE(line_.Readable(1));
  EXPECT_EQ(Shown(), "typed^C");
}

TEST_F(LineDisciplineTest, RawModeReadsBytesAtOnce) {
  Change(0, ICANON | ECHO);
  line_.Receive("a");
  EXPECT_TRUE(line_.Readable(1));
  EXPECT_FALSE(line_.Readable(2));
  EXPECT_EQ(line_.Take(100), "a");
  EXPECT_EQ(Shown(), "");
}

TEST_F(LineDisciplineTest, WhatWasTypedBecomesALineInCanonicalMode) {
  Change(0, ICANON);
  line_.Receive("part");
  Change(ICANON, 0);
  EXPECT_TRUE(line_.Readable(1));
  EXPECT_EQ(line_.Take(100), "part");
}

TEST_F(LineDisciplineTest, ALineThatIsTooLongCanEnd) {
  EXPECT_EQ(line_.Receive(std::string(10'000, 'x')), 10'000u);
  EXPECT_FALSE(line_.Readable(1));
  line_.Receive("\n");
  EXPECT_EQ(line_.Take(10'000).size(), InputQueue::kCapacity);
}

TEST_F(LineDisciplineTest, InputIsBoundedInRawMode) {
  Change(0, ICANON);
  EXPECT_EQ(line_.Receive(std::string(10'000, 'x')), InputQueue::kCapacity - 1);
}

TEST_F(LineDisciplineTest, OutputIsBoundedAndEchoWaits) {
  const std::string much(LineDiscipline::kOutputLimit * 2, 'x');
  EXPECT_LE(line_.Write(much), LineDiscipline::kOutputLimit);
  EXPECT_LE(line_.output().size(), LineDiscipline::kOutputLimit);
  for (int i = 0; i < 100; ++i) line_.Receive(std::string(1000, 'y'));
  EXPECT_LE(line_.output().size(), LineDiscipline::kOutputLimit + 4096);
}

TEST_F(LineDisciplineTest, FlowControlCharactersAreBounded) {
  for (size_t i = 0; i < LineDiscipline::kOutputLimit + 10; ++i) line_.SendRaw('\023');
  EXPECT_EQ(line_.output().size(), LineDiscipline::kOutputLimit);
}

TEST_F(LineDisciplineTest, StoppedOutputHoldsEchoBack) {
  line_.Receive("\023ab");
  EXPECT_TRUE(line_.stopped());
  EXPECT_EQ(line_.Write("x"), 0u);
  EXPECT_EQ(Shown(), "");
  line_.Receive("\021");
  EXPECT_EQ(Shown(), "ab");
  EXPECT_EQ(line_.Write("x"), 1u);
}

TEST_F(LineDisciplineTest, PacketModeTellsWhatHappened) {
  line_.SetPacketMode(true);
  line_.Receive("\023");
  EXPECT_EQ(line_.TakePacketStatus(), TIOCPKT_STOP);
  line_.Receive("\021");
  EXPECT_EQ(line_.TakePacketStatus(), TIOCPKT_START);
  EXPECT_EQ(line_.TakePacketStatus(), 0);
}

TEST_F(LineDisciplineTest, TabsAreErasedToTheirColumn) {
  line_.Receive("ab\tc\177\177");
  EXPECT_EQ(Shown(), "ab\tc\b \b\b\b\b\b\b\b");
}

TEST_F(LineDisciplineTest, SpeedsAreNumbers) {
  Termios termios = line_.termios();
  termios.c_cflag = (termios.c_cflag & ~CBAUD) | B9600 | PARENB | CS7;
  line_.SetTermios(termios);
  EXPECT_EQ(line_.termios().c_ospeed, 9600u);
  EXPECT_EQ(line_.termios().c_ispeed, 9600u);
  EXPECT_EQ(line_.termios().c_cflag & (CSIZE | PARENB), tcflag_t{CS8});
}

}  // namespace
}  // namespace runsc::boot::tty
