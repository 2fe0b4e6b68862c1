#include "bin/runsc-boot/setup/exit_page.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace runsc::boot::setup {
namespace {

class ExitPageTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/exitXXXXXX";
    file_.Reset(mkstemp(path_.data()));
    ASSERT_TRUE(file_.valid());
  }
  void TearDown() override { unlink(path_.c_str()); }

  std::string path_;
  FileDescriptor file_;
};

TEST_F(ExitPageTest, RecordReachesTheFileWithoutTheDescriptor) {
  ASSERT_EQ(ftruncate(file_.get(), sizeof(ExitRecord)), 0);
  {
    auto page = ExitPage::Map(std::move(file_));
    ASSERT_TRUE(page.ok()) << page.error().ToString();
    EXPECT_FALSE(file_.valid());
    ExitPage moved = *std::move(page);
    moved.Record(3 << 8);
  }
  FileDescriptor reader(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  ExitRecord record = kNoExitRecord;
  ASSERT_EQ(read(reader.get(), &record, sizeof(record)), static_cast<ssize_t>(sizeof(record)));
  EXPECT_EQ(DecodeExit(record), 3 << 8);
}

TEST_F(ExitPageTest, RefusesAFileThatIsTooShort) {
  EXPECT_EQ(ExitPage::Map(std::move(file_)).code(), EINVAL);
}

TEST_F(ExitPageTest, RefusesWhatIsNoFile) {
  EXPECT_EQ(ExitPage::Map(FileDescriptor(open("/dev/zero", O_RDWR | O_CLOEXEC))).code(), EINVAL);
}

TEST_F(ExitPageTest, WithoutAPageNothingHappens) { ExitPage().Record(0); }

}  // namespace
}  // namespace runsc::boot::setup
