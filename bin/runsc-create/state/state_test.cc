#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bin/runsc-create/process/host_process.h"
#include "bin/runsc-create/state/container_store.h"
#include "bin/runsc-create/state/exit_file.h"
#include "bin/runsc-create/state/state_json.h"
#include "ipc/exit_record.h"

namespace runsc::create {
namespace {

class ContainerStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/storeXXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern + "/a/b";
  }
  std::string root_;
};

TEST_F(ContainerStoreTest, KeepsWhatIsSaved) {
  auto store = ContainerStore::Create(root_, "c1");
  ASSERT_TRUE(store.ok()) << store.error().ToString();
  state::Container container;
  container.set_id("c1");
  container.set_bundle("/b");
  ASSERT_TRUE(store->Save(container).ok());
  auto loaded = store->Load();
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->bundle(), "/b");
  struct stat status;
  ASSERT_EQ(stat((root_ + "/c1").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
}

TEST_F(ContainerStoreTest, RefusesASecondContainerOfTheSameName) {
  ASSERT_TRUE(ContainerStore::Create(root_, "c1").ok());
  auto again = ContainerStore::Create(root_, "c1");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().message(), "container c1 already exists");
}

TEST_F(ContainerStoreTest, MissingContainerIsNamed) {
  auto store = ContainerStore::Open(root_, "c1");
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code(), ENOENT);
  EXPECT_EQ(store.error().message(), "container c1 does not exist");
}

TEST_F(ContainerStoreTest, IsLockedWhileOpen) {
  auto store = ContainerStore::Create(root_, "c1");
  ASSERT_TRUE(store.ok());
  FileDescriptor other(open((root_ + "/c1").c_str(), O_RDONLY | O_DIRECTORY));
  EXPECT_EQ(flock(other.get(), LOCK_EX | LOCK_NB), -1);
  store->Unlock();
  EXPECT_EQ(flock(other.get(), LOCK_EX | LOCK_NB), 0);
}

TEST_F(ContainerStoreTest, RemoveLeavesNothing) {
  auto store = ContainerStore::Create(root_, "c1");
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE(store->Save({}).ok());
  EXPECT_EQ(ContainerStore::List(root_).value_or({}).size(), 1u);
  EXPECT_TRUE(store->Remove().ok());
  EXPECT_EQ(access((root_ + "/c1").c_str(), F_OK), -1);
  EXPECT_EQ(ContainerStore::List(root_).value_or({"x"}).size(), 0u);
}

TEST_F(ContainerStoreTest, CreationThatWasCutShortHasAState) {
  auto store = ContainerStore::Create(root_, "c1");
  ASSERT_TRUE(store.ok());
  auto container = store->Load();
  ASSERT_TRUE(container.ok());
  EXPECT_EQ(container->phase(), state::Container::CREATING);
  EXPECT_EQ(StatusOf(*container), "stopped");
}

TEST_F(ContainerStoreTest, ExitFileTellsWhatWasRecorded) {
  auto store = ContainerStore::Create(root_, "c1");
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(ReadExitFile(*store).code(), ENODATA);
  auto file = MakeExitFile(*store);
  ASSERT_TRUE(file.ok()) << file.error().ToString();
  EXPECT_EQ(ReadExitFile(*store).code(), ENODATA);
  ExitRecord record = EncodeExit(42 << 8);
  ASSERT_EQ(pwrite(file->get(), &record, sizeof(record), 0), 8);
  EXPECT_EQ(ReadExitFile(*store).value_or(-1), 42 << 8);
  record = EncodeExit(0x7fffff00);
  ASSERT_EQ(pwrite(file->get(), &record, sizeof(record), 0), 8);
  EXPECT_EQ(ReadExitFile(*store).code(), ENODATA);
  ASSERT_EQ(ftruncate(file->get(), 3), 0);
  EXPECT_EQ(ReadExitFile(*store).code(), ENODATA);
  EXPECT_EQ(MakeExitFile(*store).code(), EEXIST);
  EXPECT_TRUE(store->Remove().ok());
}

TEST(ContainerId, RefusesWhatIsNoSafeFileName) {
  for (const char* id : {"a", "A-1_2.3+x", "0"}) EXPECT_TRUE(CheckContainerId(id).ok()) << id;
  for (const char* id : {"", ".", "..", "a/b", "a b", "-x", "\xc3\xa4", "a\nb"}) {
    EXPECT_FALSE(CheckContainerId(id).ok()) << id;
  }
  EXPECT_FALSE(CheckContainerId(std::string(256, 'a')).ok());
}

TEST(StateJson, HasTheFieldsOfTheSpecification) {
  state::Container container;
  container.set_id("c1");
  container.set_bundle("/b");
  container.set_phase(state::Container::RUNNING);
  *container.mutable_boot() = *Identify(getpid());
  (*container.mutable_spec()->mutable_annotations())["k"] = "v";
  std::string text = StateJson(container);
  EXPECT_NE(text.find("\"status\": \"running\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"pid\": " + std::to_string(getpid())), std::string::npos);
  EXPECT_NE(text.find("\"k\": \"v\""), std::string::npos);
  container.mutable_boot()->set_start_time(0);
  text = StateJson(container);
  EXPECT_NE(text.find("\"status\": \"stopped\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"pid\": 0"), std::string::npos);
}

}  // namespace
}  // namespace runsc::create
