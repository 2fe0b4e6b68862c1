#include "bin/runsc-boot/loader/vdso.h"

#include <gtest/gtest.h>
#include <sys/auxv.h>

#include <ctime>
#include <fstream>
#include <string>

namespace runsc::boot {
namespace {

TEST(Vdso, FunctionsAreFoundByName) {
  const auto function = FindVdsoFunction("__vdso_clock_gettime");
  ASSERT_TRUE(function.has_value());
  EXPECT_LE(function->offset + function->size, VdsoSize());
  auto* read = reinterpret_cast<int (*)(clockid_t, timespec*)>(getauxval(AT_SYSINFO_EHDR) +
                                                               function->offset);
  timespec before, now{};
  clock_gettime(CLOCK_MONOTONIC, &before);
  ASSERT_EQ(read(CLOCK_MONOTONIC, &now), 0);
  EXPECT_GE(now.tv_sec, before.tv_sec);
  EXPECT_LE(now.tv_sec, before.tv_sec + 60);
  EXPECT_FALSE(FindVdsoFunction("__vdso_nothing").has_value());
}

TEST(Vdso, SizeIsThatOfTheMapping) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line) && line.find("[vdso]") == std::string::npos) {
  }
  uint64_t begin = 0, end = 0;
  ASSERT_EQ(sscanf(line.c_str(), "%lx-%lx", &begin, &end), 2) << line;
  EXPECT_EQ(VdsoSize(), end - begin);
}

}  // namespace
}  // namespace runsc::boot
