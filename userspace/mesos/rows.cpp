#include "mesos/rows.h"

#include <algorithm>

#include "base/quote.h"
#include "mesos/running_task.h"
#include "mesos/task_rows.h"

namespace viaduct::mesos {

service::SourceRows make_rows(const AgentState& state, const base::Address& node) {
  RowMap rows;
  Rejections rejections;
  service::SourceRows out;
  rejections.append(state.rejected);
  for (const Task& task : state.tasks) {
    if (task.state != TaskState::running && task.state != TaskState::killing) continue;
    const auto framework = state.frameworks.find(task.framework_id);
    if (framework == state.frameworks.end()) {
      rejections.add("task " + task.id, "its framework " + base::in_quotes(task.framework_id) +
                                            " is not in the answer");
      continue;
    }
    TaskRows task_rows(task, framework->second, node, rows, rejections);
    task_rows.add_task_labels();
    task_rows.add_discovery_ports();
    for (auto& mapping : task_rows.port_mappings()) out.port_mappings.push_back(std::move(mapping));
    if (task.state != TaskState::running) continue;  // what ends is not found any more
    if (auto row = running_task(task, framework->second, node, rejections))
      out.tasks.push_back(std::move(*row));
    else
      rejections.add("task " + task.id, "is not in DNS: " + row.error().context);
  }
  std::sort(out.tasks.begin(), out.tasks.end());
  out.rows.reserve(rows.size());
  for (auto& [key, row] : rows) out.rows.push_back(std::move(row));
  std::sort(out.port_mappings.begin(), out.port_mappings.end());
  out.port_mappings.erase(std::unique(out.port_mappings.begin(), out.port_mappings.end()),
                          out.port_mappings.end());
  out.rejected = rejections.take();
  return out;
}

service::SourceRows agent_row(const AgentInfo& agent, const base::Address& node) {
  service::MesosRow row;
  row.role = service::MesosRole::agent;
  row.id = agent.id;
  row.addresses = {node};
  row.port = agent.port;
  service::SourceRows out;
  if (const auto checked = service::check_mesos_row(row); !checked)
    out.rejected.push_back({"agent " + agent.id, checked.error().context});
  else
    out.processes.push_back(std::move(row));
  return out;
}

}  // namespace viaduct::mesos
