#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace viaduct::log {

/// One name=value of a log line.
struct Field {
  std::string_view name;
  std::string value;

  Field(std::string_view field, std::string text) : name(field), value(std::move(text)) {}
  Field(std::string_view field, std::string_view text) : name(field), value(text) {}
  Field(std::string_view field, const char* text) : name(field), value(text) {}
  Field(std::string_view field, bool flag) : name(field), value(flag ? "true" : "false") {}
  template <class Number>
  requires std::is_arithmetic_v<Number> Field(std::string_view field, Number number)
      : name(field), value(std::to_string(number)) {}
};

enum class Level { debug, info, warn, error };
enum class Format { logfmt, json };

/// Sets what is written from now on; the default is info, logfmt.
void configure(Level level, Format format);

/// Writes one line to stderr: time, level, the constant event name, the fields.
void write(Level level, std::string_view event, std::initializer_list<Field> fields);

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::info, event, fields);
}
inline void warn(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::warn, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::error, event, fields);
}

}  // namespace viaduct::log
