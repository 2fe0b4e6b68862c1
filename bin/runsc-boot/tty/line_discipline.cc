#include "bin/runsc-boot/tty/line_discipline.h"

#include <asm/ioctls.h>

#include <algorithm>
#include <csignal>

namespace runsc::boot::tty {

namespace {

constexpr size_t kHeldEchoLimit = 4096;
constexpr uint8_t kParity = 0xff;

bool UsesDefaultFlowControl(const Termios& termios) {
  return (termios.c_iflag & IXON) != 0 && termios.c_cc[VSTOP] == 023 && termios.c_cc[VSTART] == 021;
}

}  // namespace

void LineDiscipline::SetTermios(const Termios& termios) {
  const Termios old = std::exchange(termios_, Sanitize(termios));
  constexpr tcflag_t kCanonical = ICANON | EXTPROC;
  if (((old.c_lflag ^ termios_.c_lflag) & kCanonical) != 0) {
    if (Local(ICANON)) {
      input_.MakeLine();
    } else {
      input_.ForgetLines();
    }
    literal_next_ = erasing_ = false;
  }
  // Without IXON nobody could start it again.
  if (!Input(IXON) && (old.c_iflag & IXON) != 0) Start(/*by_call=*/false);
  if (!packet_) return;
  const bool flow = UsesDefaultFlowControl(termios_);
  if (flow != UsesDefaultFlowControl(old)) {
    Status(flow ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP, TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
  }
  if (((old.c_lflag | termios_.c_lflag) & EXTPROC) != 0) Status(TIOCPKT_IOCTL);
}

void LineDiscipline::Status(uint8_t set, uint8_t clear) {
  if (packet_) packet_status_ = static_cast<uint8_t>((packet_status_ & ~clear) | set);
}

void LineDiscipline::SetPacketMode(bool on) {
  if (on != packet_) packet_status_ = 0;
  packet_ = on;
}

// --- Input

bool LineDiscipline::HasRoomForInput() const {
  if (input_.size() < InputQueue::kCapacity - 1) return true;
  // A line that is too long loses what is typed at its end, so that it can end.
  return canonical() && !input_.has_line();
}

size_t LineDiscipline::Receive(std::string_view bytes) {
  size_t taken = 0;
  while (taken < bytes.size() && HasRoomForInput()) {
    ReceiveByte(static_cast<uint8_t>(bytes[taken++]));
  }
  return taken;
}

void LineDiscipline::ReceiveByte(uint8_t byte) {
  if (Input(ISTRIP)) byte &= 0x7f;
  if (Input(IUCLC) && Local(IEXTEN) && byte >= 'A' && byte <= 'Z') {
    byte = static_cast<uint8_t>(byte + 0x20);
  }
  if (Local(EXTPROC)) return input_.Add(byte);
  if (literal_next_) {
    literal_next_ = false;
    return ReceivePlain(byte, /*newline=*/false);
  }
  if (ReceiveFlowControl(byte)) return;
  if (const int signo = SignalOf(byte); signo != 0) return ReceiveSignal(byte, signo);
  if (stopped_ && Input(IXON) && Input(IXANY)) Start(/*by_call=*/false);
  // Only a newline that was made is echoed as one outside of canonical mode.
  const bool newline = byte == '\r' && Input(ICRNL);
  if (byte == '\r') {
    if (Input(IGNCR)) return;
    if (newline) byte = '\n';
  } else if (byte == '\n' && Input(INLCR)) {
    byte = '\r';
  }
  if (Local(ICANON) && ReceiveCanonical(byte)) return;
  ReceivePlain(byte, newline);
}

bool LineDiscipline::ReceiveFlowControl(uint8_t byte) {
  if (!Input(IXON)) return false;
  if (Is(byte, VSTART)) {
    Start(/*by_call=*/false);
    return true;
  }
  if (!Is(byte, VSTOP)) return false;
  Stop(/*by_call=*/false);
  return true;
}

int LineDiscipline::SignalOf(uint8_t byte) const {
  if (!Local(ISIG)) return 0;
  if (Is(byte, VINTR)) return SIGINT;
  if (Is(byte, VQUIT)) return SIGQUIT;
  return Is(byte, VSUSP) ? SIGTSTP : 0;
}

void LineDiscipline::ReceiveSignal(uint8_t byte, int signo) {
  if (std::find(signals_.begin(), signals_.end(), signo) == signals_.end()) {
    signals_.push_back(signo);
  }
  if (!Local(NOFLSH)) {
    held_echo_.clear();
    FlushOutput();
    FlushInput();
  }
  if (Input(IXON)) Start(/*by_call=*/false);
  if (Local(ECHO)) Echo(byte);
}

// True: it was an editing character or the end of a line.
bool LineDiscipline::ReceiveCanonical(uint8_t byte) {
  const bool extended = Local(IEXTEN);
  if (Is(byte, VERASE) || Is(byte, VKILL) || (extended && Is(byte, VWERASE))) {
    Erase(byte);
    return true;
  }
  if (extended && Is(byte, VLNEXT)) {
    literal_next_ = true;
    if (!Local(ECHO)) return true;
    FinishErasing();
    if (!Local(ECHOCTL)) return true;
    EchoRaw('^');
    EchoRaw('\b');
    return true;
  }
  if (extended && Local(ECHO) && Is(byte, VREPRINT)) {
    FinishErasing();
    Echo(byte);
    Reprint();
    return true;
  }
  if (byte == '\n') {
    if (Local(ECHO) || Local(ECHONL)) EchoRaw('\n');
    input_.EndLine(byte, /*hidden=*/false);
    return true;
  }
  if (Is(byte, VEOF)) {
    input_.EndLine(0, /*hidden=*/true);
    return true;
  }
  if (Is(byte, VEOL) || (extended && Is(byte, VEOL2))) {
    if (Local(ECHO)) EchoAtLineStart(byte);
    if (byte == kParity && Input(PARMRK)) Keep(byte);
    input_.EndLine(byte, /*hidden=*/false);
    return true;
  }
  return false;
}

void LineDiscipline::ReceivePlain(uint8_t byte, bool newline) {
  if (Local(ECHO)) {
    FinishErasing();
    if (newline) {
      EchoRaw('\n');
    } else {
      EchoAtLineStart(byte);
    }
  }
  if (byte == kParity && Input(PARMRK)) Keep(byte);
  Keep(byte);
}

void LineDiscipline::Keep(uint8_t byte) {
  if (input_.size() < InputQueue::kCapacity - 1) input_.Add(byte);
}

bool LineDiscipline::Readable(size_t wanted) const {
  if (canonical()) return input_.has_line();
  return input_.size() >= std::max<size_t>(wanted, 1);
}

void LineDiscipline::FlushInput() {
  input_.Clear();
  erasing_ = literal_next_ = false;
  Status(TIOCPKT_FLUSHREAD);
}

// --- Output

size_t LineDiscipline::Write(std::string_view bytes) {
  ReleaseEcho();
  if (!HasRoomForOutput()) return 0;
  if ((termios_.c_oflag & OPOST) == 0) {
    const size_t count = std::min(bytes.size(), kOutputLimit - output_.size());
    output_.append(bytes.substr(0, count));
    return count;
  }
  size_t taken = 0;
  while (taken < bytes.size() && output_.size() + OutputFilter::kMostPerByte <= kOutputLimit) {
    filter_.Add(termios_, static_cast<uint8_t>(bytes[taken++]), output_);
  }
  return taken;
}

void LineDiscipline::FlushOutput() {
  if (output_.size() > kBehindFlush) output_.resize(kBehindFlush);
  Status(TIOCPKT_FLUSHWRITE);
}

void LineDiscipline::Stop(bool by_call) {
  if (by_call) stopped_by_call_ = true;
  if (stopped_) return;
  stopped_ = true;
  Status(TIOCPKT_STOP, TIOCPKT_START);
}

void LineDiscipline::Start(bool by_call) {
  if (by_call) stopped_by_call_ = false;
  if (!stopped_ || stopped_by_call_) return;
  stopped_ = false;
  Status(TIOCPKT_START, TIOCPKT_STOP);
  ReleaseEcho();
}

// --- Echo

void LineDiscipline::Emit(const std::string& bytes) {
  if (held_echo_.empty() && HasRoomForOutput()) {
    output_ += bytes;
  } else if (held_echo_.size() < kHeldEchoLimit) {
    held_echo_ += bytes;
  }
}

void LineDiscipline::ReleaseEcho() {
  if (held_echo_.empty() || !HasRoomForOutput()) return;
  output_ += held_echo_;
  held_echo_.clear();
}

void LineDiscipline::EchoRaw(uint8_t byte) {
  std::string bytes;
  filter_.Add(termios_, byte, bytes);
  Emit(bytes);
}

void LineDiscipline::Echo(uint8_t byte) {
  if (!Local(ECHOCTL) || !IsControl(byte) || byte == '\t') return EchoRaw(byte);
  std::string bytes;
  filter_.AddCaret(byte, bytes);
  Emit(bytes);
}

void LineDiscipline::EchoAtLineStart(uint8_t byte) {
  if (input_.open_size() == 0) filter_.StartLine();
  Echo(byte);
}

}  // namespace runsc::boot::tty
