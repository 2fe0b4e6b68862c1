// ELF64 x86-64 images as data: parsing and checking, no I/O. Every byte is
// hostile.
#ifndef RUNSC_BOOT_LOADER_ELF_H_
#define RUNSC_BOOT_LOADER_ELF_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/result.h"

namespace runsc::boot {

constexpr uint64_t kPageSize = 4096;
// One beyond the last address of an application (47 bits less a guard page).
constexpr uint64_t kUserEnd = 0x7ffffffff000;

constexpr uint64_t PageDown(uint64_t address) { return address & ~(kPageSize - 1); }
// `address` must be below 2^63.
constexpr uint64_t PageUp(uint64_t address) { return PageDown(address + kPageSize - 1); }

// What the first bytes of a file say.
struct ElfHeader {
  bool position_independent = false;  // ET_DYN
  uint64_t entry = 0;
  uint64_t program_headers_offset = 0;
  size_t program_header_count = 0;
  size_t program_headers_size() const;
};
constexpr size_t kElfHeaderSize = 64;

// A PT_LOAD segment; addresses are before relocation.
struct ElfSegment {
  uint64_t file_offset = 0, file_size = 0;
  uint64_t address = 0, memory_size = 0;
  int protection = 0;  // PROT_*
  uint64_t page_start() const { return PageDown(address); }
  uint64_t page_end() const { return PageUp(address + memory_size); }
};

struct ElfImage {
  bool position_independent = false;
  uint64_t entry = 0;
  std::vector<ElfSegment> segments;  // in the file's order; at least one
  uint64_t start = 0, end = 0;       // pages covered by the segments
  uint64_t alignment = kPageSize;    // of a relocated image
  // Where the program headers lie in memory, 0 when no segment has them.
  uint64_t program_headers = 0;
  size_t program_header_count = 0;
  struct Range {
    uint64_t offset, size;
  };
  std::optional<Range> interpreter;  // PT_INTERP, in the file
  bool executable_stack = false;
};

// `bytes`: at least the first kElfHeaderSize bytes of the file. ENOEXEC.
Result<ElfHeader> ParseElfHeader(std::span<const std::byte> bytes);
// `table`: header.program_headers_size() bytes from program_headers_offset.
// ENOEXEC for anything that cannot be mapped as it says.
Result<ElfImage> ParseElfImage(const ElfHeader& header, std::span<const std::byte> table);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_LOADER_ELF_H_
