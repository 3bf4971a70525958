#include "service/task_row.h"

#include <algorithm>

#include "base/errors.h"

namespace viaduct::service {
namespace {

base::Error over(const char* what, std::size_t found, std::size_t limit, const char* unit) {
  return {base::Errc::too_large, std::string("its ") + what + " has " + std::to_string(found) +
                                     unit + "; at most " + std::to_string(limit) + " are allowed"};
}

base::Error missing(const char* what) {
  return {base::Errc::bad_format, std::string("it has no ") + what};
}

base::Result<void> check_address(const base::Address& address, AddressRule rule) {
  if (rule(address)) return {};
  return base::Error{base::Errc::bad_format,
                     "its address " + address.to_string() + " is none that others can reach"};
}

base::Result<void> check_port(const TaskPort& port) {
  if (port.name.size() > kMaxPortNameOctets)
    return over("port's name", port.name.size(), kMaxPortNameOctets, " octets");
  if (port.protocol.size() > kMaxPortProtocolOctets)
    return over("port's protocol", port.protocol.size(), kMaxPortProtocolOctets, " octets");
  return {};
}

}  // namespace

bool can_be_dialled(const base::Address& address) {
  return is_unicast(address) && !address.is_loopback() && !address.is_link_local();
}

bool is_unicast(const base::Address& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast();
}

base::Result<void> check_task(const TaskRow& row, AddressRule rule) {
  const struct {
    const char* what;
    const std::string& text;
  } texts[] = {{"id", row.id},
               {"framework's name", row.framework},
               {"name", row.name},
               {"discovery name", row.discovery},
               {"agent's id", row.agent_id}};
  for (const auto& [what, text] : texts)
    if (text.size() > kMaxTaskTextOctets)
      return over(what, text.size(), kMaxTaskTextOctets, " octets");
  if (row.id.empty()) return missing("id");
  if (row.framework.empty()) return missing("framework");
  if (row.agent.empty()) return missing("agent's address");
  const struct {
    const char* what;
    std::size_t found, limit;
  } lists[] = {{"agent address list", row.agent.size(), kMaxAgentAddresses},
               {"address list", row.addresses.size(), kMaxTaskAddresses},
               {"resource list", row.ports.size(), kMaxTaskPorts},
               {"discovery list", row.discovery_ports.size(), kMaxTaskPorts}};
  for (const auto& [what, found, limit] : lists)
    if (found > limit) return over(what, found, limit, " elements");
  for (const base::Address& address : row.agent)
    if (auto checked = check_address(address, rule); !checked) return checked;
  for (const TaskAddress& own : row.addresses)
    if (auto checked = check_address(own.address, rule); !checked) return checked;
  for (const TaskPort& port : row.discovery_ports)
    if (auto checked = check_port(port); !checked) return checked;
  return {};
}

}  // namespace viaduct::service
