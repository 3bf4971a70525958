#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mesos/rows.h"

namespace viaduct::mesos {

inline const base::Address kNode = *base::Address::parse("192.0.2.21");

inline base::Address addr(std::string_view text) { return base::Address::parse(text).value(); }

inline base::Endpoint endpoint(std::string_view text) {
  return base::Endpoint::parse(text).value();
}

/// A running task of framework "marathon" on the host's network.
inline Task host_task(std::string id = "web.1") {
  Task task;
  task.id = std::move(id);
  task.framework_id = "f1";
  task.state = TaskState::running;
  task.addresses = {{kNode, ""}};
  return task;
}

/// A running task with an IPv4 and an IPv6 address on network "dcos".
inline Task container_task(std::string id = "web.1") {
  Task task = host_task(std::move(id));
  task.addresses = {{addr("198.51.100.5"), "dcos"}, {addr("2001:db8::5"), "dcos"}};
  return task;
}

inline DiscoveryPort port(std::int64_t number, std::vector<Label> labels,
                          std::string protocol = "tcp") {
  return {number, std::move(protocol), std::move(labels)};
}

inline service::SourceRows rows_of(std::vector<Task> tasks) {
  AgentState state;
  state.tasks = std::move(tasks);
  state.frameworks = {{"f1", "marathon"}, {"f2", "dev/kafka"}};
  return make_rows(state, kNode);
}

/// "tcp web.marathon:80 192.0.2.21:31000 w1".
inline std::string line(const service::BackendRow& row) {
  const auto* address = std::get_if<base::Address>(&row.vip);
  const std::string host =
      address ? "<" + address->to_string() + ">" : std::get<service::VipName>(row.vip).value;
  return std::string(base::to_string(row.protocol)) + " " + host + ":" +
         std::to_string(row.vip_port) + " " + row.backend.to_string() + " w" +
         std::to_string(row.weight);
}

inline std::vector<std::string> lines(const service::SourceRows& rows) {
  std::vector<std::string> out;
  for (const auto& row : rows.rows) out.push_back(line(row));
  return out;
}

/// "place: reason".
inline std::vector<std::string> rejected(const service::SourceRows& rows) {
  std::vector<std::string> out;
  for (const auto& row : rows.rejected) out.push_back(row.where + ": " + row.reason);
  return out;
}

}  // namespace viaduct::mesos
