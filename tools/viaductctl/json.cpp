#include "tools/viaductctl/json.h"

#include <boost/json.hpp>

namespace viaduct::ctl {
namespace {

const json::value* member(const json::value& object, std::string_view key) {
  return object.is_object() ? object.get_object().if_contains(key) : nullptr;
}

}  // namespace

std::string text_of(const json::value& object, std::string_view key) {
  const json::value* value = member(object, key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::uint64_t number_of(const json::value& object, std::string_view key) {
  const json::value* value = member(object, key);
  if (!value) return 0;
  if (value->is_uint64()) return value->get_uint64();
  return value->is_int64() && value->get_int64() > 0
             ? static_cast<std::uint64_t>(value->get_int64())
             : 0;
}

bool flag_of(const json::value& object, std::string_view key) {
  const json::value* value = member(object, key);
  return value && value->is_bool() && value->get_bool();
}

const json::array& list_of(const json::value& object, std::string_view key) {
  static const json::array kEmpty;
  const json::value* value = member(object, key);
  return value && value->is_array() ? value->get_array() : kEmpty;
}

const json::value& object_of(const json::value& object, std::string_view key) {
  static const json::value kEmpty = json::object();
  const json::value* value = member(object, key);
  return value && value->is_object() ? *value : kEmpty;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string duration_text(std::uint64_t milliseconds) {
  if (milliseconds < 1000) return std::to_string(milliseconds) + " ms";
  const std::uint64_t seconds = milliseconds / 1000;
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 2 * 3600) return std::to_string(seconds / 60) + " min";
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " d";
}

}  // namespace viaduct::ctl
