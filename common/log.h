// The one logger. spdlog and fmt stay in log.cc, since a file that includes
// them takes ten seconds to compile; messages are built with absl::StrCat or
// absl::StrFormat.
//
//   LOG_WARNING("AppArmor profile ignored: ", profile);
//
// The arguments are evaluated only when the level is enabled.
#ifndef RUNSC_COMMON_LOG_H_
#define RUNSC_COMMON_LOG_H_

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "common/result.h"

namespace runsc::log {

enum class Level { kDebug, kInfo, kWarning, kError };
enum class Format { kText, kJson };

// Where one stream of messages goes.
struct Sink {
  int fd = -1;  // borrowed; must stay open as long as the process logs to it
  Format format = Format::kText;
  Level level = Level::kWarning;
};

// Replaces the sinks. JSON lines have the fields "level", "msg" and "time"
// that shims of Docker and containerd read (as runc writes them).
void SetSinks(const Sink* sinks, int count);

bool Enabled(Level level);
void Write(Level level, std::string_view message);

}  // namespace runsc::log

#define RUNSC_LOG(level, ...)                                                                  \
  do {                                                                                         \
    if (::runsc::log::Enabled(level)) ::runsc::log::Write(level, ::absl::StrCat(__VA_ARGS__)); \
  } while (false)
#define LOG_DEBUG(...) RUNSC_LOG(::runsc::log::Level::kDebug, __VA_ARGS__)
#define LOG_INFO(...) RUNSC_LOG(::runsc::log::Level::kInfo, __VA_ARGS__)
#define LOG_WARNING(...) RUNSC_LOG(::runsc::log::Level::kWarning, __VA_ARGS__)
#define LOG_ERROR(...) RUNSC_LOG(::runsc::log::Level::kError, __VA_ARGS__)

#endif  // RUNSC_COMMON_LOG_H_
