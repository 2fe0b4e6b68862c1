#include "bin/runsc-boot/loader/script.h"

#include <gtest/gtest.h>

namespace runsc::boot {
namespace {

struct Case {
  std::string head;
  std::string interpreter;  // empty: ENOEXEC
  std::optional<std::string> argument;
};

TEST(ScriptLine, SplitsAsLinux) {
  const Case cases[] = {
      {"#!/bin/sh\necho\n", "/bin/sh", {}},
      {"#! /bin/sh", "/bin/sh", {}},
      {"#!\t /bin/sh  \t\n", "/bin/sh", {}},
      {"#!/usr/bin/env -S a  b \n", "/usr/bin/env", "-S a  b"},
      {"#!/bin/sh\t-e\n", "/bin/sh", "-e"},
      {std::string("#!/bin/sh\0-e\n", 13), "/bin/sh", {}},
      {"#!\n", "", {}},
      {"#!   \t\n", "", {}},
      {"#!/bin/sh -x\r\n", "/bin/sh", "-x\r"},
      {"#!/bin/sh -x ", "/bin/sh", "-x "},
      {"#!/bin/sh ", "/bin/sh", ""},
  };
  for (const Case& c : cases) {
    Result<ScriptLine> line = ParseScriptLine(c.head);
    if (c.interpreter.empty()) {
      EXPECT_EQ(line.code(), ENOEXEC) << c.head;
      continue;
    }
    ASSERT_TRUE(line.ok()) << c.head;
    EXPECT_EQ(line->interpreter, c.interpreter) << c.head;
    EXPECT_EQ(line->argument, c.argument) << c.head;
  }
}

TEST(ScriptLine, AFileThatEndsBeforeTheNameNamesTheWorkingDirectory) {
  EXPECT_EQ(ParseScriptLine("#!").code(), EACCES);
  EXPECT_EQ(ParseScriptLine("#! \t").code(), EACCES);
  EXPECT_EQ(ParseScriptLine(std::string("#!\0/bin/sh\n", 11)).code(), EACCES);
}

TEST(ScriptLine, ANameThatIsCutOffIsRefused) {
  EXPECT_EQ(ParseScriptLine("#!/" + std::string(kScriptHead - 3, 'x')).code(), ENOEXEC);
  EXPECT_EQ(ParseScriptLine("#!" + std::string(kScriptHead - 2, ' ')).code(), ENOEXEC);
}

TEST(ScriptLine, AnArgumentThatIsCutOffIsShortened) {
  const std::string head = "#!/bin/sh " + std::string(kScriptHead - 10, 'x');
  Result<ScriptLine> line = ParseScriptLine(head);
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->argument, std::string(kScriptHead - 11, 'x'));
}

}  // namespace
}  // namespace runsc::boot
