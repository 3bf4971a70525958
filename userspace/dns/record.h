#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "dns/message.h"
#include "dns/name.h"

namespace viaduct::dns {

/// A resource record of class IN.
struct Record {
  Name owner;
  Type type = Type::a;
  std::uint32_t ttl_s = 0;
  std::vector<std::uint8_t> data;  ///< wire form; names in it are not compressed

  auto operator<=>(const Record&) const = default;
  bool operator==(const Record&) const = default;
};

/// An A or AAAA record, by the address's family.
Record address_record(Name owner, const base::Address& address, std::uint32_t ttl_s);
Record ns_record(Name owner, const Name& server, std::uint32_t ttl_s);
Record ptr_record(Name owner, const Name& target, std::uint32_t ttl_s);
Record cname_record(Name owner, const Name& target, std::uint32_t ttl_s);

/// Where a service is (RFC 2782).
struct Srv {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  Name target;

  bool operator==(const Srv&) const = default;
};
Record srv_record(Name owner, const Srv& srv, std::uint32_t ttl_s);

/// A zone's SOA (RFC 1035, 3.3.13); the owner is the zone's apex. Times are seconds.
struct Soa {
  Name primary;
  Name mailbox;
  std::uint32_t serial = 0;
  std::uint32_t refresh_s = 60;
  std::uint32_t retry_s = 180;
  std::uint32_t expire_s = 86400;
  std::uint32_t minimum_s = 1;  ///< TTL of negative answers, unless ttl_s is less (RFC 2308, 5)
  std::uint32_t ttl_s = 5;

  bool operator==(const Soa&) const = default;
};

Record soa_record(Name owner, const Soa& soa);

/// A record as people and the API read it.
struct RecordText {
  std::string name;  ///< with the final dot
  std::string host;  ///< the address or name it leads to; of SRV with its port: "web.mesos.:80"
  std::string
      rtype;  ///< "A", "AAAA", "CNAME", "NS", "PTR", "SOA", "SRV", or "TYPE<n>" (RFC 3597, 5)
};

/// Renders a record's data; `host` of an unknown type is "\# length hex" (RFC 3597, 5).
RecordText to_text(const Record& record);

}  // namespace viaduct::dns
