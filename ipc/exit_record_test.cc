#include "ipc/exit_record.h"

#include <gtest/gtest.h>

#include <csignal>

namespace runsc {
namespace {

TEST(ExitRecord, KeepsEveryEnd) {
  for (const int status : {0, 1 << 8, 255 << 8, SIGKILL, SIGSEGV | 0x80, 64}) {
    EXPECT_EQ(DecodeExit(EncodeExit(status)), status);
  }
}

TEST(ExitRecord, NothingRecordedIsNoEnd) { EXPECT_EQ(DecodeExit(kNoExitRecord), std::nullopt); }

TEST(ExitRecord, WithoutTheMarkIsNoEnd) {
  EXPECT_EQ(DecodeExit(42 << 8), std::nullopt);
  EXPECT_EQ(DecodeExit(~ExitRecord{0}), std::nullopt);
}

TEST(ExitRecord, WhatWaitNeverReportsIsNoEnd) {
  constexpr int kStopped = SIGSTOP << 8 | 0x7f, kContinued = 0xffff;
  for (const int status : {256 << 8, -1, -256, 65, kStopped, kContinued, SIGKILL | 1 << 8}) {
    EXPECT_EQ(DecodeExit(EncodeExit(status)), std::nullopt) << status;
  }
}

}  // namespace
}  // namespace runsc
