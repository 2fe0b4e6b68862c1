#include "bin/runsc-boot/ipc_sysv/id_table.h"

#include <gtest/gtest.h>

namespace runsc::boot::sysv {
namespace {

struct Object {
  Permissions permissions;
};

std::shared_ptr<Object> With(key_t key) {
  auto object = std::make_shared<Object>();
  object->permissions.key = key;
  return object;
}

TEST(IdTable, IndicesGoUpBeforeTheyAreUsedAgain) {
  IdTable<Object> table;
  for (int i = 0; i < 64; ++i) {
    auto object = With(IPC_PRIVATE);
    ASSERT_TRUE(table.Add(object, 10).ok());
    EXPECT_EQ(object->permissions.id, i);
    table.Remove(*object);
  }
  auto object = With(IPC_PRIVATE);
  ASSERT_TRUE(table.Add(object, 10).ok());
  EXPECT_EQ(IndexOf(object->permissions.id), 0);
  EXPECT_EQ(SequenceOf(object->permissions.id), 1);
  EXPECT_EQ(table.Find(0).code(), EINVAL);
  EXPECT_TRUE(table.FindIndex(0).ok());
}

TEST(IdTable, HoldsNoMoreThanItsLimit) {
  IdTable<Object> table;
  ASSERT_TRUE(table.Add(With(1), 2).ok());
  ASSERT_TRUE(table.Add(With(2), 2).ok());
  EXPECT_EQ(table.Add(With(3), 2).code(), ENOSPC);
  EXPECT_EQ(table.highest_index(), 1);
  EXPECT_EQ(table.FindKey(3), nullptr);
}

TEST(IdTable, FindsByKeyUntilItIsForgotten) {
  IdTable<Object> table;
  auto object = With(7);
  ASSERT_TRUE(table.Add(object, 10).ok());
  EXPECT_EQ(table.FindKey(7), object);
  table.ForgetKey(*object);
  EXPECT_EQ(table.FindKey(7), nullptr);
  EXPECT_TRUE(table.Find(object->permissions.id).ok());
}

TEST(IdTable, IsFilledToTheLastIndex) {
  IdTable<Object> table;
  for (int i = 0; i < kMostIds; ++i) ASSERT_TRUE(table.Add(With(IPC_PRIVATE), kMostIds).ok());
  EXPECT_EQ(table.Add(With(IPC_PRIVATE), kMostIds + 5).code(), ENOSPC);
  table.Remove(**table.FindIndex(77));
  auto last = With(IPC_PRIVATE);
  ASSERT_TRUE(table.Add(last, kMostIds).ok());
  EXPECT_EQ(IndexOf(last->permissions.id), 77);
}

}  // namespace
}  // namespace runsc::boot::sysv
