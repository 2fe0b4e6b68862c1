#include "bin/runsc-boot/kernel/debug_registers.h"

#include <algorithm>
#include <cerrno>

namespace runsc::boot {

namespace {

constexpr uint64_t kUserEnd = (uint64_t{1} << 47) - 4096;
constexpr uint64_t kNoReason = 0xffff0ff0;
constexpr int kStatusNumber = 6, kControlNumber = 7;
constexpr uint8_t kLengths[] = {1, 2, 8, 4};

bool Overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size) {
  return a < b ? b - a < a_size : a - b < b_size;
}

}  // namespace

uint64_t DebugRegisters::Get(int number) const {
  if (number == kStatusNumber) return status_;
  if (number == kControlNumber) return control_;
  const bool is_address = number >= 0 && static_cast<size_t>(number) < slots_.size();
  if (!is_address) return 0;
  const std::optional<Slot>& slot = slots_[static_cast<size_t>(number)];
  return slot.has_value() ? slot->address : 0;
}

Status DebugRegisters::Set(int number, uint64_t value) {
  if (number == kControlNumber) return SetControl(value);
  if (number == kStatusNumber) {
    status_ = value;
    return Ok();
  }
  if (number < 0 || static_cast<size_t>(number) >= slots_.size()) return Error(EIO);
  std::optional<Slot>& slot = slots_[static_cast<size_t>(number)];
  Slot changed = slot.value_or(Slot());
  changed.address = value;
  TRY(Check(changed));
  slot = changed;
  return Ok();
}

Status DebugRegisters::Check(const Slot& slot) {
  if (slot.kind == Kind::kPort) return Error(EINVAL);
  if (slot.kind == Kind::kExecute && slot.length != 1) return Error(EINVAL);
  if (slot.address % slot.length != 0) return Error(EINVAL);
  return slot.address >= kUserEnd ? Status(Error(EINVAL)) : Ok();
}

Status DebugRegisters::SetControl(uint64_t value) {
  Slots changed = slots_;
  for (size_t i = 0; i < changed.size(); ++i) {
    const bool enabled = (value >> (2 * i) & 3) != 0;
    if (!changed[i].has_value() && !enabled) continue;
    Slot slot = changed[i].value_or(Slot());
    slot.enabled = enabled;
    slot.kind = static_cast<Kind>(value >> (16 + 4 * i) & 3);
    slot.length = kLengths[value >> (18 + 4 * i) & 3];
    TRY(Check(slot));
    changed[i] = slot;
  }
  slots_ = changed;
  control_ = value;
  return Ok();
}

bool DebugRegisters::armed() const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const auto& slot) { return slot.has_value() && slot->enabled; });
}

uint64_t DebugRegisters::Breakpoints(uint64_t address) const {
  uint64_t found = 0;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].has_value() || !slots_[i]->enabled) continue;
    if (slots_[i]->kind != Kind::kExecute || slots_[i]->address != address) continue;
    found |= uint64_t{1} << i;
  }
  return found;
}

uint64_t DebugRegisters::Watchpoints(std::span<const MemoryAccess> accesses) const {
  uint64_t found = 0;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].has_value() || !slots_[i]->enabled) continue;
    const Slot& slot = *slots_[i];
    if (slot.kind == Kind::kExecute) continue;
    for (const MemoryAccess& access : accesses) {
      if (slot.kind == Kind::kWrite && !access.writes) continue;
      if (!Overlap(slot.address, slot.length, access.address, access.size)) continue;
      found |= uint64_t{1} << i;
    }
  }
  return found;
}

void DebugRegisters::Report(uint64_t reasons) { status_ = kNoReason | reasons; }

DebugRegisters DebugRegisters::ForChild() const {
  DebugRegisters child;
  child.status_ = status_;
  child.control_ = control_;
  return child;
}

void DebugRegisters::Clear() {
  slots_ = {};
  control_ = 0;
}

}  // namespace runsc::boot
