#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace viaduct::service {

/// How new connections choose a backend.
enum class PickRule : std::uint8_t {
  automatic,     ///< least_loaded for sockets, maglev for packets
  least_loaded,  ///< of two random backends the one with fewer open connections per weight
  peak_ewma,     ///< of two random backends the lower smoothed connect time x open connections
  random,        ///< at random, by weight
  round_robin,   ///< in turn, by weight
  maglev,        ///< by a hash of the flow: the same client and port go to the same backend
  source_hash,   ///< by a hash of the client: all its connections go to the same backend
};

std::string_view to_string(PickRule rule);
/// The word of a rule, e.g. "least-loaded"; absent for anything else.
std::optional<PickRule> parse_pick_rule(std::string_view text);

/// What makes two connections one client's.
enum class AffinityBy : std::uint8_t {
  none,    ///< every connection is picked anew
  client,  ///< the client's address; for sockets, which have none yet, their network namespace
  netns,   ///< the network namespace of the client's socket; for packets the client's address
};

/// A client stays with its backend until it was silent for `limit`.
struct Affinity {
  AffinityBy by = AffinityBy::none;
  std::chrono::seconds limit{0};  ///< 0 with AffinityBy::none, else 1..kMaxAffinity

  auto operator<=>(const Affinity&) const = default;
  bool operator==(const Affinity&) const = default;
  /// "none", "client:10800", "namespace:60".
  std::string to_string() const;
};

inline constexpr std::chrono::seconds kDefaultAffinity{10800};
inline constexpr std::chrono::seconds kMaxAffinity{86400};

/// "none", "client", "namespace", the latter two also with a limit in seconds: "client:600".
/// @return absent for anything else.
std::optional<Affinity> parse_affinity(std::string_view text);

inline constexpr std::chrono::seconds kMaxDrain{86400};

/// How long a backend of weight 0 keeps its connections: "none" (no limit) or 0 to 86400 seconds.
/// @return absent for anything else; an inner absent value is "none".
std::optional<std::optional<std::chrono::seconds>> parse_drain(std::string_view text);

/// What a VIP's labels say beside its address.
struct Policy {
  PickRule pick = PickRule::automatic;
  Affinity affinity;
  std::optional<std::chrono::seconds> drain;  ///< absent: as long as its connections live

  auto operator<=>(const Policy&) const = default;
  bool operator==(const Policy&) const = default;
};

/// One thing that a policy says: a label of a task, or a key of a service file.
struct PolicyField {
  std::string_view label;  ///< "VIADUCT_LB"
  std::string_view key;    ///< "lb"
  /// Takes a value.
  /// @errors Errc::bad_format: the context is the reason, and the policy stays as it was.
  base::Result<void> (*set)(Policy& policy, std::string_view text);
  /// The value as `set` takes it.
  std::string (*text)(const Policy& policy);
};

std::span<const PolicyField> policy_fields();

/// Two rows of one VIP: what the first leaves open the other decides.
/// @return a sentence for each field in which they differ and the first one's stays.
std::vector<std::string> settle(Policy& first, const Policy& other);

}  // namespace viaduct::service
