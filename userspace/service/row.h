#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "service/mesos_row.h"
#include "service/name_ticks.h"
#include "service/policy.h"
#include "service/task_row.h"
#include "service/vip.h"

namespace viaduct::service {

/// Largest weight of a backend.
inline constexpr std::uint16_t kMaxWeight = 1000;

/// One backend of one VIP, as its node publishes it.
struct BackendRow {
  VipTarget vip;
  std::uint16_t vip_port = 0;
  base::Protocol protocol = base::Protocol::tcp;
  base::Endpoint backend;
  std::uint16_t weight = 1;  ///< 0: no new connections, existing ones live on
  Policy policy;
  std::string task;  ///< for people: task id, or file and line
  /// The machine that the backend runs on, as tunnels reach it; absent: this one, or not known.
  std::optional<base::Address> tunnel{};

  auto operator<=>(const BackendRow&) const = default;
  bool operator==(const BackendRow&) const = default;
};

/// A named VIP that a node publishes, with its tick.
struct NamedTick {
  std::string name;
  Tick tick = 0;

  auto operator<=>(const NamedTick&) const = default;
  bool operator==(const NamedTick&) const = default;
};

/// Something that a source read and could not use.
struct RejectedRow {
  std::string where;   ///< the place: "task web.1, port 20001, label VIP_0" or "shop.toml:12"
  std::string reason;  ///< a sentence that says what is wrong with which value

  auto operator<=>(const RejectedRow&) const = default;
  bool operator==(const RejectedRow&) const = default;
};

/// A host port of this node that leads to a container (not Docker's, whose proxy keeps host ports
/// reachable).
struct PortMapping {
  base::Protocol protocol = base::Protocol::tcp;
  std::uint16_t host_port = 0;
  base::Endpoint container;

  auto operator<=>(const PortMapping&) const = default;
  bool operator==(const PortMapping&) const = default;
};

/// What a source reads as one: all that it knows, or a part of it such as a service file.
struct SourceRows {
  std::vector<BackendRow> rows;
  std::vector<RejectedRow> rejected;
  std::vector<PortMapping> port_mappings;
  std::vector<TaskRow> tasks{};
  std::vector<MesosRow> processes{};

  bool operator==(const SourceRows&) const = default;
};

/// All that one source knows at one time, in parts that are immutable once handed over. A part that
/// is handed over again is known to be unchanged, and nobody looks into it.
class SourceParts {
 public:
  using ByName = std::map<std::string, std::shared_ptr<const SourceRows>>;

  SourceParts() = default;
  /// A source without parts: one, named "".
  SourceParts(SourceRows all);

  /// Never null.
  const ByName& by_name() const { return parts_; }
  void put(const std::string& name, std::shared_ptr<const SourceRows> part);
  void remove(const std::string& name) { parts_.erase(name); }

  std::size_t row_count() const;
  std::size_t rejected_count() const;

  /// Whether the parts say the same, shared or not.
  bool operator==(const SourceParts& other) const;

 private:
  ByName parts_;
};

}  // namespace viaduct::service
