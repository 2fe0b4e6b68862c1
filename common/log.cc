#include "common/log.h"

#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <vector>

namespace runsc::log {
namespace {

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

void AppendJsonEscaped(std::string_view text, std::string& out) {
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20) {
      char buffer[8];
      snprintf(buffer, sizeof(buffer), "\\u%04x", c);
      out += buffer;
    } else {
      out += static_cast<char>(c);
    }
  }
}

// Writes each message with one write(2), so that lines of several processes
// that share a log file do not mix.
class FdSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FdSink(const Sink& sink) : fd_(sink.fd), format_(sink.format) {
    set_level(ToSpdlog(sink.level));
    set_pattern("%Y-%m-%dT%H:%M:%S.%f %t %L %v");
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string line;
    if (format_ == Format::kJson) {
      spdlog::memory_buf_t time;
      spdlog::pattern_formatter("%Y-%m-%dT%H:%M:%S.%fZ", spdlog::pattern_time_type::utc, "")
          .format(message, time);
      line = R"({"level":")";
      std::string_view level(spdlog::level::to_string_view(message.level).data());
      line += level;
      line += R"(","msg":")";
      AppendJsonEscaped({message.payload.data(), message.payload.size()}, line);
      line += R"(","time":")";
      line.append(time.data(), time.size());
      line += "\"}\n";
    } else {
      spdlog::memory_buf_t text;
      formatter_->format(message, text);
      line.assign(text.data(), text.size());
    }
    // A log that cannot be written must not stop the program.
    [[maybe_unused]] ssize_t written = write(fd_, line.data(), line.size());
  }
  void flush_() override {}

 private:
  int fd_;
  Format format_;
};

}  // namespace

void SetSinks(const Sink* sinks, int count) {
  std::vector<spdlog::sink_ptr> outputs;
  Level lowest = Level::kError;
  for (int i = 0; i < count; ++i) {
    outputs.push_back(std::make_shared<FdSink>(sinks[i]));
    if (sinks[i].level < lowest) lowest = sinks[i].level;
  }
  auto logger = std::make_shared<spdlog::logger>("runsc", outputs.begin(), outputs.end());
  logger->set_level(ToSpdlog(lowest));
  spdlog::set_default_logger(std::move(logger));
}

bool Enabled(Level level) { return spdlog::default_logger_raw()->should_log(ToSpdlog(level)); }

void Write(Level level, std::string_view message) {
  spdlog::default_logger_raw()->log(ToSpdlog(level),
                                    spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace runsc::log
