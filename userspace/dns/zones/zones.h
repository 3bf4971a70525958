#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/subnet.h"
#include "dns/table_writer.h"
#include "dns/zones/mesos_names.h"
#include "dns/zones/shared_records.h"
#include "service/named_address.h"
#include "service/snapshot.h"

namespace viaduct::dns {

namespace zones {
class TaskZones;
}

/// The Mesos masters, as they are configured; what Mesos itself says comes before it.
struct Masters {
  std::vector<base::Address> all;       ///< in their order, which gives them their numbers
  std::optional<base::Address> leader;  ///< absent: not known
};

/// Where the names of `*.mesos` come from.
enum class MesosMode : std::uint8_t {
  local,   ///< from the tasks and processes that nodes publish
  master,  ///< from what the leading master says
  off,
};

/// What the SOA of `*.mesos` says beside its serial and TTLs.
struct MesosSoa {
  std::optional<Name> primary{};  ///< absent: `ns1` in the domain
  std::optional<Name> mailbox{};  ///< absent: `root` before the primary
  std::uint32_t refresh_s = 60;
  std::uint32_t retry_s = 600;
  std::uint32_t expire_s = 86400;
};

/// A name that leads to another one.
struct Cname {
  Name name;
  Name target;

  bool operator==(const Cname&) const = default;
};

struct ZoneOptions {
  std::uint32_t ttl_s = 5;               ///< of address records and SOAs
  std::uint32_t negative_ttl_s = 1;      ///< of NODATA and NXDOMAIN; at most ttl_s takes effect
  std::vector<base::Address> servers{};  ///< that this node answers DNS on
  std::vector<base::Address> node{};     ///< that others reach this node at
  service::NamedRanges ranges{};         ///< of named VIPs, for the reverse zones
  Masters masters{};
  MesosMode mesos = MesosMode::local;
  std::vector<zones::IpSource> ip_sources = {zones::IpSource::netinfo, zones::IpSource::mesos,
                                             zones::IpSource::host};  ///< of names in `mesos`
  Name mesos_domain = Name::parse("mesos").value();  ///< the apex that is called `mesos` here
  std::optional<std::uint32_t> mesos_ttl_s{};        ///< of records in `mesos`; absent: ttl_s
  zones::LabelRule mesos_labels = zones::LabelRule::rfc1123;
  std::uint16_t mesos_srv_weight = 1;
  MesosSoa mesos_soa{};
  /// Whether answers about it say that recursion is available, although nothing may be forwarded;
  /// only of what the master says.
  bool mesos_recursion = true;
  std::vector<base::Subnet> containers{};  ///< whose addresses have their tasks' names
  std::vector<Cname> cnames{};             ///< custom names, each name once
};

/// The zones that this node serves, kept up with snapshots. What a snapshot changed is written,
/// and no more. A snapshot that is not complete makes those zones answer SERVFAIL that depend on
/// it.
class Zones {
 public:
  explicit Zones(ZoneOptions options, TableWriter writer = TableWriter());
  ~Zones();
  Zones(Zones&&) noexcept;

  void update(const service::Snapshot& snapshot);
  std::shared_ptr<const Table> table() { return writer_.table(); }
  /// What could not be served since the last call.
  std::vector<base::Error> take_rejected();

 private:
  void update_names(const service::Snapshot& snapshot);
  void update_ports(const service::Snapshot& snapshot, const Name& apex);
  void update_custom(const service::Snapshot& snapshot);

  ZoneOptions options_;
  TableWriter writer_;
  service::NamedVips names_;    ///< that the table has
  service::Services services_;  ///< whose ports the table has
  zones::SharedRecords ports_;
  std::unique_ptr<zones::TaskZones> tasks_;
  std::vector<base::Error> rejected_;
};

/// A table of one snapshot.
BuiltTable build_table(const service::Snapshot& snapshot, const ZoneOptions& options);

}  // namespace viaduct::dns
