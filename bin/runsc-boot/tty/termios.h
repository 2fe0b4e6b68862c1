// Terminal attributes as the kernel has them (termios(3), ioctl_tty(2)).
#ifndef RUNSC_BOOT_TTY_TERMIOS_H_
#define RUNSC_BOOT_TTY_TERMIOS_H_

// The kernel's structures and flags; <termios.h> has the C library's, which
// must not be included together with this header.
#include <asm/termbits.h>

#include <cstddef>
#include <cstdint>

namespace runsc::boot::tty {

using Termios = termios2;

// What a new terminal has.
Termios DefaultTermios();
// What a pseudo terminal makes of attributes that it is given: always 8 bits, no
// parity, and speeds as numbers.
Termios Sanitize(Termios wanted);

// The older structures of TCGETS and TCGETA: parts of `whole`, and back.
termios ToOldTermios(const Termios& whole);
Termios WithOldTermios(Termios whole, const termios& part);
// struct termio of <asm/termios.h>, as it lies in memory.
struct Termio {
  uint16_t c_iflag, c_oflag, c_cflag, c_lflag;
  uint8_t c_line;
  uint8_t c_cc[8];
};
Termio ToTermio(const Termios& whole);
Termios WithTermio(Termios whole, const Termio& part);

}  // namespace runsc::boot::tty

#endif  // RUNSC_BOOT_TTY_TERMIOS_H_
