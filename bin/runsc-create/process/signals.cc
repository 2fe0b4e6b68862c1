#include "bin/runsc-create/process/signals.h"

#include <signal.h>
#include <string.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace runsc::create {
namespace {

// Linux's numbers; the C library keeps two real-time signals for itself, and
// its SIGRTMIN is what users mean.
constexpr int kLastSignal = 64;

int RealTimeSignal(absl::string_view name) {
  int offset = 0;
  if (name == "RTMIN") return SIGRTMIN;
  if (name == "RTMAX") return SIGRTMAX;
  if (absl::ConsumePrefix(&name, "RTMIN+") && absl::SimpleAtoi(name, &offset)) {
    return SIGRTMIN + offset;
  }
  if (absl::ConsumePrefix(&name, "RTMAX-") && absl::SimpleAtoi(name, &offset)) {
    return SIGRTMAX - offset;
  }
  return 0;
}

}  // namespace

Result<int> ParseSignal(const std::string& text) {
  int number = 0;
  const bool is_number = absl::SimpleAtoi(text, &number);
  if (!is_number) {
    std::string upper = absl::AsciiStrToUpper(text);
    absl::string_view name = absl::StripPrefix(upper, "SIG");
    number = RealTimeSignal(name);
    if (name == "IOT") number = SIGABRT;
    if (name == "POLL") number = SIGPOLL;
    for (int signo = 1; number == 0 && signo < SIGRTMIN; ++signo) {
      const char* known = sigabbrev_np(signo);
      if (known != nullptr && name == known) number = signo;
    }
  }
  if (number < (is_number ? 0 : 1) || number > kLastSignal) {
    return Error(EINVAL, absl::StrCat("unknown signal \"", text, "\""));
  }
  return number;
}

}  // namespace runsc::create
