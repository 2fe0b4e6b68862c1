#include "bin/runsc-boot/vfs/fd_table.h"

#include <gtest/gtest.h>

namespace runsc::boot {
namespace {

FileRef NewFile() { return std::make_shared<File>(Path{}, O_RDWR); }

TEST(FdTableTest, GivesTheLowestFreeNumber) {
  FdTable table;
  FileRef file = NewFile();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(*table.Install(file, false, 100), i);
  ASSERT_TRUE(table.Remove(3).ok());
  ASSERT_TRUE(table.Remove(1).ok());
  EXPECT_EQ(*table.Install(file, false, 100), 1);
  EXPECT_EQ(*table.Install(file, false, 100), 3);
  EXPECT_EQ(*table.Install(file, false, 100, 10), 10);
  EXPECT_EQ(*table.Install(file, false, 100), 5);
  EXPECT_EQ(table.Numbers(), (std::vector<int>{0, 1, 2, 3, 4, 5, 10}));
}

TEST(FdTableTest, KeepsTheLimit) {
  FdTable table;
  FileRef file = NewFile();
  EXPECT_EQ(*table.Install(file, false, 1), 0);
  EXPECT_EQ(table.Install(file, false, 1).code(), EMFILE);
  EXPECT_EQ(table.Install(file, false, 5, 5).code(), EMFILE);
  EXPECT_EQ(table.InstallPair(file, file, false, 2).code(), EMFILE);
  EXPECT_EQ(table.Numbers().size(), 1u);
  EXPECT_EQ(table.Replace(7, file, false, 7).code(), EBADF);
  EXPECT_EQ(table.Replace(-1, file, false, 7).code(), EBADF);
}

TEST(FdTableTest, PairsTakeTwoNumbersWithGaps) {
  FdTable table;
  FileRef file = NewFile();
  ASSERT_TRUE(table.Replace(1, file, false, 10).ok());
  EXPECT_EQ(*table.InstallPair(file, file, true, 10), (std::pair<int, int>(0, 2)));
  EXPECT_TRUE(table.GetEntry(2)->close_on_exec);
  EXPECT_EQ(*table.Install(file, false, 10), 3);
}

TEST(FdTableTest, ReplaceReturnsWhatWasThere) {
  FdTable table;
  FileRef first = NewFile(), second = NewFile();
  EXPECT_EQ(*table.Replace(2, first, true, 10), nullptr);
  EXPECT_EQ(*table.Replace(2, second, false, 10), first);
  EXPECT_EQ(*table.Get(2), second);
  EXPECT_FALSE(table.GetEntry(2)->close_on_exec);
}

TEST(FdTableTest, ExecRemovesMarkedOnes) {
  FdTable table;
  for (int i = 0; i < 6; ++i) (void)table.Install(NewFile(), i % 2 == 1, 100);
  table.MarkRange(4, 100);
  EXPECT_EQ(table.RemoveCloseOnExec().size(), 4u);
  EXPECT_EQ(table.Numbers(), (std::vector<int>{0, 2}));
  EXPECT_EQ(table.Get(1).code(), EBADF);
  EXPECT_EQ(table.SetCloseOnExec(1, true).code(), EBADF);
}

TEST(FdTableTest, ACopyIsIndependent) {
  FdTable table;
  FileRef file = NewFile();
  (void)table.Install(file, false, 100);
  auto copy = table.Clone();
  ASSERT_TRUE(table.Remove(0).ok());
  EXPECT_EQ(*copy->Get(0), file);
  EXPECT_EQ(*copy->Install(file, false, 100), 1);
  EXPECT_EQ(copy->RemoveRange(0, ~0u).size(), 2u);
  EXPECT_EQ(copy->Get(-1).code(), EBADF);
}

}  // namespace
}  // namespace runsc::boot
