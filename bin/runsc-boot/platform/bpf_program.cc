#include "bin/runsc-boot/platform/bpf_program.h"

#include <utility>

namespace runsc::boot::platform {

BpfProgram::Label BpfProgram::NewLabel() {
  labels_.push_back(-1);
  return static_cast<Label>(labels_.size()) - 1;
}

void BpfProgram::Place(Label label) {
  labels_[static_cast<size_t>(label)] = static_cast<int>(code_.size());
}

void BpfProgram::Emit(uint16_t code, uint32_t k, Jump jump) {
  code_.push_back({code, 0, 0, k});
  jumps_.push_back(jump);
}

void BpfProgram::Load(uint32_t offset) { Emit(BPF_LD | BPF_W | BPF_ABS, offset); }
void BpfProgram::And(uint32_t mask) { Emit(BPF_ALU | BPF_AND | BPF_K, mask); }
void BpfProgram::Add(uint32_t value) { Emit(BPF_ALU | BPF_ADD | BPF_K, value); }
void BpfProgram::AddX() { Emit(BPF_ALU | BPF_ADD | BPF_X, 0); }
void BpfProgram::MoveToX() { Emit(BPF_MISC | BPF_TAX, 0); }
void BpfProgram::Return(uint32_t action) { Emit(BPF_RET | BPF_K, action); }

void BpfProgram::JumpIfEqual(uint32_t value, Label yes, Label no) {
  Emit(BPF_JMP | BPF_JEQ | BPF_K, value, {yes, no});
}
void BpfProgram::JumpIfAtLeast(uint32_t value, Label yes, Label no) {
  Emit(BPF_JMP | BPF_JGE | BPF_K, value, {yes, no});
}
void BpfProgram::JumpIfAnySet(uint32_t mask, Label yes, Label no) {
  Emit(BPF_JMP | BPF_JSET | BPF_K, mask, {yes, no});
}

void BpfProgram::Call(uint32_t number, std::string reason, const std::function<void()>& body) {
  rules_.push_back({number, std::move(reason)});
  Label skip = NewLabel();
  JumpIfEqual(number, kNext, skip);
  body();
  Place(skip);
}

Result<std::vector<sock_filter>> BpfProgram::Finish() const {
  std::vector<sock_filter> program = code_;
  auto distance = [&](size_t from, Label label) -> int {
    if (label == kNext) return 0;
    int target = labels_[static_cast<size_t>(label)];
    return target - static_cast<int>(from) - 1;
  };
  for (size_t i = 0; i < program.size(); ++i) {
    int yes = distance(i, jumps_[i].yes);
    int no = distance(i, jumps_[i].no);
    if (yes < 0 || yes > 255 || no < 0 || no > 255) {
      return Error(EINVAL, "BPF jump out of reach");
    }
    program[i].jt = static_cast<uint8_t>(yes);
    program[i].jf = static_cast<uint8_t>(no);
  }
  if (program.empty() || program.back().code != (BPF_RET | BPF_K)) {
    return Error(EINVAL, "BPF program does not end in a return");
  }
  return program;
}

}  // namespace runsc::boot::platform
