#include "bin/runsc-boot/kernel/growing_struct.h"

#include <array>

namespace runsc::boot {

Status CheckUnknownIsZero(Task& task, uint64_t address, size_t size) {
  std::array<char, 512> chunk;
  platform::AddressSpace& memory = task.memory().address_space();
  while (size > 0) {
    const size_t wanted = std::min(size, chunk.size());
    // Less at the end of what is mapped.
    TRY_ASSIGN(const size_t count, memory.Read(address, chunk.data(), wanted));
    const auto end = chunk.begin() + static_cast<ptrdiff_t>(count);
    if (std::any_of(chunk.begin(), end, [](char byte) { return byte != 0; })) return Error(E2BIG);
    address += count;
    size -= count;
  }
  return Ok();
}

}  // namespace runsc::boot
