// The line discipline N_TTY (termios(3)): between what comes from a terminal's
// master end and what its readers get, and between what they write and what the
// master end reads. Pure state, without locks: the terminal guards it.
//
//   size_t taken = discipline.Receive("ls\n");        // typed
//   std::string line = discipline.Take(4096);         // read(2)
//   size_t written = discipline.Write("a.txt\n");     // write(2)
//   send(discipline.TakeSignals()), show(discipline.output());
#ifndef RUNSC_BOOT_TTY_LINE_DISCIPLINE_H_
#define RUNSC_BOOT_TTY_LINE_DISCIPLINE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bin/runsc-boot/tty/input_queue.h"
#include "bin/runsc-boot/tty/output_filter.h"
#include "bin/runsc-boot/tty/termios.h"

namespace runsc::boot::tty {

class LineDiscipline {
 public:
  // What waits for the master's reader at most, as on Linux.
  static constexpr size_t kOutputLimit = 65536;
  // Of that, what the reader's own buffer holds: a flush does not reach it.
  static constexpr size_t kBehindFlush = 4095;

  LineDiscipline() : termios_(DefaultTermios()) {}

  const Termios& termios() const { return termios_; }
  // Sanitized; takes effect for what has been received already as far as
  // canonical mode goes.
  void SetTermios(const Termios& termios);
  void Reset() { SetTermios(DefaultTermios()); }

  // What was typed. Returns how many bytes were taken: fewer when there is no room.
  size_t Receive(std::string_view bytes);
  // Signals that Receive has made since, each once (SIGINT, SIGQUIT, SIGTSTP).
  std::vector<int> TakeSignals() { return std::exchange(signals_, {}); }

  // Whether a read gets something at once; `wanted`: VMIN as the reader sees it.
  bool Readable(size_t wanted) const;
  // A read of up to `limit` bytes; nothing is an end of file in canonical mode.
  std::string Take(size_t limit) { return input_.Take(limit, canonical()); }
  size_t ReadableBytes() const { return input_.Readable(canonical()); }
  bool canonical() const {
    return (termios_.c_lflag & ICANON) != 0 && (termios_.c_lflag & EXTPROC) == 0;
  }
  void FlushInput();

  // What a program writes; returns how many bytes were taken.
  size_t Write(std::string_view bytes);
  bool HasRoomForOutput() const { return !stopped_ && output_.size() < kOutputLimit; }
  void FlushOutput();
  // Bypasses all processing (TCIOFF, TCION).
  void SendRaw(char byte) {
    if (output_.size() < kOutputLimit) output_.push_back(byte);
  }
  // What the master end reads; it takes from the front.
  std::string& output() { return output_; }
  const std::string& output() const { return output_; }
  // To be called when the master's reader has made room.
  void ReleaseEcho();

  // TCOOFF and TCOON, which only each other undo, and ^S and ^Q.
  void Stop(bool by_call);
  void Start(bool by_call);
  bool stopped() const { return stopped_; }

  // Bits of TIOCPKT for the master's reader, gathered while `packet` is on.
  void SetPacketMode(bool on);
  bool packet_mode() const { return packet_; }
  uint8_t packet_status() const { return packet_status_; }
  uint8_t TakePacketStatus() { return std::exchange(packet_status_, uint8_t{0}); }

 private:
  bool Input(tcflag_t flag) const { return (termios_.c_iflag & flag) != 0; }
  bool Local(tcflag_t flag) const { return (termios_.c_lflag & flag) != 0; }
  // A control character of c_cc; 0 there means none.
  bool Is(uint8_t byte, int index) const { return byte != 0 && byte == termios_.c_cc[index]; }
  int SignalOf(uint8_t byte) const;  // 0: none

  void ReceiveByte(uint8_t byte);
  bool ReceiveFlowControl(uint8_t byte);
  void ReceiveSignal(uint8_t byte, int signo);
  bool ReceiveCanonical(uint8_t byte);
  void ReceivePlain(uint8_t byte, bool newline);
  void Keep(uint8_t byte);
  bool HasRoomForInput() const;

  // Line editing (line_editing.cc).
  void Erase(uint8_t byte);
  void EraseLine();
  // Takes back one character; false: the erasing ends before it.
  bool EraseCharacter(bool word, bool& seen_word);
  void ShowErasure(const std::string& character, bool word_or_line);
  void EraseTab();
  void Reprint();
  void FinishErasing();

  // Echo: into the output, or aside while that is stopped or full.
  void Echo(uint8_t byte);     // control characters as ^X
  void EchoRaw(uint8_t byte);  // as it is, through output processing
  void EchoAtLineStart(uint8_t byte);
  void Emit(const std::string& bytes);
  void Status(uint8_t set, uint8_t clear = 0);

  Termios termios_;
  InputQueue input_;
  OutputFilter filter_;
  std::string output_;
  std::string held_echo_;
  std::vector<int> signals_;
  bool literal_next_ = false;
  bool erasing_ = false;  // between \ and / of ECHOPRT
  bool stopped_ = false;
  bool stopped_by_call_ = false;
  bool packet_ = false;
  uint8_t packet_status_ = 0;
};

}  // namespace runsc::boot::tty

#endif  // RUNSC_BOOT_TTY_LINE_DISCIPLINE_H_
