#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/key.h"
#include "config/values.h"

namespace viaduct::config {

/// Largest configuration file that is read.
inline constexpr std::size_t kMaxFileBytes = 1 << 20;

/// One thing that is wrong, and where.
struct Mistake {
  std::string where;  ///< "viaduct.toml:12" or "--set dns.port=x"
  std::string what;   ///< "dns.port is 70000; it must be between 1 and 65535"

  bool operator==(const Mistake&) const = default;
};

/// Everything that is wrong, in the order of the file, command line last.
struct Mistakes {
  std::vector<Mistake> all;

  /// One line each, "where: what".
  std::string to_string() const;
};

/// Lets the result's value() throw; value() is for tests only.
[[noreturn]] void throw_exception_from_error(const Mistakes& mistakes,
                                             const boost::source_location& where);

/// Reads a configuration.
/// Every mistake is reported in one pass; only a syntax error hides those behind it.
/// @param text  TOML; empty means that every key has its default.
/// @param file  the name that mistakes are reported under.
/// @param overrides  what followed each --set, "key=value": they win over the file, the last one
/// over the others.
///        A string stands without quotes; a list is written as in TOML or as elements between
///        commas.
/// @errors all mistakes, of the file, of the overrides and of the rules.
boost::system::result<Values, Mistakes> parse(std::string_view text, const std::string& file,
                                              const Schema& schema,
                                              const std::vector<std::string>& overrides = {});

}  // namespace viaduct::config
