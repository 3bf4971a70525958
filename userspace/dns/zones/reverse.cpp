#include "dns/zones/reverse.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "dns/zones/dcos.h"

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

/// The last address of a subnet.
base::Address last_of(const base::Subnet& subnet) {
  std::array<std::uint8_t, 16> octets = subnet.address.mapped();
  const unsigned bits = subnet.prefix + (subnet.address.is_v4() ? 96u : 0u);
  for (unsigned bit = bits; bit < 128; bit++)
    octets[bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
  return base::Address::v6(octets);
}

/// Of those ranges that have an apex.
std::vector<ReverseZone> zones_of(
    const std::vector<std::pair<base::Address, base::Address>>& ranges,
    const service::Snapshot& snapshot, const ZoneOptions& options) {
  std::vector<ReverseZone> zones;
  for (const auto& [first, last] : ranges) {
    auto apex = reverse_apex(first, last);
    if (!apex) continue;
    zones.push_back({zone_head(*std::move(apex), snapshot, options), first, last});
    zones.back().head.ready = snapshot.complete;
  }
  return zones;
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
  return zones_of({{ranges.min4, ranges.max4}, {ranges.min6, ranges.max6}}, snapshot, options);
}

std::vector<ReverseZone> container_reverse(const service::Snapshot& snapshot,
                                           const ZoneOptions& options) {
  std::vector<std::pair<base::Address, base::Address>> ranges;
  for (const base::Subnet& subnet : options.containers)
    ranges.emplace_back(subnet.address, last_of(subnet));
  return zones_of(ranges, snapshot, options);
}

void add_container_pointers(const service::TaskRow& task, const ZoneOptions& options,
                            BuiltRecords& built) {
  static const Name suffix = constant("containerip." + std::string(kDcosZone));
  const auto name = options.containers.empty() ? std::nullopt : task_name(task);
  if (!name) return;
  const auto prefix = Name::parse(*name);
  const auto target = prefix ? prefix->under(suffix) : prefix;
  if (!target) return;  // add_dcos_task() says why
  const auto is_containers = [&](const base::Address& address) {
    return std::any_of(options.containers.begin(), options.containers.end(),
                       [&](const base::Subnet& subnet) { return subnet.contains(address); });
  };
  for (const service::TaskAddress& own : task.addresses)
    if (own.source == service::AddressSource::netinfo && is_containers(own.address))
      built.records.push_back(ptr_record(reverse_name(own.address), *target, options.ttl_s));
}

}  // namespace viaduct::dns::zones
