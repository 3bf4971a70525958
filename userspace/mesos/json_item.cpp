#include "mesos/json_item.h"

#include <boost/json/value.hpp>
#include <cmath>

#include "mesos/limits.h"

namespace viaduct::mesos {
namespace {

namespace json = boost::json;

constexpr double kMaxExact = 9007199254740992.0;  // 2^53: doubles up to here are whole numbers

std::string_view kind_name(json::kind kind) {
  switch (kind) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

}  // namespace

const json::value* JsonItem::member(std::string_view key) const {
  const json::value* found = object_.if_contains(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

void JsonItem::reject_type(std::string_view key, const json::value& found,
                           std::string_view expected) const {
  reject(std::string(key) + " is " + std::string(kind_name(found.kind())) + ", not " +
         std::string(expected));
}

std::optional<JsonItem> JsonItem::object(std::string_view key) const {
  const json::value* found = member(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* object = found->if_object()) return JsonItem(*object, where_, rejections_);
  reject_type(key, *found, "an object");
  return std::nullopt;
}

const json::array* JsonItem::array(std::string_view key) const {
  const json::value* found = member(key);
  if (found == nullptr) return nullptr;
  if (const auto* array = found->if_array()) return array;
  reject_type(key, *found, "a list");
  return nullptr;
}

bool JsonItem::is_array(std::string_view key) const {
  const json::value* found = member(key);
  return found != nullptr && found->is_array();
}

std::optional<std::string> JsonItem::text(std::string_view key, std::size_t max_bytes) const {
  const json::value* found = member(key);
  if (found == nullptr) return std::nullopt;
  const auto* text = found->if_string();
  if (text == nullptr) {
    reject_type(key, *found, "a string");
    return std::nullopt;
  }
  if (text->size() > max_bytes) {
    reject(std::string(key) + " has " + std::to_string(text->size()) + " bytes; at most " +
           std::to_string(max_bytes) + " are allowed");
    return std::nullopt;
  }
  return std::string(text->data(), text->size());
}

std::optional<std::int64_t> JsonItem::integer(std::string_view key) const {
  const json::value* found = member(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* value = found->if_int64()) return *value;
  if (const auto* value = found->if_double();
      value != nullptr && std::abs(*value) <= kMaxExact && std::trunc(*value) == *value)
    return static_cast<std::int64_t>(*value);
  reject_type(key, *found, "a whole number in range");
  return std::nullopt;
}

std::optional<double> JsonItem::number(std::string_view key) const {
  const json::value* found = member(key);
  if (found == nullptr) return std::nullopt;
  if (found->is_number()) return found->to_number<double>();
  reject_type(key, *found, "a number");
  return std::nullopt;
}

std::optional<bool> JsonItem::boolean(std::string_view key) const {
  const json::value* found = member(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* value = found->if_bool()) return *value;
  reject_type(key, *found, "true or false");
  return std::nullopt;
}

std::optional<std::string> JsonItem::id(std::string_view key) const {
  const auto wrapped = object(key);
  return wrapped ? wrapped->text("value") : std::nullopt;
}

}  // namespace viaduct::mesos
