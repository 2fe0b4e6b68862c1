#include "bin/runsc-boot/tty/output_filter.h"

namespace runsc::boot::tty {

namespace {

constexpr unsigned kTabWidth = 8;

}  // namespace

bool IsControl(uint8_t byte) { return byte < 0x20 || byte == 0x7f; }

bool IsAlphanumeric(uint8_t byte) {
  const uint8_t lower = byte | 0x20;
  if ((byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'z' && byte < 0x80)) return true;
  return byte >= 0xc0 && byte != 0xd7 && byte != 0xf7;
}

bool IsContinuation(uint8_t byte, const Termios& termios) {
  return (termios.c_iflag & IUTF8) != 0 && (byte & 0xc0) == 0x80;
}

void OutputFilter::Add(const Termios& termios, uint8_t byte, std::string& out) {
  const tcflag_t flags = termios.c_oflag;
  if ((flags & OPOST) == 0) {
    out.push_back(static_cast<char>(byte));
    return;
  }
  switch (byte) {
    case '\n':
      if ((flags & ONLRET) != 0) column_ = 0;
      if ((flags & ONLCR) != 0) {
        column_ = 0;
        out.push_back('\r');
      }
      canonical_column_ = column_;
      break;
    case '\r':
      if ((flags & ONOCR) != 0 && column_ == 0) return;
      if ((flags & OCRNL) != 0) {
        byte = '\n';
        if ((flags & ONLRET) != 0) canonical_column_ = column_ = 0;
      } else {
        canonical_column_ = column_ = 0;
      }
      break;
    case '\t': {
      const unsigned spaces = kTabWidth - (column_ & (kTabWidth - 1));
      column_ += spaces;
      if ((flags & TABDLY) == XTABS) {
        out.append(spaces, ' ');
        return;
      }
      break;
    }
    case '\b':
      StepBack();
      break;
    default:
      if (IsControl(byte)) break;
      if ((flags & OLCUC) != 0 &&
          ((byte >= 'a' && byte <= 'z') || (byte >= 0xe0 && byte != 0xf7 && byte != 0xff))) {
        byte = static_cast<uint8_t>(byte - 0x20);
      }
      if (!IsContinuation(byte, termios)) ++column_;
      break;
  }
  out.push_back(static_cast<char>(byte));
}

void OutputFilter::AddCaret(uint8_t control, std::string& out) {
  out.push_back('^');
  out.push_back(static_cast<char>(control ^ 0100));
  column_ += 2;
}

void OutputFilter::EraseTab(size_t width, bool after_tab, std::string& out) {
  if (!after_tab) width += canonical_column_;
  for (size_t left = kTabWidth - (width & (kTabWidth - 1)); left > 0; --left) {
    out.push_back('\b');
    StepBack();
  }
}

}  // namespace runsc::boot::tty
