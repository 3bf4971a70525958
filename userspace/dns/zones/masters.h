#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/address.h"
#include "dns/zones/zones.h"
#include "service/mesos_row.h"

namespace viaduct::dns::zones {

/// The port of a master that says none.
inline constexpr std::uint16_t kMasterPort = 5050;

/// A Mesos master, as names are made of it.
struct Master {
  std::vector<base::Address> addresses;
  std::uint16_t port = kMasterPort;
  std::uint16_t number = 0;  ///< of `master<number>`
  bool leader = false;
};

/// Those that Mesos tells of; none: it tells of none.
std::vector<Master> masters_of(const service::MesosProcesses& processes);
/// Those of the configuration, numbered in their order.
std::vector<Master> masters_of(const Masters& configured);

/// The ones that lead; all while none is known to, for the others send clients on to it.
std::vector<Master> leaders_of(std::span<const Master> masters);

}  // namespace viaduct::dns::zones
