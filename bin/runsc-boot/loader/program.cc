#include "bin/runsc-boot/loader/program.h"

#include <sys/inotify.h>
#include <sys/mount.h>

#include <array>
#include <span>
#include <utility>

#include "bin/runsc-boot/loader/script.h"
#include "bin/runsc-boot/loader/stack.h"
#include "bin/runsc-boot/vfs/dentry.h"
#include "bin/runsc-boot/vfs/io_buffer.h"

namespace runsc::boot {

namespace {

// As Linux: the sixth nested script is one too many.
constexpr int kMaxScriptDepth = 5;

struct OpenedFile {
  FileRef file;
  Path path;
  Attributes attributes;
  std::shared_ptr<const WriteDenial> write_denial;
  bool unreadable = false;
};

Result<OpenedFile> OpenForExec(Vfs& vfs, Caller caller, const WalkOptions& walk,
                               const std::string& name) {
  TRY_ASSIGN(Path path, vfs.Walk(caller, walk, name));
  TRY_ASSIGN(const Attributes attributes, vfs.GetAttributes(path));
  if (attributes.IsSymlink()) return Error(ELOOP);
  // A memfd lies in no mount.
  const bool no_exec = path.mount != nullptr && (path.mount->flags() & MS_NOEXEC) != 0;
  if (!attributes.IsRegular() || no_exec) return Error(EACCES);
  // A file may be executable without being readable.
  TRY(vfs.CheckAccess(caller, path, kExecute));
  InodeRef inode = path.dentry->inode();
  if (inode == nullptr) return Error(ENOENT);
  TRY_ASSIGN(std::shared_ptr<const WriteDenial> denial, WriteDenial::Take(inode));
  TRY_ASSIGN(FileRef file, inode->Open(caller.context, path, O_RDONLY));
  ReportPath(path, IN_OPEN);
  const bool unreadable = !vfs.CheckAccess(caller, path, kRead).ok();
  return OpenedFile{std::move(file), std::move(path), attributes, std::move(denial), unreadable};
}

// Reads up to the whole of `buffer`; less at the end of the file.
Result<size_t> ReadAt(Context& context, File& file, uint64_t offset, void* buffer, size_t size) {
  KernelBuffer destination(buffer, size);
  while (destination.remaining() > 0) {
    TRY_ASSIGN(const size_t count,
               file.PRead(context, destination, offset + destination.position()));
    if (count == 0) break;
  }
  return destination.position();
}

Result<ElfImage> ReadImage(Context& context, File& file, std::string_view head) {
  const auto* bytes = reinterpret_cast<const std::byte*>(head.data());
  TRY_ASSIGN(const ElfHeader header, ParseElfHeader({bytes, head.size()}));
  std::vector<std::byte> table(header.program_headers_size());
  TRY_ASSIGN(const size_t count,
             ReadAt(context, file, header.program_headers_offset, table.data(), table.size()));
  if (count < table.size()) return Error(ENOEXEC);
  return ParseElfImage(header, table);
}

Result<std::string> ReadHead(Context& context, File& file) {
  std::string head(kScriptHead, '\0');
  TRY_ASSIGN(const size_t count, ReadAt(context, file, 0, head.data(), head.size()));
  head.resize(count);
  return head;
}

struct Interpreter {
  LoadedFile loaded;
  bool unreadable = false;
};

Result<Interpreter> OpenInterpreter(Vfs& vfs, Caller caller, File& executable,
                                    const ElfImage::Range& range) {
  std::string name(range.size, '\0');
  TRY_ASSIGN(const size_t count,
             ReadAt(caller.context, executable, range.offset, name.data(), name.size()));
  if (count < name.size() || name.back() != '\0') return Error(ENOEXEC);
  name.resize(name.find('\0'));
  TRY_ASSIGN(OpenedFile opened, OpenForExec(vfs, caller, {.start = caller.fs.cwd()}, name));
  TRY_ASSIGN(const std::string head, ReadHead(caller.context, *opened.file));
  Result<ElfImage> image = ReadImage(caller.context, *opened.file, head);
  // An interpreter that is no ELF file is ELIBBAD.
  if (image.code() == ENOEXEC) return Error(ELIBBAD);
  if (!image.ok()) return std::move(image).error();
  return Interpreter{{std::move(opened.file), *std::move(image)}, opened.unreadable};
}

// Makes `request` start the script's interpreter.
Status ApplyScript(Caller caller, std::string_view head, ProgramRequest& request) {
  TRY_ASSIGN(ScriptLine line, ParseScriptLine(head));
  std::vector<std::string> args = {line.interpreter};
  if (line.argument.has_value()) args.push_back(*std::move(line.argument));
  args.push_back(request.filename);
  if (!request.args.empty()) {
    args.insert(args.end(), std::make_move_iterator(request.args.begin() + 1),
                std::make_move_iterator(request.args.end()));
  }
  request.args = std::move(args);
  TRY(CheckArgLimits(request.args, request.env, request.stack_limit));
  request.walk = {.start = caller.fs.cwd()};
  request.name = request.filename = line.interpreter;
  return Ok();
}

}  // namespace

Result<Program> PrepareProgram(Vfs& vfs, Caller caller, ProgramRequest request) {
  TRY(CheckArgLimits(request.args, request.env, request.stack_limit));
  // As Linux since 5.18: a program always has argv[0].
  if (request.args.empty()) request.args.emplace_back();
  const std::string filename = request.filename;
  for (int depth = 0;; ++depth) {
    TRY_ASSIGN(OpenedFile opened, OpenForExec(vfs, caller, request.walk, request.name));
    if (depth > kMaxScriptDepth) return Error(ELOOP);
    TRY_ASSIGN(const std::string head, ReadHead(caller.context, *opened.file));
    if (IsScript(head)) {
      TRY(ApplyScript(caller, head, request));
      continue;
    }
    TRY_ASSIGN(ElfImage image, ReadImage(caller.context, *opened.file, head));
    Program program;
    if (image.interpreter.has_value()) {
      TRY_ASSIGN(Interpreter interpreter,
                 OpenInterpreter(vfs, caller, *opened.file, *image.interpreter));
      program.interpreter = std::move(interpreter.loaded);
      program.unreadable = interpreter.unreadable;
    }
    program.unreadable |= opened.unreadable;
    program.executable = {std::move(opened.file), std::move(image)};
    program.write_denial = std::move(opened.write_denial);
    program.path = std::move(opened.path);
    program.attributes = opened.attributes;
    program.args = std::move(request.args);
    program.env = std::move(request.env);
    program.filename = filename;
    return program;
  }
}

}  // namespace runsc::boot
