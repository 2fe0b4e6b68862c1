// "#!" scripts: the interpreter line, split as Linux splits it.
#ifndef RUNSC_BOOT_LOADER_SCRIPT_H_
#define RUNSC_BOOT_LOADER_SCRIPT_H_

#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

namespace runsc::boot {

struct ScriptLine {
  std::string interpreter;
  // All that follows the interpreter, blanks in front taken off, and those
  // before the end of the line. Empty for blanks at the end of a file that has
  // no end of line.
  std::optional<std::string> argument;
};

// How many bytes of a file decide what it is (Linux's BINPRM_BUF_SIZE).
constexpr size_t kScriptHead = 256;

inline bool IsScript(std::string_view head) { return head.starts_with("#!"); }
// `head`: the first bytes of a file that IsScript, at most kScriptHead of them.
// ENOEXEC: no interpreter, or its name is cut off. EACCES: the file ends in
// its place.
Result<ScriptLine> ParseScriptLine(std::string_view head);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_LOADER_SCRIPT_H_
