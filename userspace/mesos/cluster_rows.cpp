// The rows of a cluster: what comes of its records, and what a step has changed of it.

#include <algorithm>

#include "mesos/cluster.h"
#include "mesos/limits.h"

namespace viaduct::mesos {

std::vector<base::Address> Cluster::addresses(const std::optional<Pid>& place) const {
  if (!place) return {};
  if (place->address) return usable_addresses({*place->address});
  return hosts_.addresses(place->host);
}

std::optional<service::TaskRow> Cluster::row(const KnownTask& task) const {
  if (!task.told || !task.running || !task.usable || !task.framework->told ||
      task.framework->name.empty() || task.agent == nullptr || !task.agent->told)
    return std::nullopt;
  auto at = addresses(task.agent->pid);
  if (at.empty()) return std::nullopt;
  service::TaskRow row = task.row;
  if (task.is_twin) row.id.resize(row.id.find(kTwinMark));
  row.framework = task.framework->name;
  row.agent_id = task.agent->id;
  row.agent = std::move(at);
  return row;
}

std::optional<service::MesosRow> Cluster::row(const KnownAgent& agent) const {
  if (!agent.told || !agent.pid) return std::nullopt;
  service::MesosRow row;
  row.role = service::MesosRole::agent;
  row.id = agent.id;
  row.addresses = addresses(agent.pid);
  row.port = agent.pid->port;
  return row;
}

std::optional<service::MesosRow> Cluster::row(const KnownFramework& framework) const {
  if (!framework.told || framework.name.empty()) return std::nullopt;
  service::MesosRow row;
  row.role = service::MesosRole::framework;
  row.id = framework.id;
  row.name = framework.name;
  row.addresses = addresses(framework.place());
  if (framework.pid) row.port = framework.pid->port;
  return row;
}

template <class Record, class Row>
void Cluster::touch(Record& record, std::vector<Touched<Record, Row>>& touched) {
  if (record.touched) return;
  record.touched = true;
  auto before = row(record);
  touched.push_back({&record, before ? std::make_unique<Row>(std::move(*before)) : nullptr});
}

void Cluster::touch(KnownTask& task) { touch(task, touched_tasks_); }
void Cluster::touch(KnownAgent& agent) { touch(agent, touched_agents_); }
void Cluster::touch(KnownFramework& framework) { touch(framework, touched_frameworks_); }

void Cluster::touch_tasks(KnownAgent& agent) {
  for (KnownTask* task : agent.tasks) touch(*task);
}

void Cluster::touch_tasks(KnownFramework& framework) {
  for (const auto& task : framework.tasks) touch(*task);
}

template <class Record, class Row>
void Cluster::finish(std::vector<Touched<Record, Row>>& touched, std::size_t& count,
                     std::vector<Row>& removed, std::vector<Row>& added) {
  for (auto& [record, before] : touched) {
    record->touched = false;
    auto after = row(*record);
    if (before ? after && *before == *after : !after) continue;
    count += after ? 1 : 0;
    count -= before ? 1 : 0;
    if (before) removed.push_back(std::move(*before));
    if (after) added.push_back(std::move(*after));
  }
}

service::MasterChange Cluster::finish() {
  service::MasterChange change;
  finish(touched_tasks_, counts_.tasks, change.tasks_removed, change.tasks_added);
  finish(touched_agents_, counts_.agents, change.removed, change.added);
  finish(touched_frameworks_, counts_.frameworks, change.removed, change.added);
  for (auto& touched : touched_tasks_)
    if (!touched.record->told) unlink(*touched.record);
  drop_idle();
  touched_tasks_.clear();
  if (touched_tasks_.capacity() > 1024) touched_tasks_.shrink_to_fit();  // after a snapshot
  touched_agents_.clear();
  touched_frameworks_.clear();
  in_snapshot_ = false;
  std::sort(change.tasks_removed.begin(), change.tasks_removed.end());
  std::sort(change.tasks_added.begin(), change.tasks_added.end());
  std::sort(change.removed.begin(), change.removed.end());
  std::sort(change.added.begin(), change.added.end());
  return change;
}

service::MasterChange Cluster::all() const {
  service::MasterChange all;
  for (const auto& [id, framework] : frameworks_) {
    if (auto made = row(*framework)) all.added.push_back(std::move(*made));
    for (const auto& task : framework->tasks)
      if (auto made_task = row(*task)) all.tasks_added.push_back(std::move(*made_task));
  }
  for (const auto& [id, agent] : agents_)
    if (auto made = row(*agent)) all.added.push_back(std::move(*made));
  std::sort(all.tasks_added.begin(), all.tasks_added.end());
  std::sort(all.added.begin(), all.added.end());
  return all;
}

std::vector<service::RejectedRow> Cluster::rejected() const {
  std::vector<service::RejectedRow> rejected = rejections_.all();
  const auto check = [&](const std::string& where, const std::optional<Pid>& place) {
    if (!place || rejected.size() >= 2 * kMaxRejected) return;
    if (place->address && addresses(place).empty())
      rejected.push_back({where, "its address " + place->address->to_string() +
                                     " is none that a machine can have"});
    else if (!place->address && hosts_.has_none(place->host))
      rejected.push_back({where, "the host name " + place->host + " has no address"});
  };
  for (const auto& [id, agent] : agents_) check("agent " + id, agent->pid);
  for (const auto& [id, framework] : frameworks_) check("framework " + id, framework->place());
  return rejected;
}

}  // namespace viaduct::mesos
