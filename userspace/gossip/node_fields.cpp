#include "gossip/node_fields.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "gossip/limits.h"

namespace viaduct::gossip {
namespace {

using base::ByteView;

constexpr std::size_t kVersionsOctets = 6;

Decoded<Versions> read_versions(ByteView octets) {
  if (octets.empty()) return Versions{0, 0, 0, 0, 0, 0};
  if (octets.size() != kVersionsOctets) return Errc::malformed;
  return Versions{octets[0], octets[1], octets[2], octets[3], octets[4], octets[5]};
}

}  // namespace

Decoded<base::Address> read_address(ByteView octets) {
  if (octets.size() == 4) return base::Address::v4({octets[0], octets[1], octets[2], octets[3]});
  if (octets.size() != 16) return Errc::malformed;
  std::array<std::uint8_t, 16> whole;
  std::copy(octets.begin(), octets.end(), whole.begin());
  return base::Address::v6(whole);
}

Decoded<std::optional<PingSource>> SourceFields::read() const {
  if (address.empty() || port == 0) return std::optional<PingSource>{};
  const auto where = read_address(address);
  if (where.has_error()) return where.error();
  return std::optional<PingSource>{{{*where, port}, std::string(node)}};
}

Decoded<NodeInfoPtr> NodeFields::read() const {
  if (name.empty()) return Errc::malformed;
  if (name.size() > kMaxNameOctets || meta.size() > kMaxMetaOctets) return Errc::too_large;
  const auto where = read_address(address);
  if (where.has_error()) return where.error();
  const auto speaks = read_versions(versions);
  if (speaks.has_error()) return speaks.error();
  return std::make_shared<const NodeInfo>(
      NodeInfo{std::string(name), {*where, port}, {meta.begin(), meta.end()}, *speaks});
}

}  // namespace viaduct::gossip
