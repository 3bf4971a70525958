#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace viaduct::service {

// What one task's row may hold.

/// Of a task's id, as Mesos limits ids, and of each of its names.
inline constexpr std::size_t kMaxTaskTextOctets = 255;
inline constexpr std::size_t kMaxPortNameOctets = 128;
inline constexpr std::size_t kMaxPortProtocolOctets = 32;
inline constexpr std::size_t kMaxTaskPorts = 128;  ///< host ports, and discovery ports too
inline constexpr std::size_t kMaxTaskAddresses = 32;
inline constexpr std::size_t kMaxAgentAddresses = 8;

/// Who says a task's address. The values are those of the wire.
enum class AddressSource : std::uint8_t {
  netinfo = 0,  ///< the network that the task was put in
  mesos = 1,    ///< a status label of the Mesos containerizer
  docker = 2,   ///< a status label of the Docker containerizer
};

struct TaskAddress {
  AddressSource source = AddressSource::netinfo;
  base::Address address;

  auto operator<=>(const TaskAddress&) const = default;
  bool operator==(const TaskAddress&) const = default;
};

/// A port that a task wants to be found under, as written.
struct TaskPort {
  std::uint16_t number = 0;
  std::string name;      ///< "": none
  std::string protocol;  ///< "": none; else what the framework wrote

  auto operator<=>(const TaskPort&) const = default;
  bool operator==(const TaskPort&) const = default;
};

/// One running task, as DNS needs it. Texts are as the framework wrote them, any octets.
struct TaskRow {
  std::string framework;  ///< the registered name, not the id
  std::string id;         ///< unique within a framework
  std::string name;
  std::string discovery;               ///< the name that the task wants to be found under; "": none
  std::string agent_id;                ///< "": not known
  std::vector<base::Address> agent;    ///< the agent's own
  std::vector<TaskAddress> addresses;  ///< the task's own; on the host's network the agent's
  std::vector<std::uint16_t> ports;    ///< host ports that the agent gave the task
  std::vector<TaskPort> discovery_ports;
  bool host_port = false;  ///< some port of it is one of the host that leads into its container

  /// What it is found under.
  const std::string& label() const { return discovery.empty() ? name : discovery; }

  auto operator<=>(const TaskRow&) const = default;
  bool operator==(const TaskRow&) const = default;
};

/// Whether another machine can reach it: a unicast address of more than one link.
bool can_be_dialled(const base::Address& address);

/// Whether some machine can have it, perhaps for itself alone: a unicast address. Enough for a name
/// that is not told to others.
bool is_unicast(const base::Address& address);

/// What a row's addresses must be.
using AddressRule = bool (*)(const base::Address&);

/// Whether a row is within the limits and has an id, a framework and an agent's address;
/// all addresses are as the rule says.
/// @errors base::Errc::too_large, bad_format: what is wrong with the task, without its place.
base::Result<void> check_task(const TaskRow& row, AddressRule rule = can_be_dialled);

}  // namespace viaduct::service
