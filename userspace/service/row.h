#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "service/vip.h"

namespace viaduct::service {

/// How new connections choose a backend.
enum class PickRule : std::uint8_t {
  automatic,     ///< least_loaded for sockets, maglev for packets
  least_loaded,  ///< of two random backends the one with fewer open connections per weight
  random,        ///< at random, by weight
  maglev,        ///< by a hash of the flow: the same client and port go to the same backend
};

std::string_view to_string(PickRule rule);
/// "automatic", "least-loaded", "random", "maglev"; absent for anything else.
std::optional<PickRule> parse_pick_rule(std::string_view text);

/// What a VIP's labels say beside its address.
struct Policy {
  PickRule pick = PickRule::automatic;

  auto operator<=>(const Policy&) const = default;
  bool operator==(const Policy&) const = default;
};

/// Largest weight of a backend.
inline constexpr std::uint16_t kMaxWeight = 1000;

/// One backend of one VIP, as its node publishes it.
struct BackendRow {
  VipTarget vip;
  std::uint16_t vip_port = 0;
  base::Protocol protocol = base::Protocol::tcp;
  base::Endpoint backend;
  std::uint16_t weight = 1;  ///< 0: no new connections, existing ones live on
  Policy policy;
  std::string task;  ///< for people: task id, or file and line

  auto operator<=>(const BackendRow&) const = default;
  bool operator==(const BackendRow&) const = default;
};

/// Something that a source read and could not use.
struct RejectedRow {
  std::string where;   ///< the place: "task web.1, port 20001, label VIP_0" or "shop.toml:12"
  std::string reason;  ///< a sentence that says what is wrong with which value

  auto operator<=>(const RejectedRow&) const = default;
  bool operator==(const RejectedRow&) const = default;
};

/// A host port of this node that leads to a container (not Docker's, whose proxy keeps host ports
/// reachable).
struct PortMapping {
  base::Protocol protocol = base::Protocol::tcp;
  std::uint16_t host_port = 0;
  base::Endpoint container;

  auto operator<=>(const PortMapping&) const = default;
  bool operator==(const PortMapping&) const = default;
};

/// All that one source knows at one time.
struct SourceRows {
  std::vector<BackendRow> rows;
  std::vector<RejectedRow> rejected;
  std::vector<PortMapping> port_mappings;

  bool operator==(const SourceRows&) const = default;
};

}  // namespace viaduct::service
