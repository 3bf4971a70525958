#include "dns/zones/reverse.h"

#include <string>
#include <utility>

namespace viaduct::dns::zones {
namespace {

/// The labels of an address's reverse name, the apex of the family's tree left out, the most
/// special one first.
std::vector<std::string> digits_of(const base::Address& address) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::vector<std::string> labels;
  const auto octets = address.octets();
  for (std::size_t i = octets.size(); i-- > 0;) {
    if (address.is_v4()) {
      labels.push_back(std::to_string(octets[i]));
      continue;
    }
    labels.emplace_back(1, kHex[octets[i] & 15]);
    labels.emplace_back(1, kHex[octets[i] >> 4]);
  }
  return labels;
}

/// @param from  how many of the most special labels are left out.
Name name_of(const base::Address& address, std::size_t from) {
  const std::vector<std::string> labels = digits_of(address);
  std::string text;
  for (std::size_t i = from; i < labels.size(); ++i) text += labels[i] + '.';
  return constant(text + (address.is_v4() ? "in-addr.arpa" : "ip6.arpa"));
}

}  // namespace

Name reverse_name(const base::Address& address) { return name_of(address, 0); }

std::optional<Name> reverse_apex(const base::Address& first, const base::Address& last) {
  const auto a = digits_of(first), b = digits_of(last);
  std::size_t from = a.size();
  while (from > 0 && a[from - 1] == b[from - 1]) --from;
  if (from == a.size()) return {};
  return name_of(first, from);
}

std::vector<ReverseZone> reverse(const service::Snapshot& snapshot, const ZoneOptions& options) {
  const service::NamedRanges& ranges = options.ranges;
  std::vector<ReverseZone> zones;
  for (const auto& [first, last] :
       {std::pair{ranges.min4, ranges.max4}, std::pair{ranges.min6, ranges.max6}}) {
    auto apex = reverse_apex(first, last);
    if (!apex) continue;
    zones.push_back({zone_head(*std::move(apex), snapshot, options), first, last});
    zones.back().head.ready = snapshot.complete;
  }
  return zones;
}

}  // namespace viaduct::dns::zones
