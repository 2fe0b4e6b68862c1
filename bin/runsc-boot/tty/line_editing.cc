// Line editing of canonical mode: VERASE, VWERASE, VKILL, VREPRINT, and how what
// they take back is shown.
#include "bin/runsc-boot/tty/line_discipline.h"

namespace runsc::boot::tty {

void LineDiscipline::Erase(uint8_t byte) {
  if (input_.open_size() == 0) return;
  const bool word = Local(IEXTEN) && Is(byte, VWERASE) && !Is(byte, VERASE);
  if (!word && !Is(byte, VERASE)) return EraseLine();
  bool seen_word = false;
  while (input_.open_size() > 0 && EraseCharacter(word, seen_word) && word) {
  }
  if (input_.open_size() == 0 && Local(ECHO)) FinishErasing();
}

void LineDiscipline::EraseLine() {
  if (!Local(ECHO)) return input_.EraseOpen();
  if (!Local(ECHOK) || !Local(ECHOKE) || !Local(ECHOE)) {
    input_.EraseOpen();
    FinishErasing();
    Echo(termios_.c_cc[VKILL]);
    if (Local(ECHOK)) EchoRaw('\n');
    return;
  }
  bool seen_word = false;
  while (input_.open_size() > 0 && EraseCharacter(/*word=*/false, seen_word)) {
  }
  if (input_.open_size() == 0) FinishErasing();
}

bool LineDiscipline::EraseCharacter(bool word, bool& seen_word) {
  // From its first byte on, which in UTF-8 is the last that continues nothing.
  size_t start = input_.open_size();
  uint8_t first = 0;
  do {
    first = input_.open_at(--start);
  } while (start > 0 && IsContinuation(first, termios_));
  if (IsContinuation(first, termios_)) return false;
  if (word) {
    if (IsAlphanumeric(first) || first == '_') {
      seen_word = true;
    } else if (seen_word) {
      return false;
    }
  }
  std::string character;
  for (size_t i = start; i < input_.open_size(); ++i) {
    character.push_back(static_cast<char>(input_.open_at(i)));
  }
  for (size_t i = 0; i < character.size(); ++i) input_.EraseLast();
  if (Local(ECHO)) ShowErasure(character, word);
  return true;
}

void LineDiscipline::ShowErasure(const std::string& character, bool word_or_line) {
  const auto first = static_cast<uint8_t>(character[0]);
  if (Local(ECHOPRT)) {
    if (!erasing_) EchoRaw('\\');
    erasing_ = true;
    Echo(first);
    for (size_t i = 1; i < character.size(); ++i) {
      EchoRaw(static_cast<uint8_t>(character[i]));
      filter_.StepBack();
    }
    return;
  }
  if (!word_or_line && !Local(ECHOE)) return Echo(termios_.c_cc[VERASE]);
  if (first == '\t') return EraseTab();
  int columns = 1;
  if (IsControl(first)) columns = Local(ECHOCTL) ? 2 : 0;
  for (; columns > 0; --columns) {
    for (const char byte : {'\b', ' ', '\b'}) EchoRaw(static_cast<uint8_t>(byte));
  }
}

void LineDiscipline::EraseTab() {
  size_t width = 0;
  bool after_tab = false;
  for (size_t i = input_.open_size(); i > 0 && !after_tab; --i) {
    const uint8_t byte = input_.open_at(i - 1);
    if (byte == '\t') {
      after_tab = true;
    } else if (IsControl(byte)) {
      if (Local(ECHOCTL)) width += 2;
    } else if (!IsContinuation(byte, termios_)) {
      ++width;
    }
  }
  std::string bytes;
  filter_.EraseTab(width, after_tab, bytes);
  Emit(bytes);
}

void LineDiscipline::Reprint() {
  EchoRaw('\n');
  for (size_t i = 0; i < input_.open_size(); ++i) Echo(input_.open_at(i));
}

void LineDiscipline::FinishErasing() {
  if (!erasing_) return;
  erasing_ = false;
  EchoRaw('/');
}

}  // namespace runsc::boot::tty
