// Output processing (OPOST of termios(3)), and the cursor's column that goes with
// it: tabs and erasing need it.
#ifndef RUNSC_BOOT_TTY_OUTPUT_FILTER_H_
#define RUNSC_BOOT_TTY_OUTPUT_FILTER_H_

#include <string>

#include "bin/runsc-boot/tty/termios.h"

namespace runsc::boot::tty {

// As the kernel classifies them: ASCII only for control characters, Latin-1 for
// letters.
bool IsControl(uint8_t byte);
bool IsAlphanumeric(uint8_t byte);
// A later byte of a character of several, in UTF-8 mode.
bool IsContinuation(uint8_t byte, const Termios& termios);

class OutputFilter {
 public:
  // Appends to `out` what `byte` becomes; at most kMostPerByte bytes.
  static constexpr size_t kMostPerByte = 8;
  void Add(const Termios& termios, uint8_t byte, std::string& out);
  // ^X, which counts as two columns whatever OPOST says.
  void AddCaret(uint8_t control, std::string& out);
  // Backspaces over a tab behind `width` columns, which start at another tab or
  // where the line that is being typed starts.
  void EraseTab(size_t width, bool after_tab, std::string& out);

  void StartLine() { canonical_column_ = column_; }
  void StepBack() {
    if (column_ > 0) --column_;
  }
  void Reset() { column_ = canonical_column_ = 0; }

 private:
  unsigned column_ = 0;
  unsigned canonical_column_ = 0;  // where the line that is being typed starts
};

}  // namespace runsc::boot::tty

#endif  // RUNSC_BOOT_TTY_OUTPUT_FILTER_H_
