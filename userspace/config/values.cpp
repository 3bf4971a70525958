#include "config/values.h"

#include <cassert>
#include <utility>

namespace viaduct::config {

Values::Values(const Schema& schema) {
  for (const Key& key : schema.keys) entries_[key.name] = {key.fallback, false};
}

const Values::Entry& Values::entry(std::string_view name) const {
  const auto found = entries_.find(name);
  assert(found != entries_.end() && "the schema lacks this key");
  return found->second;
}

const std::string& Values::string(std::string_view name) const {
  return std::get<std::string>(entry(name).value);
}

std::int64_t Values::integer(std::string_view name) const {
  return std::get<std::int64_t>(entry(name).value);
}

bool Values::boolean(std::string_view name) const { return std::get<bool>(entry(name).value); }

const std::vector<std::string>& Values::string_list(std::string_view name) const {
  return std::get<std::vector<std::string>>(entry(name).value);
}

bool Values::is_set(std::string_view name) const { return entry(name).is_set; }

void Values::set(std::string_view name, Value value) {
  const auto found = entries_.find(name);
  assert(found != entries_.end() && found->second.value.index() == value.index());
  found->second = {std::move(value), true};
}

}  // namespace viaduct::config
