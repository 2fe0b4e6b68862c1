#include "bin/runsc-boot/loader/elf.h"

#include <elf.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <climits>
#include <cstring>

namespace runsc::boot {

namespace {

constexpr size_t kMaxProgramHeaders = 65536 / sizeof(Elf64_Phdr);

int ProtectionOf(const Elf64_Phdr& header) {
  int protection = 0;
  if ((header.p_flags & PF_R) != 0) protection |= PROT_READ;
  if ((header.p_flags & PF_W) != 0) protection |= PROT_WRITE;
  if ((header.p_flags & PF_X) != 0) protection |= PROT_EXEC;
  return protection;
}

Result<ElfSegment> ParseSegment(const Elf64_Phdr& header) {
  const bool fits = header.p_filesz <= header.p_memsz && header.p_memsz < kUserEnd &&
                    header.p_vaddr <= kUserEnd - header.p_memsz &&
                    header.p_offset <= static_cast<uint64_t>(LLONG_MAX) - header.p_filesz &&
                    header.p_vaddr % kPageSize == header.p_offset % kPageSize;
  if (!fits) return Error(ENOEXEC);
  return ElfSegment{header.p_offset, header.p_filesz, header.p_vaddr, header.p_memsz,
                    ProtectionOf(header)};
}

// The address of the program headers, where a segment maps them.
uint64_t FindProgramHeaders(const ElfHeader& header, const std::vector<ElfSegment>& segments) {
  for (const ElfSegment& segment : segments) {
    if (header.program_headers_offset >= segment.file_offset &&
        header.program_headers_offset - segment.file_offset < segment.file_size) {
      return header.program_headers_offset - segment.file_offset + segment.address;
    }
  }
  return 0;
}

}  // namespace

size_t ElfHeader::program_headers_size() const { return program_header_count * sizeof(Elf64_Phdr); }

Result<ElfHeader> ParseElfHeader(std::span<const std::byte> bytes) {
  static_assert(sizeof(Elf64_Ehdr) == kElfHeaderSize);
  Elf64_Ehdr elf;
  if (bytes.size() < sizeof(elf)) return Error(ENOEXEC);
  memcpy(&elf, bytes.data(), sizeof(elf));
  const bool ours = memcmp(elf.e_ident, ELFMAG, SELFMAG) == 0 &&
                    elf.e_ident[EI_CLASS] == ELFCLASS64 && elf.e_ident[EI_DATA] == ELFDATA2LSB &&
                    elf.e_machine == EM_X86_64 && (elf.e_type == ET_EXEC || elf.e_type == ET_DYN);
  if (!ours) return Error(ENOEXEC);
  if (elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_phnum == 0 ||
      elf.e_phnum > kMaxProgramHeaders || elf.e_phoff > static_cast<uint64_t>(LLONG_MAX) / 2) {
    return Error(ENOEXEC);
  }
  return ElfHeader{elf.e_type == ET_DYN, elf.e_entry, elf.e_phoff, elf.e_phnum};
}

Result<ElfImage> ParseElfImage(const ElfHeader& header, std::span<const std::byte> table) {
  if (table.size() != header.program_headers_size()) return Error(ENOEXEC);
  ElfImage image;
  image.position_independent = header.position_independent;
  image.entry = header.entry;
  image.program_header_count = header.program_header_count;
  image.start = kUserEnd;
  for (size_t i = 0; i < header.program_header_count; ++i) {
    Elf64_Phdr program;
    memcpy(&program, table.data() + i * sizeof(program), sizeof(program));
    switch (program.p_type) {
      case PT_LOAD: {
        TRY_ASSIGN(const ElfSegment segment, ParseSegment(program));
        if (segment.memory_size == 0) break;
        image.start = std::min(image.start, segment.page_start());
        image.end = std::max(image.end, segment.page_end());
        if (std::has_single_bit(program.p_align) && program.p_align <= (uint64_t{1} << 30)) {
          image.alignment = std::max(image.alignment, program.p_align);
        }
        image.segments.push_back(segment);
        break;
      }
      case PT_INTERP:
        // As Linux: the first one counts.
        if (image.interpreter.has_value()) break;
        if (program.p_filesz < 2 || program.p_filesz > PATH_MAX ||
            program.p_offset > static_cast<uint64_t>(LLONG_MAX) / 2) {
          return Error(ENOEXEC);
        }
        image.interpreter = {program.p_offset, program.p_filesz};
        break;
      case PT_GNU_STACK:
        image.executable_stack = (program.p_flags & PF_X) != 0;
        break;
      default:
        break;
    }
  }
  if (image.segments.empty() || image.end > kUserEnd) return Error(ENOEXEC);
  if (!image.position_independent && image.entry >= kUserEnd) return Error(ENOEXEC);
  image.program_headers = FindProgramHeaders(header, image.segments);
  return image;
}

}  // namespace runsc::boot
