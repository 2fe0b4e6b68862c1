#include "bin/runsc-boot/loader/script.h"

namespace runsc::boot {

namespace {

constexpr std::string_view kBlanks = " \t";

}  // namespace

Result<ScriptLine> ParseScriptLine(std::string_view head) {
  std::string_view line = head.substr(2);
  if (size_t newline = line.find('\n'); newline != std::string_view::npos) {
    line = line.substr(0, newline);
  } else if (head.size() >= kScriptHead) {
    // The line goes on behind what was read: the name must at least have
    // ended. As Linux, the last byte of the buffer does not count.
    line = line.substr(0, kScriptHead - 1 - 2);
    const size_t name = line.find_first_not_of(kBlanks);
    if (name == std::string_view::npos) return Error(ENOEXEC);
    if (line.find_first_of(std::string_view(" \t\0", 3), name) == std::string_view::npos) {
      return Error(ENOEXEC);
    }
  }
  const size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return Error(ENOEXEC);
  line = line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin);

  const size_t end = line.find_first_of(std::string_view(" \t\0", 3));
  ScriptLine result;
  result.interpreter = line.substr(0, end);
  if (result.interpreter.empty()) return Error(ENOEXEC);
  if (end != std::string_view::npos && line[end] != '\0') {
    std::string_view argument = line.substr(line.find_first_not_of(kBlanks, end));
    argument = argument.substr(0, argument.find('\0'));
    if (!argument.empty()) result.argument = std::string(argument);
  }
  return result;
}

}  // namespace runsc::boot
