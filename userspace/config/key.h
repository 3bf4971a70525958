#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace viaduct::config {

enum class Type { string, integer, boolean, string_list };

/// "a string", "an integer", "true or false", "a list of strings".
std::string_view describe(Type type);

/// The alternative is the type: index() matches Type.
using Value = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;

inline Type type_of(const Value& value) { return static_cast<Type>(value.index()); }

/// The value as it is written in TOML.
std::string to_toml(const Value& value);

/// Smallest and largest allowed integer, both included.
struct Range {
  std::int64_t min;
  std::int64_t max;
};

/// Judges one string, or each element of a list (check.h has the usual ones).
/// @return what is wrong, as the rest of a sentence about the value: "is not an IPv4 address".
using Check = std::optional<std::string> (*)(std::string_view);

/// One setting. A module's config.h lists its keys once; the parser, --help-config and the module's
/// README all come from that list.
struct Key {
  std::string name;                       ///< "dns.port": table, dot, key
  Value fallback;                         ///< the default; its alternative is the key's type
  std::string help;                       ///< one sentence
  std::string unit = "";                  ///< "ms", "bytes"; empty: no unit
  std::optional<Range> range = {};        ///< integers only
  std::vector<std::string> choices = {};  ///< strings only; empty: anything that `check` accepts
  Check check = nullptr;                  ///< null: anything
  bool secret = false;                    ///< may hold a password: a mistake does not show it
};

class Values;

/// Something that no key can judge alone, such as a minimum above its maximum.
struct Rule {
  std::string key;  ///< where the mistake is reported
  /// @return what is wrong, as the rest of a sentence about the key.
  std::optional<std::string> (*check)(const Values&);
};

/// All keys of a program.
struct Schema {
  std::vector<Key> keys;
  std::vector<Rule> rules = {};

  /// Appends a module's keys.
  Schema& add(const std::vector<Key>& more);
  /// Null: there is no such key.
  const Key* find(std::string_view name) const;
};

}  // namespace viaduct::config
