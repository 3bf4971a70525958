#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/address.h"
#include "base/result.h"

namespace viaduct::service {

/// The zone in which named VIPs live.
inline constexpr std::string_view kL4lbZone = "l4lb.thisdcos.directory";

/// What clients dial: address, port and protocol.
struct VipKey {
  base::Address address;
  std::uint16_t port = 0;
  base::Protocol protocol = base::Protocol::tcp;

  auto operator<=>(const VipKey&) const = default;
  bool operator==(const VipKey&) const = default;
  /// "tcp 11.0.0.1:80".
  std::string to_string() const;
};

/// A named VIP in canonical form, sanitise(label).sanitise(framework): "web.marathon".
/// `/web`, `web` and `/Web` of one framework are the same name.
struct VipName {
  std::string value;

  auto operator<=>(const VipName&) const = default;
  bool operator==(const VipName&) const = default;
  /// "web.marathon.l4lb.thisdcos.directory", no trailing dot.
  std::string fqdn() const;
};

/// Either an explicit address or a name whose address is allocated (named_address.h).
using VipTarget = std::variant<base::Address, VipName>;

/// What a VIP label asks for.
struct VipLabel {
  VipTarget target;
  std::uint16_t port = 0;
};

/// Reads the value of a VIP label, `<host>:<port>`, split at the last colon.
/// A host that is an address (IPv6 with or without brackets) gives an address VIP; anything else a
/// named one.
/// @param framework  the registered name of the task's framework, e.g. "marathon".
/// @errors Errc::bad_vip_label; the context names the value and says what is wrong with it.
/// Source: facts of dcos-net's label grammar; deviations are listed in service/README.md.
base::Result<VipLabel> parse_vip_label(std::string_view value, std::string_view framework);

/// Canonical name of a label within a framework.
/// @errors Errc::bad_vip_label when nothing is left of either part, or the label has digits only.
base::Result<VipName> make_vip_name(std::string_view label, std::string_view framework);

/// Refuses what can never be a VIP: unspecified, loopback, multicast, broadcast, link-local.
/// @errors Errc::bad_vip_label with the reason.
base::Result<void> check_vip_address(const base::Address& address);

}  // namespace viaduct::service
