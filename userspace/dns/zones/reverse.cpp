#include "dns/zones/reverse.h"

#include <string>
#include <utility>

#include "service/vip.h"

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

std::optional<BuiltZone> reverse(const service::Snapshot& snapshot, const base::Address& first,
                                 const base::Address& last, const ZoneOptions& options) {
  auto apex = reverse_apex(first, last);
  if (!apex) return {};
  BuiltZone built{start_zone(*std::move(apex), snapshot, options), {}};
  Zone& zone = built.zone;
  zone.ready = snapshot.complete;
  if (!zone.ready) return built;
  const Name suffix = constant(service::kL4lbZone);
  for (const service::NamedVip& vip : snapshot.names) {
    const base::Result<Name> prefix = Name::parse(vip.name);
    const base::Result<Name> target = prefix ? prefix->under(suffix) : prefix;
    if (!target) continue;  // l4lb() says why
    for (const base::Address& address : vip.addresses)
      if (address.is_v4() == first.is_v4() && first <= address && address <= last)
        zone.records.push_back(ptr_record(reverse_name(address), *target, options.ttl_s));
  }
  return built;
}

}  // namespace viaduct::dns::zones
