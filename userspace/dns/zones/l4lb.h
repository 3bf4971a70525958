#pragma once

#include <optional>
#include <string>

#include "dns/zones/zone.h"

namespace viaduct::dns::zones {

/// `l4lb.thisdcos.directory`, with the aliases `l4lb.thisdcos.global`, `dclb.thisdcos.directory`
/// and `dclb.thisdcos.global`; of every named VIP A and AAAA, and SRV of its ports. The SOA's
/// serial is the snapshot's revision. Not ready while the snapshot is not complete: a VIP's address
/// depends on the whole set of names, so an early answer might be wrong, and NXDOMAIN would be
/// cached for a name that is about to appear.
ZoneHead l4lb(const service::Snapshot& snapshot, const ZoneOptions& options);

/// @errors base::Errc::bad_format, too_large: a name that cannot be served, e.g. over 255 octets.
base::Result<Name> l4lb_name(const service::NamedVip& vip);

/// What stands before the zone: "_80._tcp.web.marathon"; absent: the name is not in it.
std::optional<std::string> l4lb_prefix(const Name& name);

/// A named VIP's records.
/// @param owner  its l4lb_name().
std::vector<Record> l4lb_records(const service::NamedVip& vip, const Name& owner,
                                 const ZoneOptions& options);

/// A named VIP's SRV record for one of its ports: `_<port>._<protocol>.<name>` leads to the name.
/// Both families' services have the same.
/// @errors base::Errc::bad_format, too_large: a name that cannot be served.
base::Result<Record> l4lb_port(const service::Service& service, const ZoneOptions& options);

}  // namespace viaduct::dns::zones
