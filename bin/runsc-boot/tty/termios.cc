#include "bin/runsc-boot/tty/termios.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace runsc::boot::tty {

namespace {

constexpr unsigned char kControlCharacters[] = {3,    // VINTR: ^C
                                                034,  // VQUIT: ^backslash
                                                0177, 025, 4,   0,   1,   0,   021, 023,
                                                032,  0,   022, 017, 027, 026, 0};

struct Speed {
  tcflag_t code;
  speed_t baud;
};
constexpr Speed kSpeeds[] = {{B0, 0},
                             {B50, 50},
                             {B75, 75},
                             {B110, 110},
                             {B134, 134},
                             {B150, 150},
                             {B200, 200},
                             {B300, 300},
                             {B600, 600},
                             {B1200, 1200},
                             {B1800, 1800},
                             {B2400, 2400},
                             {B4800, 4800},
                             {B9600, 9600},
                             {B19200, 19200},
                             {B38400, 38400},
                             {B57600, 57600},
                             {B115200, 115200},
                             {B230400, 230400},
                             {B460800, 460800},
                             {B500000, 500000},
                             {B576000, 576000},
                             {B921600, 921600},
                             {B1000000, 1000000},
                             {B1152000, 1152000},
                             {B1500000, 1500000},
                             {B2000000, 2000000},
                             {B2500000, 2500000},
                             {B3000000, 3000000},
                             {B3500000, 3500000},
                             {B4000000, 4000000}};

// `given` where the code says that the number counts.
speed_t BaudOf(tcflag_t code, speed_t given) {
  if (code == BOTHER) return given;
  const auto* found = std::find_if(std::begin(kSpeeds), std::end(kSpeeds),
                                   [code](const Speed& speed) { return speed.code == code; });
  return found == std::end(kSpeeds) ? 0 : found->baud;
}

}  // namespace

Termios DefaultTermios() {
  Termios result{};
  result.c_iflag = ICRNL | IXON;
  result.c_oflag = OPOST | ONLCR;
  result.c_cflag = B38400 | CS8 | CREAD;
  result.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
  std::copy(std::begin(kControlCharacters), std::end(kControlCharacters), result.c_cc);
  result.c_ispeed = result.c_ospeed = 38400;
  return result;
}

Termios Sanitize(Termios wanted) {
  wanted.c_cflag = (wanted.c_cflag & ~tcflag_t{CSIZE | PARENB}) | CS8 | CREAD;
  const tcflag_t input = (wanted.c_cflag & CIBAUD) >> IBSHIFT;
  wanted.c_ospeed = BaudOf(wanted.c_cflag & CBAUD, wanted.c_ospeed);
  wanted.c_ispeed = input == B0 ? wanted.c_ospeed : BaudOf(input, wanted.c_ispeed);
  return wanted;
}

termios ToOldTermios(const Termios& whole) {
  termios part{};
  part.c_iflag = whole.c_iflag;
  part.c_oflag = whole.c_oflag;
  part.c_cflag = whole.c_cflag;
  part.c_lflag = whole.c_lflag;
  part.c_line = whole.c_line;
  std::copy(std::begin(whole.c_cc), std::end(whole.c_cc), part.c_cc);
  return part;
}

Termios WithOldTermios(Termios whole, const termios& part) {
  whole.c_iflag = part.c_iflag;
  whole.c_oflag = part.c_oflag;
  whole.c_cflag = part.c_cflag;
  whole.c_lflag = part.c_lflag;
  whole.c_line = part.c_line;
  std::copy(std::begin(part.c_cc), std::end(part.c_cc), whole.c_cc);
  return whole;
}

Termio ToTermio(const Termios& whole) {
  Termio part{};
  part.c_iflag = static_cast<uint16_t>(whole.c_iflag);
  part.c_oflag = static_cast<uint16_t>(whole.c_oflag);
  part.c_cflag = static_cast<uint16_t>(whole.c_cflag);
  part.c_lflag = static_cast<uint16_t>(whole.c_lflag);
  part.c_line = whole.c_line;
  std::copy_n(whole.c_cc, sizeof(part.c_cc), part.c_cc);
  return part;
}

Termios WithTermio(Termios whole, const Termio& part) {
  auto low = [](tcflag_t old, uint16_t fresh) { return (old & 0xffff0000) | fresh; };
  whole.c_iflag = low(whole.c_iflag, part.c_iflag);
  whole.c_oflag = low(whole.c_oflag, part.c_oflag);
  whole.c_cflag = low(whole.c_cflag, part.c_cflag);
  whole.c_lflag = low(whole.c_lflag, part.c_lflag);
  whole.c_line = part.c_line;
  std::copy_n(part.c_cc, sizeof(part.c_cc), whole.c_cc);
  return whole;
}

}  // namespace runsc::boot::tty
