#include "bin/runsc-boot/loader/script.h"

namespace runsc::boot {

namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kEnds{" \t\0", 3};

// Where the line ends in the buffer, which is filled up with zeros: the byte
// behind a short file ends the name, and nothing is taken off in front of it.
// ENOEXEC: the name is cut off.
Result<size_t> EndOfLine(std::string_view buffer) {
  if (size_t newline = buffer.substr(0, buffer.find('\0')).find('\n');
      newline != std::string_view::npos) {
    return newline;
  }
  // As Linux, the last byte does not count.
  const size_t end = buffer.size() - 1;
  const size_t name = buffer.substr(0, end).find_first_not_of(kBlanks, 2);
  if (name == std::string_view::npos) return Error(ENOEXEC);
  if (buffer.substr(0, end).find_first_of(kEnds, name) == std::string_view::npos) {
    return Error(ENOEXEC);
  }
  return end;
}

}  // namespace

Result<ScriptLine> ParseScriptLine(std::string_view head) {
  std::string buffer(head);
  buffer.resize(kScriptHead);
  TRY_ASSIGN(const size_t end, EndOfLine(buffer));
  std::string_view line = std::string_view(buffer).substr(2, end - 2);
  const size_t name = line.find_first_not_of(kBlanks);
  if (name == std::string_view::npos) return Error(ENOEXEC);
  line = line.substr(name, line.find_last_not_of(kBlanks) + 1 - name);

  const size_t name_end = line.find_first_of(kEnds);
  ScriptLine result;
  result.interpreter = line.substr(0, name_end);
  // Linux executes the name "", which is the working directory.
  if (result.interpreter.empty()) return Error(EACCES);
  if (name_end != std::string_view::npos && line[name_end] != '\0') {
    std::string_view argument = line.substr(line.find_first_not_of(kBlanks, name_end));
    result.argument = std::string(argument.substr(0, argument.find('\0')));
  }
  return result;
}

}  // namespace runsc::boot
