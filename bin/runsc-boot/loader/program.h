// What execve(2) is to run: files found, opened and parsed before anything of
// the old program is given up.
#ifndef RUNSC_BOOT_LOADER_PROGRAM_H_
#define RUNSC_BOOT_LOADER_PROGRAM_H_

#include <optional>
#include <string>
#include <vector>

#include "bin/runsc-boot/loader/elf.h"
#include "bin/runsc-boot/vfs/vfs.h"

namespace runsc::boot {

struct LoadedFile {
  FileRef file;
  ElfImage image;
};

struct Program {
  LoadedFile executable;
  std::shared_ptr<const WriteDenial> write_denial;  // of the executable
  Path path;                                        // of the executable (the script's interpreter)
  Attributes attributes;                            // of the executable, for set-id bits
  std::optional<LoadedFile> interpreter;
  bool unreadable = false;  // the caller may execute it or its interpreter, but not read it
  std::vector<std::string> args, env;
  std::string filename;  // AT_EXECFN
};

// Fills in a Program from `args`, `env` and `filename` (what a script's
// interpreter gets as its argument) and the file that `walk` and `name` lead
// to. EACCES: not a regular file, no execute permission, a noexec mount.
// ETXTBSY: open for writing. ENOEXEC, ELOOP (scripts nested too deep), E2BIG, ELIBBAD, EIO, and
// what the walk answers.
struct ProgramRequest {
  WalkOptions walk;
  std::string name;
  std::string filename;
  std::vector<std::string> args, env;
  uint64_t stack_limit = 8 << 20;
};
Result<Program> PrepareProgram(Vfs& vfs, Caller caller, ProgramRequest request);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_LOADER_PROGRAM_H_
