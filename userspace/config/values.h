#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/key.h"

namespace viaduct::config {

/// A value for every key of a schema, each already checked.
/// A getter for a name outside the schema, or of another type, is a bug of the caller (assert).
class Values {
 public:
  /// Every key has its default.
  explicit Values(const Schema& schema);

  const std::string& string(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  bool boolean(std::string_view name) const;
  const std::vector<std::string>& string_list(std::string_view name) const;

  /// Whether a file or --set named the key.
  bool is_set(std::string_view name) const;

  /// Replaces the value of a key of the schema by one of the same type.
  void set(std::string_view name, Value value);

 private:
  struct Entry {
    Value value;
    bool is_set = false;
  };
  const Entry& entry(std::string_view name) const;

  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace viaduct::config
