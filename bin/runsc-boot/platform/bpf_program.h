// A builder for seccomp programs whose rules read like a list:
//
//   BpfProgram p;
//   p.Call(SYS_sched_yield, "touches nothing", [&] { p.Return(kAllow); });
//
// Jumps go to labels that are placed later; Finish resolves them.
#ifndef RUNSC_BOOT_PLATFORM_BPF_PROGRAM_H_
#define RUNSC_BOOT_PLATFORM_BPF_PROGRAM_H_

#include <linux/filter.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/result.h"

namespace runsc::boot::platform {

class BpfProgram {
 public:
  // A place in the program. kNext is the instruction that follows the jump.
  using Label = int;
  static constexpr Label kNext = -1;

  // One line of the printable form.
  struct Rule {
    uint32_t number = 0;
    std::string reason;
  };

  Label NewLabel();
  void Place(Label label);

  // Offsets into struct seccomp_data.
  static uint32_t ArgLow(int index) { return 16 + 8 * static_cast<uint32_t>(index); }
  static uint32_t ArgHigh(int index) { return ArgLow(index) + 4; }
  static constexpr uint32_t kNumber = 0;
  static constexpr uint32_t kArch = 4;
  static constexpr uint32_t kIpLow = 8;
  static constexpr uint32_t kIpHigh = 12;

  void Load(uint32_t offset);
  void And(uint32_t mask);
  void Add(uint32_t value);
  void AddX();
  void MoveToX();
  void JumpIfEqual(uint32_t value, Label yes, Label no);
  void JumpIfAtLeast(uint32_t value, Label yes, Label no);
  void JumpIfAnySet(uint32_t mask, Label yes, Label no);
  void Return(uint32_t action);

  // `body` runs for system call `number` and must end in Return on each path.
  // Between rules the accumulator holds the number.
  void Call(uint32_t number, std::string reason, const std::function<void()>& body);

  // The instructions. EINVAL: a label was not placed, or lies behind its jump
  // or more than 255 instructions away.
  Result<std::vector<sock_filter>> Finish() const;
  const std::vector<Rule>& rules() const { return rules_; }

 private:
  struct Jump {
    Label yes;
    Label no;
  };
  void Emit(uint16_t code, uint32_t k, Jump jump = {kNext, kNext});

  std::vector<sock_filter> code_;
  std::vector<Jump> jumps_;
  std::vector<int> labels_;
  std::vector<Rule> rules_;
};

}  // namespace runsc::boot::platform

#endif  // RUNSC_BOOT_PLATFORM_BPF_PROGRAM_H_
