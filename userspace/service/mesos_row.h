#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/sorted_chunks.h"
#include "service/task_row.h"

namespace viaduct::service {

// What one process's row may hold.

inline constexpr std::size_t kMaxMesosTextOctets = 255;  ///< of its id, and of its name
inline constexpr std::size_t kMaxMesosAddresses = 16;

/// What a process is to Mesos. The values are those of the wire.
enum class MesosRole : std::uint8_t { framework = 1, agent = 2, master = 3 };

/// "framework", "agent", "master".
std::string_view to_string(MesosRole role);

/// A scheduler, an agent or a master, as DNS needs it.
struct MesosRow {
  MesosRole role = MesosRole::framework;
  std::string id;    ///< of the framework, or of the agent; of a master its "address:port"
  std::string name;  ///< the framework's registered one; else ""
  std::vector<base::Address> addresses;  ///< none: not known where it runs
  std::uint16_t port = 0;                ///< 0: not known
  std::uint16_t order = 0;               ///< a master's number; else 0
  bool leader = false;                   ///< the master that leads

  auto operator<=>(const MesosRow&) const = default;
  bool operator==(const MesosRow&) const = default;
};

/// Whether a row is within the limits and has an id; a framework has a name, a master an address,
/// and all addresses are as the rule says.
/// @errors base::Errc::too_large, bad_format: what is wrong with it, without its place.
base::Result<void> check_mesos_row(const MesosRow& row, AddressRule rule = can_be_dialled);

/// A process of Mesos and the node that says so.
struct MesosProcess {
  MesosRow row;
  std::string node;

  bool operator==(const MesosProcess&) const = default;
};

struct MesosProcessKey {
  std::tuple<MesosRole, std::string_view, std::string_view> operator()(
      const std::shared_ptr<const MesosProcess>& process) const {
    return {process->row.role, process->row.id, process->node};
  }
};
using MesosProcesses = base::SortedChunks<std::shared_ptr<const MesosProcess>, MesosProcessKey>;

}  // namespace viaduct::service
