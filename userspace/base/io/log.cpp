#include "base/io/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

namespace viaduct::log {
namespace {

std::atomic<Format> format = Format::logfmt;

std::shared_ptr<spdlog::logger> logger() {
  static const auto instance = [] {
    auto made = spdlog::stderr_logger_mt("viaduct");
    made->set_pattern("%v");
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return instance;
}

spdlog::level::level_enum spd_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view word(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "error";
}

void append_escaped(std::string& line, std::string_view value) {
  line += '"';
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (octet < 0x20 || octet == 0x7f) {
      line += fmt::format("\\u{:04x}", octet);
    } else {
      line += c;
    }
  }
  line += '"';
}

bool is_plain(std::string_view value) {
  if (value.empty()) return false;
  for (const char c : value)
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) return false;
  return true;
}

std::string timestamp() {
  const auto now = std::chrono::system_clock::now();
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", text, ms);
}

}  // namespace

void configure(Level level, Format wanted) {
  format = wanted;
  logger()->set_level(spd_level(level));
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (!logger()->should_log(spd_level(level))) return;
  std::string line;
  if (format == Format::json) {
    line = "{\"time\":\"" + timestamp() + "\",\"level\":\"" + std::string(word(level)) +
           "\",\"event\":";
    append_escaped(line, event);
    for (const Field& field : fields) {
      line += ',';
      append_escaped(line, field.name);
      line += ':';
      append_escaped(line, field.value);
    }
    line += '}';
  } else {
    line = "time=" + timestamp() + " level=" + std::string(word(level)) +
           " event=" + std::string(event);
    for (const Field& field : fields) {
      line += ' ';
      line += field.name;
      line += '=';
      if (is_plain(field.value))
        line += field.value;
      else
        append_escaped(line, field.value);
    }
  }
  logger()->log(spd_level(level), spdlog::string_view_t(line));
}

}  // namespace viaduct::log
