// Puts a prepared program into a new address space.
#ifndef RUNSC_BOOT_LOADER_LOAD_H_
#define RUNSC_BOOT_LOADER_LOAD_H_

#include "bin/runsc-boot/loader/program.h"
#include "bin/runsc-boot/mm/memory_manager.h"
#include "bin/runsc-boot/platform/platform.h"

namespace runsc::boot {

// What the auxiliary vector says about the process.
struct ProgramIdentity {
  uid_t uid = 0, euid = 0;
  gid_t gid = 0, egid = 0;
  bool secure = false;           // AT_SECURE
  bool fixed_addresses = false;  // personality(2), ADDR_NO_RANDOMIZE
};

// How much is mapped for the stack of a program.
uint64_t StackBytes(uint64_t stack_limit);
// What Linux has not mapped of it when the program starts.
uint64_t UnusedStack(uint64_t stack_bytes);

struct StartState {
  uint64_t entry = 0, stack_pointer = 0;
  MemoryManager::Image image;
};

// `thread` is in stub, alone in an address space that holds only the stub.
// Any error is fatal for the process, since the old program is gone.
Result<StartState> LoadProgram(const Program& program, Context& context, platform::Thread& thread,
                               MemoryManager& memory, const ProgramIdentity& identity,
                               uint64_t stack_limit);

}  // namespace runsc::boot

#endif  // RUNSC_BOOT_LOADER_LOAD_H_
