#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace viaduct::ctl {

/// The values of a config.json of Mesos-DNS by key, without regard to case. A value of a wrong type
/// or range is a mistake, and absent.
class MesosDnsValues {
 public:
  /// @param mistakes  borrowed for its life.
  MesosDnsValues(const boost::json::object& config, std::vector<std::string>& mistakes);

  /// Reads a value, and notes that it is known. Absent also when it is null.
  const boost::json::value* take(std::string_view key);
  std::string text(std::string_view key, std::string fallback);
  bool flag(std::string_view key, bool fallback);
  std::int64_t number(std::string_view key, std::int64_t fallback, std::int64_t first,
                      std::int64_t last);
  std::vector<std::string> texts(std::string_view key, std::vector<std::string> fallback);

  bool has(std::string_view key) const;
  /// The keys as written that nobody took.
  std::vector<std::string> untaken() const;
  void mistake(std::string_view key, std::string what);

 private:
  struct Entry {
    std::string written;
    const boost::json::value* value;
    bool taken = false;
  };

  std::map<std::string, Entry> entries_;  // by the key in lower case
  std::vector<std::string>& mistakes_;
};

/// In lower case.
std::string lower(std::string_view text);
/// An IP address, with ":port" or without; IPv6 in brackets if it has one.
std::optional<base::Endpoint> parse_resolver(std::string_view text);
/// As TOML writes a text.
std::string toml_text(std::string_view text);
std::string toml_list(const std::vector<std::string>& texts);

}  // namespace viaduct::ctl
