#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mesos/limits.h"
#include "mesos/rejections.h"

namespace viaduct::mesos {

/// A JSON object with its place in the answer, read member by member.
/// An absent member or null is normal and gives "absent"; a member of another type or over a limit
/// also gives "absent" and is rejected under the place.
class JsonItem {
 public:
  /// Borrows both for its life.
  JsonItem(const boost::json::object& object, std::string where, Rejections& rejections)
      : object_(object), where_(std::move(where)), rejections_(rejections) {}

  std::optional<JsonItem> object(std::string_view key) const;
  const boost::json::array* array(std::string_view key) const;
  /// At most kMaxTextBytes.
  std::optional<std::string> text(std::string_view key) const { return text(key, kMaxTextBytes); }
  std::optional<std::string> text(std::string_view key, std::size_t max_bytes) const;
  /// A whole number, also when written as 8080.0.
  std::optional<std::int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  /// Mesos' wrapped id: {"value": "..."}.
  std::optional<std::string> id(std::string_view key) const;
  bool has(std::string_view key) const { return member(key) != nullptr; }
  bool is_array(std::string_view key) const;

  /// The same object under another name.
  JsonItem at(std::string where) const { return {object_, std::move(where), rejections_}; }

  const std::string& where() const { return where_; }
  void reject(std::string reason) const { rejections_.add(where_, std::move(reason)); }
  Rejections& rejections() const { return rejections_; }

 private:
  const boost::json::value* member(std::string_view key) const;
  void reject_type(std::string_view key, const boost::json::value& found,
                   std::string_view expected) const;

  const boost::json::object& object_;
  std::string where_;
  Rejections& rejections_;
};

/// Calls `use(JsonItem, index)` for the objects of a list (null: none), at most `limit`; others are
/// rejected.
/// @param noun  names an element in its place: "task web.1, port #2".
template <class Use>
void for_each_item(const boost::json::array* list, const JsonItem& owner, std::string_view noun,
                   std::size_t limit, Use use) {
  if (list == nullptr) return;
  std::size_t index = 0;
  const std::string prefix =
      (owner.where().empty() ? "" : owner.where() + ", ") + std::string(noun);
  for (const auto& element : *list) {
    if (index++ == limit) {
      owner.reject("has " + std::to_string(list->size()) + " elements of the kind " +
                   std::string(noun) + "; only " + std::to_string(limit) + " are read");
      return;
    }
    std::string where = prefix + " #" + std::to_string(index);
    if (const auto* object = element.if_object())
      use(JsonItem(*object, std::move(where), owner.rejections()));
    else
      owner.rejections().add(std::move(where), "is not an object");
  }
}

}  // namespace viaduct::mesos
