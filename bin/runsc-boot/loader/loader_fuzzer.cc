// Fuzzes the parsers of executables: any bytes, no crash, and images that are
// accepted keep their promises.
#include <cstdlib>

#include "bin/runsc-boot/loader/elf.h"
#include "bin/runsc-boot/loader/script.h"

using namespace runsc::boot;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view head(reinterpret_cast<const char*>(data), std::min(size, kScriptHead));
  if (IsScript(head)) {
    auto line = ParseScriptLine(head);
    if (line.ok() && line->interpreter.empty()) abort();
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  auto header = ParseElfHeader({bytes, size});
  if (!header.ok() || size - kElfHeaderSize < header->program_headers_size()) return 0;
  auto image = ParseElfImage(*header, {bytes + kElfHeaderSize, header->program_headers_size()});
  if (!image.ok()) return 0;
  if (image->end > kUserEnd || image->start >= image->end) abort();
  for (const ElfSegment& segment : image->segments) {
    if (segment.page_start() < image->start || segment.page_end() > image->end) abort();
  }
  return 0;
}
