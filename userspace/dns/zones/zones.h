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

/// The Mesos masters, as far as they are known.
struct Masters {
  std::vector<base::Address> all;       ///< in their order, which gives them their numbers
  std::optional<base::Address> leader;  ///< absent: not known

  /// The leader; all while it is not known, for the others send clients on to it.
  std::vector<base::Address> leaders() const {
    return leader ? std::vector<base::Address>{*leader} : all;
  }
};

/// Where the names of `*.mesos` come from.
enum class MesosMode : std::uint8_t {
  local,  ///< from the tasks that nodes publish
  off,
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
