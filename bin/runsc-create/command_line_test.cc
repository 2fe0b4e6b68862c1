#include "bin/runsc-create/command_line.h"

#include <gtest/gtest.h>

#include <regex>
#include <vector>

#include "bin/runsc-create/log_files.h"

namespace runsc::create {
namespace {

CommandLine Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "runsc-create");
  return ParseCommandLine(static_cast<int>(words.size()), words.data());
}

TEST(CommandLine, AcceptsWhatDockerPasses) {
  CommandLine line =
      Parse({"--root", "/r", "--log", "/b/log.json", "--log-format", "json", "--systemd-cgroup",
             "create", "--bundle", "/b", "--pid-file", "/b/init.pid", "c1"});
  EXPECT_EQ(line.command, "create") << line.text;
  EXPECT_EQ(line.id, "c1");
  EXPECT_EQ(line.options.root, "/r");
  EXPECT_EQ(line.options.log, "/b/log.json");
  EXPECT_EQ(line.options.log_format, log::Format::kJson);
  EXPECT_EQ(Parse({"kill", "c1", "9"}).id, "c1");
  EXPECT_EQ(Parse({"kill", "--all", "c1", "KILL"}).command, "kill");
  EXPECT_EQ(Parse({"delete", "--force", "c1"}).id, "c1");
  EXPECT_EQ(Parse({"run", "--bundle=/b", "-d", "c1"}).command, "run");
  EXPECT_EQ(Parse({"list", "--format", "json"}).command, "list");
}

TEST(CommandLine, WrongUsageIsAnErrorThatNamesIt) {
  for (std::vector<const char*> words : {std::vector<const char*>{"frobnicate"},
                                         {"create"},
                                         {"--network", "lan", "list"},
                                         {"--log-format", "xml", "list"},
                                         {"start", "a", "b"},
                                         {"create", "--frob", "a"}}) {
    CommandLine line = Parse(words);
    EXPECT_EQ(line.exit_code, 1) << words[0];
    EXPECT_TRUE(line.text_is_error);
    EXPECT_TRUE(line.command.empty());
  }
  EXPECT_NE(Parse({"--network", "lan", "list"}).text.find("lan"), std::string::npos);
}

TEST(CommandLine, TheLastOfSeveralFlagsWins) {
  EXPECT_EQ(Parse({"--root", "/a", "--root=/b", "--debug", "--debug", "list"}).options.root, "/b");
  EXPECT_EQ(
      Parse({"exec", "-u", "1", "-u", "0", "-d", "-d", "-e", "A=1", "-e", "A=2", "c1", "sh"}).id,
      "c1");
}

TEST(CommandLine, AMarkMayStandBeforeTheName) {
  for (std::vector<const char*> words :
       {std::vector<const char*>{"exec", "--", "c1", "sh"},
        {"--root", "/r", "exec", "-dtu", "0", "--", "c1", "sh"},
        {"exec", "--env", "--", "--env=A=b", "-eA=b", "--", "c1", "sh"},
        {"exec", "c1", "--", "c2"},
        {"ps", "-f", "json", "--", "c1", "-ef"}}) {
    CommandLine line = Parse(words);
    EXPECT_EQ(line.id, "c1") << words[1] << " " << line.text;
  }
  EXPECT_EQ(Parse({"exec", "--"}).exit_code, 1);
  EXPECT_EQ(Parse({"exec", "-u", "--"}).exit_code, 1);
}

TEST(CommandLine, ExplainsItself) {
  EXPECT_NE(Parse({"--version"}).text.find("version 0."), std::string::npos);
  EXPECT_EQ(Parse({"--version"}).exit_code, 0);
  EXPECT_NE(Parse({"help"}).text.find("delete a container"), std::string::npos);
  EXPECT_NE(Parse({"help", "kill"}).text.find("signal"), std::string::npos);
  EXPECT_NE(Parse({"kill", "--help"}).text.find("signal"), std::string::npos);
  EXPECT_EQ(Parse({"help", "nothing"}).exit_code, 1);
  EXPECT_NE(Parse({}).text.find("create"), std::string::npos);
}

TEST(DebugLogPath, NamesTheCommandAndTheTime) {
  EXPECT_EQ(DebugLogPath("/x/%ID%.%COMMAND%", "c1", "boot"), "/x/c1.boot");
  std::string path = DebugLogPath("/x/", "c1", "create");
  EXPECT_TRUE(std::regex_match(path, std::regex(R"(/x/runsc\.log\.\d{8}-\d{6}\.\d{6}\.create)")))
      << path;
  path = DebugLogPath("/tmp", "c1", "create");
  EXPECT_EQ(path.substr(0, 15), "/tmp/runsc.log.");
}

}  // namespace
}  // namespace runsc::create
