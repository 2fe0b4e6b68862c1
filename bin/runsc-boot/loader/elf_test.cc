#include "bin/runsc-boot/loader/elf.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <functional>

namespace runsc::boot {
namespace {

struct File {
  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> programs;

  Result<ElfImage> Parse() {
    header.e_phnum = programs.size();
    Result<ElfHeader> parsed = ParseElfHeader({reinterpret_cast<std::byte*>(&header), 64});
    if (!parsed.ok()) return std::move(parsed).error();
    return ParseElfImage(*parsed, {reinterpret_cast<std::byte*>(programs.data()),
                                   programs.size() * sizeof(Elf64_Phdr)});
  }
};

Elf64_Phdr Load(uint64_t offset, uint64_t address, uint64_t file_size, uint64_t memory_size,
                unsigned flags) {
  Elf64_Phdr program{};
  program.p_type = PT_LOAD;
  program.p_offset = offset;
  program.p_vaddr = address;
  program.p_filesz = file_size;
  program.p_memsz = memory_size;
  program.p_flags = flags;
  program.p_align = 4096;
  return program;
}

File Typical() {
  File file;
  memcpy(file.header.e_ident, ELFMAG, SELFMAG);
  file.header.e_ident[EI_CLASS] = ELFCLASS64;
  file.header.e_ident[EI_DATA] = ELFDATA2LSB;
  file.header.e_type = ET_DYN;
  file.header.e_machine = EM_X86_64;
  file.header.e_entry = 0x1040;
  file.header.e_phoff = 64;
  file.header.e_phentsize = sizeof(Elf64_Phdr);
  file.programs = {Load(0, 0, 0x600, 0x600, PF_R), Load(0x1000, 0x1000, 0x200, 0x200, PF_R | PF_X),
                   Load(0x2df0, 0x3df0, 0x220, 0x1000, PF_R | PF_W)};
  return file;
}

TEST(Elf, ReadsATypicalImage) {
  File file = Typical();
  Elf64_Phdr interpreter{};
  interpreter.p_type = PT_INTERP;
  interpreter.p_offset = 0x318;
  interpreter.p_filesz = 28;
  file.programs.push_back(interpreter);
  Elf64_Phdr stack{};
  stack.p_type = PT_GNU_STACK;
  stack.p_flags = PF_R | PF_W | PF_X;
  file.programs.push_back(stack);

  Result<ElfImage> image = file.Parse();
  ASSERT_TRUE(image.ok());
  EXPECT_TRUE(image->position_independent);
  EXPECT_EQ(image->start, 0u);
  EXPECT_EQ(image->end, 0x5000u);
  EXPECT_EQ(image->program_headers, 64u);
  ASSERT_EQ(image->segments.size(), 3u);
  EXPECT_EQ(image->segments[1].protection, PROT_READ | PROT_EXEC);
  EXPECT_EQ(image->segments[2].page_start(), 0x3000u);
  ASSERT_TRUE(image->interpreter.has_value());
  EXPECT_EQ(image->interpreter->size, 28u);
  EXPECT_TRUE(image->executable_stack);
}

TEST(Elf, RefusesWhatIsNotForThisMachine) {
  const std::function<void(Elf64_Ehdr&)> breaks[] = {
      [](Elf64_Ehdr& h) { h.e_ident[0] = 0; },
      [](Elf64_Ehdr& h) { h.e_ident[EI_CLASS] = ELFCLASS32; },
      [](Elf64_Ehdr& h) { h.e_ident[EI_DATA] = ELFDATA2MSB; },
      [](Elf64_Ehdr& h) { h.e_machine = EM_AARCH64; },
      [](Elf64_Ehdr& h) { h.e_type = ET_REL; },
      [](Elf64_Ehdr& h) { h.e_type = ET_CORE; },
      [](Elf64_Ehdr& h) { h.e_phentsize = 32; },
      [](Elf64_Ehdr& h) { h.e_phoff = ~uint64_t{0}; },
  };
  for (const auto& change : breaks) {
    File file = Typical();
    change(file.header);
    EXPECT_EQ(file.Parse().code(), ENOEXEC);
  }
  EXPECT_EQ(ParseElfHeader({}).code(), ENOEXEC);
}

TEST(Elf, RefusesHostileSegments) {
  const Elf64_Phdr hostile[] = {
      Load(0, 0, 0x600, 0x500, PF_R),                              // more file than memory
      Load(0x10, 0x20, 0x100, 0x100, PF_R),                        // offset and address differ
      Load(0, ~uint64_t{0} & ~uint64_t{4095}, 0x1000, 0x2000, 0),  // wraps
      Load(0, 0x7fffffffe000, 0x1000, 0x2000, PF_R),               // above user memory
      Load(0, 0, 1, ~uint64_t{0}, PF_R),
      Load(uint64_t{1} << 63, 0, 0x1000, 0x1000, PF_R),
  };
  for (const Elf64_Phdr& program : hostile) {
    File file = Typical();
    file.programs.push_back(program);
    EXPECT_EQ(file.Parse().code(), ENOEXEC);
  }
}

TEST(Elf, RefusesImagesWithoutSegments) {
  File file = Typical();
  file.programs.resize(1);
  file.programs[0].p_type = PT_NOTE;
  EXPECT_EQ(file.Parse().code(), ENOEXEC);
  file.programs.clear();
  EXPECT_EQ(file.Parse().code(), ENOEXEC);
}

TEST(Elf, RefusesInterpreterNamesOfImpossibleLength) {
  for (uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{4097}, ~uint64_t{0}}) {
    File file = Typical();
    Elf64_Phdr interpreter{};
    interpreter.p_type = PT_INTERP;
    interpreter.p_filesz = size;
    file.programs.push_back(interpreter);
    EXPECT_EQ(file.Parse().code(), ENOEXEC);
  }
}

}  // namespace
}  // namespace runsc::boot
