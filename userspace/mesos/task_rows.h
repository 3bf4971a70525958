#pragma once

#include <map>
#include <string>
#include <tuple>

#include "base/address.h"
#include "mesos/rejections.h"
#include "mesos/task.h"
#include "service/row.h"

namespace viaduct::mesos {

/// Rows by what must be unique about them.
using RowKey = std::tuple<service::VipTarget, std::uint16_t, base::Protocol, base::Endpoint>;
using RowMap = std::map<RowKey, service::BackendRow>;

/// Makes the rows of one running or ending task.
class TaskRows {
 public:
  /// Borrows all of them for its life.
  TaskRows(const Task& task, const std::string& framework, const base::Address& node, RowMap& rows,
           Rejections& rejections);

  /// VIPs of task labels: `vip_port<N>`.
  void add_task_labels();
  /// VIPs of discovery ports.
  void add_discovery_ports();
  /// The task's host ports that lead into its container.
  std::vector<service::PortMapping> port_mappings();

 private:
  /// What a VIP's backends may be: a host port of the node, or a container port.
  struct Port {
    bool on_host = false;
    std::uint16_t number = 0;
    std::vector<std::string> networks;  ///< the container's addresses that count; empty: all
  };

  void add_task_label(const Label& label);
  void add_discovery_port(const DiscoveryPort& port);
  void add_vip(const std::string& where, std::string_view value, base::Protocol protocol,
               const Port& port, const service::Policy& policy);
  void add_row(const service::VipLabel& vip, base::Protocol protocol, const base::Endpoint& backend,
               const service::Policy& policy, const std::string& where);

  base::Result<Port> locate(const DiscoveryPort& port, base::Protocol protocol) const;
  std::vector<base::Address> addresses(const service::VipTarget& vip, const Port& port,
                                       std::string& reason) const;
  service::Policy policy_of(const std::vector<Label>& labels, const std::string& where,
                            const service::Policy& fallback);

  const Task& task_;
  const std::string& framework_;
  const base::Address node_;
  RowMap& rows_;
  Rejections& rejections_;
  const std::string where_;
  bool on_host_network_ = false;
  service::Policy policy_;  ///< of the task's own labels
};

}  // namespace viaduct::mesos
