#pragma once

#include <optional>
#include <vector>

#include "base/address.h"
#include "dns/zones/zone.h"
#include "service/task_row.h"

namespace viaduct::dns::zones {

/// "1.0.0.11.in-addr.arpa", or the 32 digits of an IPv6 address before "ip6.arpa" (RFC 1035, 3.5;
/// RFC 3596, 2.5).
Name reverse_name(const base::Address& address);

/// The apex of the smallest reverse zone that both addresses are in: whole octets of IPv4, whole
/// digits of IPv6.
/// @param first, last  of one family.
/// @return absent: they have nothing in common, so it would be all of the family's tree.
std::optional<Name> reverse_apex(const base::Address& first, const base::Address& last);

/// The PTR records from a range of addresses to names. Every other address of the zone gets
/// NXDOMAIN.
struct ReverseZone {
  ZoneHead head;
  base::Address first, last;

  bool holds(const base::Address& address) const {
    return address.is_v4() == first.is_v4() && first <= address && address <= last;
  }
};

/// Of named VIPs, for each family's range that has an apex. Not ready while the snapshot is not
/// complete, as l4lb().
std::vector<ReverseZone> reverse(const service::Snapshot& snapshot, const ZoneOptions& options);

/// Of tasks, for each subnet of containers that has an apex; as reverse() else.
std::vector<ReverseZone> container_reverse(const service::Snapshot& snapshot,
                                           const ZoneOptions& options);

/// Adds PTR from a task's own addresses that lie in a subnet of containers to
/// `<task>.<framework>.containerip.dcos.thisdcos.directory`.
void add_container_pointers(const service::TaskRow& task, const ZoneOptions& options,
                            BuiltRecords& built);

}  // namespace viaduct::dns::zones
