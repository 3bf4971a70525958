#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "dataplane/drain.h"
#include "dataplane/image.h"
#include "dataplane/ledger.h"
#include "service/snapshot.h"

namespace viaduct::dataplane {

/// What could not be done for a service; the rest of the plan stands.
struct PlanProblem {
  service::VipKey key;
  std::string reason;

  auto operator<=>(const PlanProblem&) const = default;
  bool operator==(const PlanProblem&) const = default;
};

struct Plan {
  /// In the order in which they must be done: per service backends, slots, service; then removals
  /// in reverse.
  std::vector<Op> ops;
  std::vector<PlanProblem> problems;
  /// The services that were looked at, if not all were.
  std::optional<std::set<service::VipKey>> planned;
};

/// What else than the snapshot makes a service be looked at.
struct PlanHints {
  /// Services that the maps do not show as the known snapshot has them: the problems of plans
  /// before.
  std::set<service::VipKey> unsettled;
  /// Services whose former region no flow needs any more.
  std::set<service::VipKey> expired;
};

/// How long after a change of slots flows from before it are told apart.
inline constexpr std::chrono::minutes kBeforeTime{10};

/// Services whose former region is older than kBeforeTime.
std::set<service::VipKey> expired_befores(const Image& image, base::Time now);

/// The operations that turn the maps' contents into the snapshot's.
/// @param actual  what the maps hold.
/// @param slots  the slot map's contents, all of it.
/// @param ledger  in step with `actual`; ids and regions are taken from it and given back to it.
/// @param known  the snapshot that `actual` is known to show, so that only what differs is looked
/// at; null: look at everything. An incomplete snapshot only adds: services and backends that it
/// does not know stay.
/// @param drains  in step with `desired`; a backend whose drain time is over is not wanted any
/// more.
Plan plan(const Image& actual, std::span<const std::uint32_t> slots,
          const service::Snapshot& desired, const service::Snapshot* known, Ledger& ledger,
          base::Time now, const PlanHints& hints = {}, const Drains& drains = {});

/// A backend without its id: what matters of it to a client.
struct BackendView {
  base::Endpoint endpoint;
  std::uint16_t weight = 0;

  auto operator<=>(const BackendView&) const = default;
};

/// A service without ids and places: two sets of maps with equal views serve every client alike.
struct ServiceView {
  Pick sock_pick = Pick::least_loaded;
  Pick packet_pick = Pick::hash;
  service::Affinity affinity;
  std::vector<BackendView> backends;    ///< sorted
  std::vector<base::Endpoint> slots;    ///< the endpoint behind each slot
  std::vector<base::Endpoint> members;  ///< the endpoints behind the region's members
  bool broken = false;                  ///< a slot names no backend of this service

  bool operator==(const ServiceView&) const = default;
};

std::map<service::VipKey, ServiceView> view(const Image& image,
                                            std::span<const std::uint32_t> slots);

}  // namespace viaduct::dataplane
