#include "bin/runsc-boot/tty/terminal.h"

#include <sys/epoll.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "bin/runsc-boot/kernel/job_control.h"
#include "bin/runsc-boot/kernel/timer.h"

namespace runsc::boot::tty {

namespace {

constexpr size_t kTypedLimit = 65536;
// What one read of the master end gets at most, and one step of a write takes.
constexpr size_t kMasterRead = 4095;
constexpr size_t kChunk = 4096;
constexpr int64_t kTenthOfSecond = 100'000'000;

constexpr PollEvents kIn = EPOLLIN | EPOLLRDNORM;
constexpr PollEvents kOut = EPOLLOUT | EPOLLWRNORM;
constexpr PollEvents kHungUp = kIn | kOut | EPOLLERR | EPOLLHUP;

}  // namespace

Terminal::Terminal(Kernel& kernel, int index, Owner owner)
    : ControllingTerminal(makedev(kSlaveMajor, static_cast<unsigned>(index))),
      kernel_(kernel),
      index_(index),
      owner_(std::move(owner)) {}

Terminal::~Terminal() { owner_.gone(); }

// --- The slave end

Result<uint64_t> Terminal::OpenSlave(Context& context) {
  const bool privileged = context.credentials()->Has(CAP_SYS_ADMIN);
  absl::MutexLock lock(&mutex_);
  if (!master_open_ || locked_) return Error(EIO);
  if (exclusive_ && !privileged) return Error(EBUSY);
  ++slave_files_;
  slave_seen_ = true;
  return generation_;
}

void Terminal::CloseSlave() {
  absl::MutexLock lock(&mutex_);
  if (--slave_files_ > 0) return;
  exclusive_ = false;
  master_queue_.Notify(kIn | EPOLLHUP);
}

bool Terminal::HungUp(uint64_t generation) {
  absl::MutexLock lock(&mutex_);
  return generation != generation_;
}

Result<size_t> Terminal::ReadSlave(IoBuffer& destination, uint64_t generation, Patience patience) {
  std::string bytes;
  std::vector<int> signals;
  {
    absl::MutexLock lock(&mutex_);
    const size_t limit = destination.remaining();
    if (generation != generation_ || limit == 0) return 0;
    const Termios& termios = discipline_.termios();
    const size_t minimum = std::min<size_t>(termios.c_cc[VMIN], limit);
    if (!discipline_.Readable(patience == Patience::kWait ? minimum : 1)) {
      if (!master_open_) return Error(EIO);
      const bool never_waits =
          !discipline_.canonical() && termios.c_cc[VMIN] == 0 && termios.c_cc[VTIME] == 0;
      if (never_waits || patience == Patience::kOver) return 0;
      return Error(EAGAIN);
    }
    bytes = discipline_.Take(limit);
    signals = TakeInput();
  }
  Send(signals);
  if (bytes.empty()) return 0;
  return destination.Put(bytes.data(), bytes.size());
}

std::optional<int64_t> Terminal::ReadDeadline(int64_t begun) {
  absl::MutexLock lock(&mutex_);
  const Termios& termios = discipline_.termios();
  if (discipline_.canonical() || termios.c_cc[VTIME] == 0) return std::nullopt;
  const int64_t patience = termios.c_cc[VTIME] * kTenthOfSecond;
  if (termios.c_cc[VMIN] == 0) return begun + patience;
  // Between bytes: from the first one on.
  if (discipline_.ReadableBytes() == 0) return std::nullopt;
  return std::max(begun, last_typed_ns_) + patience;
}

Result<size_t> Terminal::WriteSlave(IoBuffer& source, uint64_t generation) {
  size_t total = 0;
  char chunk[kChunk];
  while (source.remaining() > 0) {
    Result<size_t> taken = source.Take(chunk, std::min(sizeof(chunk), source.remaining()));
    if (!taken.ok()) return total > 0 ? Result<size_t>(total) : taken;
    size_t written = 0;
    {
      absl::MutexLock lock(&mutex_);
      if (generation != generation_ || !master_open_) {
        source.StepBack(*taken);
        return Error(EIO);
      }
      written = discipline_.Write({chunk, *taken});
      NotifyMaster();
    }
    source.StepBack(*taken - written);
    total += written;
    if (written < *taken) break;
  }
  if (total == 0 && source.remaining() > 0) return Error(EAGAIN);
  return total;
}

PollEvents Terminal::PollSlave(uint64_t generation) {
  absl::MutexLock lock(&mutex_);
  if (generation != generation_) return kHungUp;
  const Termios& termios = discipline_.termios();
  const size_t wanted = termios.c_cc[VTIME] == 0 ? termios.c_cc[VMIN] : 1;
  PollEvents ready = discipline_.Readable(wanted) ? kIn : 0;
  if (discipline_.HasRoomForOutput()) ready |= kOut;
  if (!master_open_) ready |= EPOLLHUP;
  return ready;
}

void Terminal::NotifySlave() {
  PollEvents ready = 0;
  if (discipline_.Readable(1)) ready |= kIn;
  if (discipline_.HasRoomForOutput()) ready |= kOut;
  if (ready != 0) slave_queue_.Notify(ready);
}

// --- The master end

bool Terminal::MasterHasInput() const {
  return !discipline_.output().empty() || discipline_.packet_status() != 0;
}

void Terminal::NotifyMaster() {
  PollEvents ready = 0;
  if (MasterHasInput()) ready |= kIn;
  if (discipline_.packet_status() != 0) ready |= EPOLLPRI;
  if (RoomForInput() > 0) ready |= kOut;
  if (ready != 0) master_queue_.Notify(ready);
}

size_t Terminal::RoomForInput() const {
  return typed_.size() < kTypedLimit ? kTypedLimit - typed_.size() : 0;
}

std::vector<int> Terminal::TakeInput() {
  if (!typed_.empty()) {
    const size_t taken = discipline_.Receive(typed_);
    typed_.erase(0, taken);
    NotifySlave();
    NotifyMaster();
  }
  return discipline_.TakeSignals();
}

void Terminal::Send(const std::vector<int>& signals) {
  for (const int signo : signals) JobControl::SignalForeground(kernel_, *this, signo);
}

bool Terminal::MasterClosed() {
  absl::MutexLock lock(&mutex_);
  return !master_open_;
}

void Terminal::CloseMaster() {
  {
    absl::MutexLock lock(&mutex_);
    master_open_ = false;
  }
  owner_.master_closed();
  HangUp();
}

void Terminal::HangUp() {
  {
    absl::MutexLock lock(&mutex_);
    ++generation_;
    discipline_.FlushInput();
    discipline_.Reset();
    exclusive_ = false;
    slave_queue_.Notify(kHungUp);
  }
  JobControl::HangUp(kernel_, *this);
}

Result<size_t> Terminal::ReadMaster(IoBuffer& destination) {
  std::string bytes;
  {
    absl::MutexLock lock(&mutex_);
    size_t limit = std::min(destination.remaining(), kMasterRead);
    if (limit == 0) return 0;
    std::string& output = discipline_.output();
    if (discipline_.packet_status() != 0) {
      bytes.push_back(static_cast<char>(discipline_.TakePacketStatus()));
    } else if (output.empty()) {
      return Error(SlaveClosedLocked() ? EIO : EAGAIN);
    } else {
      if (discipline_.packet_mode()) {
        bytes.push_back(TIOCPKT_DATA);
        --limit;
      }
      limit = std::min(limit, output.size());
      bytes.append(output, 0, limit);
      output.erase(0, limit);
      discipline_.ReleaseEcho();
      NotifySlave();
    }
  }
  return destination.Put(bytes.data(), bytes.size());
}

Result<size_t> Terminal::WriteMaster(IoBuffer& source) {
  size_t total = 0;
  char chunk[kChunk];
  while (source.remaining() > 0) {
    Result<size_t> taken = source.Take(chunk, std::min(sizeof(chunk), source.remaining()));
    if (!taken.ok()) return total > 0 ? Result<size_t>(total) : taken;
    size_t written = 0;
    std::vector<int> signals;
    {
      absl::MutexLock lock(&mutex_);
      written = std::min(*taken, RoomForInput());
      typed_.append(chunk, written);
      last_typed_ns_ = MonotonicNow();
      signals = TakeInput();
    }
    Send(signals);
    source.StepBack(*taken - written);
    total += written;
    if (written < *taken) break;
  }
  if (total == 0 && source.remaining() > 0) return Error(EAGAIN);
  return total;
}

PollEvents Terminal::PollMaster() {
  absl::MutexLock lock(&mutex_);
  PollEvents ready = MasterHasInput() ? kIn : 0;
  if (discipline_.packet_status() != 0) ready |= EPOLLPRI;
  if (RoomForInput() > 0) ready |= kOut;
  if (SlaveClosedLocked()) ready |= EPOLLHUP;
  return ready;
}

size_t Terminal::MasterReadable() {
  absl::MutexLock lock(&mutex_);
  return std::min(discipline_.output().size(), kMasterRead);
}

// --- Both ends

Termios Terminal::attributes() {
  absl::MutexLock lock(&mutex_);
  return discipline_.termios();
}

void Terminal::SetAttributes(const Termios& termios, bool flush_input) {
  std::vector<int> signals;
  {
    absl::MutexLock lock(&mutex_);
    if (flush_input) discipline_.FlushInput();
    discipline_.SetTermios(termios);
    signals = TakeInput();
    NotifySlave();
    NotifyMaster();
  }
  Send(signals);
}

winsize Terminal::WindowSize() {
  RefreshWindowSize();
  absl::MutexLock lock(&mutex_);
  return size_;
}

void Terminal::RefreshWindowSize() {
  if (size_source_ != nullptr) SetWindowSize(size_source_());
}

void Terminal::SetWindowSize(const winsize& size) {
  {
    absl::MutexLock lock(&mutex_);
    if (memcmp(&size_, &size, sizeof(size)) == 0) return;
    size_ = size;
  }
  Send({SIGWINCH});
}

size_t Terminal::SlaveReadable() {
  absl::MutexLock lock(&mutex_);
  return discipline_.ReadableBytes();
}

void Terminal::FlushSlave(bool input, bool output) {
  std::vector<int> signals;
  {
    absl::MutexLock lock(&mutex_);
    if (output) discipline_.FlushOutput();
    if (input) {
      discipline_.FlushInput();
      signals = TakeInput();
    }
    NotifySlave();
    NotifyMaster();
  }
  Send(signals);
}

void Terminal::FlushMaster(bool input, bool output) {
  absl::MutexLock lock(&mutex_);
  std::string& waiting = discipline_.output();
  if (input) waiting.erase(0, kMasterRead);
  if (output) typed_.clear();
  NotifySlave();
  NotifyMaster();
}

void Terminal::StopOutput(bool stop) {
  absl::MutexLock lock(&mutex_);
  if (stop) {
    discipline_.Stop(/*by_call=*/true);
  } else {
    discipline_.Start(/*by_call=*/true);
  }
  NotifySlave();
  NotifyMaster();
}

void Terminal::SendFlowControl(bool stop) {
  absl::MutexLock lock(&mutex_);
  const unsigned char byte = discipline_.termios().c_cc[stop ? VSTOP : VSTART];
  if (byte == 0) return;
  discipline_.SendRaw(static_cast<char>(byte));
  NotifyMaster();
}

void Terminal::Type(char byte) {
  std::vector<int> signals;
  {
    absl::MutexLock lock(&mutex_);
    if (RoomForInput() == 0) return;
    typed_.push_back(byte);
    last_typed_ns_ = MonotonicNow();
    signals = TakeInput();
  }
  Send(signals);
}

bool Terminal::locked() {
  absl::MutexLock lock(&mutex_);
  return locked_;
}

void Terminal::set_locked(bool locked) {
  absl::MutexLock lock(&mutex_);
  locked_ = locked;
}

bool Terminal::exclusive() {
  absl::MutexLock lock(&mutex_);
  return exclusive_;
}

void Terminal::set_exclusive(bool exclusive) {
  absl::MutexLock lock(&mutex_);
  exclusive_ = exclusive;
}

bool Terminal::packet_mode() {
  absl::MutexLock lock(&mutex_);
  return discipline_.packet_mode();
}

void Terminal::set_packet_mode(bool on) {
  absl::MutexLock lock(&mutex_);
  discipline_.SetPacketMode(on);
  NotifyMaster();
}

}  // namespace runsc::boot::tty
