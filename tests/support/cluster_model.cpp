#include "tests/support/cluster_model.h"

#include <algorithm>

namespace viaduct::test {
namespace {

std::string quoted(const std::string& text) { return "\"" + text + "\""; }
std::string id_of(const std::string& id) { return "{\"value\":" + quoted(id) + "}"; }

template <class List, class Write>
std::string list(const List& from, Write write) {
  std::string out = "[";
  for (const auto& each : from) {
    if (out.size() > 1) out += ",";
    out += write(each);
  }
  return out + "]";
}

std::string status_json(const ModelTask& task, const ModelStatus& status, bool v1,
                        const std::string& more = "") {
  std::string out = "{";
  if (v1) out += "\"task_id\":" + id_of(task.id) + ",\"agent_id\":" + id_of(task.agent) + ",";
  out += "\"state\":" + quoted(status.state) +
         ",\"timestamp\":" + std::to_string(status.timestamp) + more;
  if (!status.addresses.empty())
    out += ",\"container_status\":{\"network_infos\":[{\"ip_addresses\":" +
           list(status.addresses,
                [](const auto& each) { return "{\"ip_address\":" + quoted(each) + "}"; }) +
           ",\"name\":\"net\"}]}";
  return out + "}";
}

std::string ports_v1(const ModelTask& task) {
  return R"([{"name":"cpus","scalar":{"value":0.1}},{"name":"ports","ranges":{"range":)" +
         list(task.ports,
              [](const auto& range) {
                return "{\"begin\":" + std::to_string(range.first) +
                       ",\"end\":" + std::to_string(range.second) + "}";
              }) +
         "}}]";
}

std::string ports_v0(const ModelTask& task) {
  std::string out = "{\"cpus\":0.1,\"ports\":\"[";
  for (std::size_t i = 0; i < task.ports.size(); i++)
    out += (i == 0 ? "" : ", ") + std::to_string(task.ports[i].first) + "-" +
           std::to_string(task.ports[i].second);
  return out + "]\"}";
}

std::string task_json(const ModelTask& task, bool v1) {
  std::string out = "{\"name\":" + quoted(task.name);
  if (v1)
    out += ",\"task_id\":" + id_of(task.id) + ",\"framework_id\":" + id_of(task.framework) +
           ",\"agent_id\":" + id_of(task.agent) + ",\"resources\":" + ports_v1(task);
  else
    out += ",\"id\":" + quoted(task.id) + ",\"framework_id\":" + quoted(task.framework) +
           ",\"slave_id\":" + quoted(task.agent) + ",\"resources\":" + ports_v0(task);
  out += ",\"state\":" + quoted(task.state) + task.more;
  if (!task.statuses.empty() || !v1)
    out += ",\"statuses\":" +
           list(task.statuses, [&](const auto& status) { return status_json(task, status, v1); });
  if (!task.discovery.empty())
    out += R"(,"discovery":{"visibility":"FRAMEWORK","name":)" + quoted(task.discovery) +
           R"(,"ports":{"ports":[{"number":80,"name":"http","protocol":"tcp"}]}})";
  return out + "}";
}

std::string agent_json(const ModelAgent& agent, bool v1) {
  const std::string pid = quoted("slave(1)@" + agent.host + ":5051");
  if (!v1) return "{\"id\":" + quoted(agent.id) + ",\"hostname\":\"any\",\"pid\":" + pid + "}";
  return R"({"agent_info":{"hostname":"any","id":)" + id_of(agent.id) +
         "},\"active\":true,\"pid\":" + pid + "}";
}

std::string framework_info(const ModelFramework& framework) {
  return R"({"user":"root","name":)" + quoted(framework.name) + ",\"id\":" + id_of(framework.id) +
         ",\"hostname\":" + quoted(framework.hostname) + "}";
}

/// Without its end, which an answer with tasks has behind them.
std::string framework_v0(const ModelFramework& framework) {
  std::string out = "{\"id\":" + quoted(framework.id) + ",\"name\":" + quoted(framework.name) +
                    ",\"hostname\":" + quoted(framework.hostname);
  if (!framework.pid.empty()) out += ",\"pid\":" + quoted(framework.pid);
  return out;
}

std::string framework_event(const char* type, const char* key, const ModelFramework& framework) {
  return std::string("{\"type\":\"") + type + "\",\"" + key +
         R"(":{"framework":{"framework_info":)" + framework_info(framework) + ",\"active\":true}}}";
}

std::string task_updated(const ModelTask& task, const ModelStatus& status,
                         const std::string& more = "") {
  return R"({"type":"TASK_UPDATED","task_updated":{"framework_id":)" + id_of(task.framework) +
         ",\"status\":" + status_json(task, status, true, more) +
         ",\"state\":" + quoted(task.state) + "}}";
}

template <class Map, class Keep>
auto values(const Map& map, Keep keep) {
  std::vector<typename Map::mapped_type> out;
  for (const auto& entry : map)
    if (keep(entry.second)) out.push_back(entry.second);
  return out;
}

std::string ended_list(const std::vector<ModelTask>& tasks, bool v1) {
  return list(tasks, [&](const ModelTask& task) { return task_json(task, v1); });
}

std::vector<ModelTask> of_framework(const std::vector<ModelTask>& tasks, const std::string& id) {
  std::vector<ModelTask> out;
  for (const ModelTask& task : tasks)
    if (task.framework == id) out.push_back(task);
  return out;
}

}  // namespace

bool ModelTask::ended() const {
  return state == "TASK_FINISHED" || state == "TASK_KILLED" || state == "TASK_LOST";
}

bool ClusterModel::is_listed(const ModelTask& task) const {
  return agents_.at(task.agent).registered && frameworks_.at(task.framework).known;
}

ClusterModel::Records ClusterModel::add_agent(const ModelAgent& agent) {
  agents_[agent.id] = agent;
  return {agent_added(agent)};
}

std::string ClusterModel::agent_added(const ModelAgent& agent) const {
  return R"({"type":"AGENT_ADDED","agent_added":{"agent":)" + agent_json(agent, true) + "}}";
}

std::string ClusterModel::task_added(const ModelTask& task) const {
  return R"({"type":"TASK_ADDED","task_added":{"task":)" + task_json(task, true) + "}}";
}

ClusterModel::Records ClusterModel::add_framework(const ModelFramework& framework) {
  frameworks_[framework.id] = framework;
  return {framework_event("FRAMEWORK_ADDED", "framework_added", framework)};
}

ClusterModel::Records ClusterModel::rename_framework(const std::string& id,
                                                     const std::string& name) {
  ModelFramework& framework = frameworks_.at(id);
  framework.name = name;
  return {framework_event("FRAMEWORK_UPDATED", "framework_updated", framework)};
}

ClusterModel::Records ClusterModel::remove_framework(const std::string& id) {
  Records records;
  for (auto it = tasks_.begin(); it != tasks_.end();) {
    if (it->first.first != id) {
      ++it;
      continue;
    }
    if (is_listed(it->second)) {
      it->second.state = "TASK_KILLED";
      records.push_back(task_updated(it->second, {"TASK_KILLED", 0, {}},
                                     R"(,"reason":"REASON_FRAMEWORK_REMOVED")"));
    }
    it = tasks_.erase(it);
  }
  records.push_back(R"({"type":"FRAMEWORK_REMOVED","framework_removed":{"framework_info":)" +
                    framework_info(frameworks_.at(id)) + "}}");
  frameworks_.erase(id);
  completed_frameworks_.insert(id);
  return records;
}

ClusterModel::Records ClusterModel::launch(ModelTask task) {
  const auto key = std::make_pair(task.framework, task.id);
  tasks_[key] = std::move(task);
  return {task_added(tasks_.at(key))};
}

ClusterModel::Records ClusterModel::update(const std::string& framework, const std::string& id,
                                           ModelStatus status) {
  ModelTask& task = tasks_.at({framework, id});
  task.state = status.state;
  if (!task.statuses.empty() && task.statuses.back().state == status.state)
    task.statuses.pop_back();
  task.statuses.push_back(status);
  Records records{task_updated(task, status)};
  if (!is_listed(task)) records.clear();
  if (task.ended()) {
    completed_.push_back(task);
    tasks_.erase({framework, id});
  }
  return records;
}

ClusterModel::Records ClusterModel::lose_agent(const std::string& id) {
  Records records;
  for (const auto& entry : tasks_) {
    if (entry.second.agent != id || !is_listed(entry.second)) continue;
    ModelTask task = entry.second;
    task.state = "TASK_UNREACHABLE";
    unreachable_.push_back(task);
    records.push_back(task_updated(task, {"TASK_UNREACHABLE", 0, {}},
                                   R"(,"source":"SOURCE_MASTER","reason":"REASON_AGENT_REMOVED")"));
  }
  agents_.at(id).registered = false;
  return records;
}

ClusterModel::Records ClusterModel::return_agent(const std::string& id, bool agent_first) {
  Records records;
  ModelAgent& agent = agents_.at(id);
  agent.registered = true;
  if (agent_first) records.push_back(agent_added(agent));
  for (const auto& entry : tasks_) {
    if (entry.second.agent != id) continue;
    ModelFramework& framework = frameworks_.at(entry.second.framework);
    if (!framework.known) {
      framework.known = true;
      records.push_back(framework_event("FRAMEWORK_ADDED", "framework_added", framework));
      // Tasks of agents that came back without the framework cannot be: they bring it themselves.
    }
    records.push_back(task_added(entry.second));
    std::erase_if(unreachable_, [&](const ModelTask& task) {
      return task.framework == entry.first.first && task.id == entry.first.second;
    });
  }
  if (!agent_first) records.push_back(agent_added(agent));
  return records;
}

ClusterModel::Records ClusterModel::shut_down_agent(const std::string& id) {
  Records records;
  for (auto it = tasks_.begin(); it != tasks_.end();) {
    if (it->second.agent != id) {
      ++it;
      continue;
    }
    it->second.state = "TASK_LOST";
    if (agents_.at(id).registered)
      records.push_back(task_updated(it->second, {"TASK_LOST", 0, {}}));
    completed_.push_back(it->second);
    it = tasks_.erase(it);
  }
  if (agents_.at(id).registered)
    records.push_back(R"({"type":"AGENT_REMOVED","agent_removed":{"agent_id":)" + id_of(id) + "}}");
  agents_.erase(id);
  return records;
}

void ClusterModel::fail_over() {
  for (auto& entry : agents_) entry.second.registered = false;
  for (auto& entry : frameworks_) entry.second.known = false;
  completed_.clear();
  unreachable_.clear();
  completed_frameworks_.clear();
}

ClusterModel::Records ClusterModel::return_framework(const std::string& id) {
  ModelFramework& framework = frameworks_.at(id);
  const bool known = std::exchange(framework.known, true);
  return {framework_event(known ? "FRAMEWORK_UPDATED" : "FRAMEWORK_ADDED",
                          known ? "framework_updated" : "framework_added", framework)};
}

std::string ClusterModel::subscribed() const {
  const auto tasks = values(tasks_, [&](const ModelTask& task) { return is_listed(task); });
  const auto agents = values(agents_, [](const ModelAgent& agent) { return agent.registered; });
  const auto recovered = values(agents_, [](const ModelAgent& agent) { return !agent.registered; });
  const auto frameworks =
      values(frameworks_, [](const ModelFramework& framework) { return framework.known; });
  return R"({"type":"SUBSCRIBED","subscribed":{"get_state":{"get_tasks":{"tasks":)" +
         ended_list(tasks, true) + ",\"unreachable_tasks\":" + ended_list(unreachable_, true) +
         ",\"completed_tasks\":" + ended_list(completed_, true) +
         R"(},"get_executors":{"executors":[]},"get_frameworks":{"frameworks":)" +
         list(
             frameworks,
             [](const auto& each) { return "{\"framework_info\":" + framework_info(each) + "}"; }) +
         ",\"completed_frameworks\":" +
         list(completed_frameworks_,
              [](const auto& id) {
                return R"({"framework_info":{"name":"gone","id":)" + id_of(id) + "}}";
              }) +
         R"(},"get_agents":{"agents":)" +
         list(agents, [](const auto& each) { return agent_json(each, true); }) +
         ",\"recovered_agents\":" +
         list(recovered, [](const auto& each) { return "{\"id\":" + id_of(each.id) + "}"; }) +
         R"(}},"heartbeat_interval_seconds":15.0}})";
}

std::string ClusterModel::state() const {
  const auto agents = values(agents_, [](const ModelAgent& agent) { return agent.registered; });
  const auto frameworks =
      values(frameworks_, [](const ModelFramework& framework) { return framework.known; });
  return R"({"version":"1.12.0","leader":"master@192.0.2.250:5050","slaves":)" +
         list(agents, [](const auto& each) { return agent_json(each, false); }) +
         ",\"recovered_slaves\":[],\"frameworks\":" +
         list(frameworks,
              [&](const ModelFramework& each) {
                const auto tasks = values(tasks_, [&](const ModelTask& task) {
                  return task.framework == each.id && is_listed(task);
                });
                return framework_v0(each) + ",\"tasks\":" + ended_list(tasks, false) +
                       ",\"unreachable_tasks\":" +
                       ended_list(of_framework(unreachable_, each.id), false) +
                       ",\"completed_tasks\":" +
                       ended_list(of_framework(completed_, each.id), false) + "}";
              }) +
         ",\"completed_frameworks\":" +
         list(completed_frameworks_,
              [](const auto& id) { return "{\"id\":" + quoted(id) + ",\"tasks\":[]}"; }) +
         "}";
}

std::string ClusterModel::summary() const {
  const auto frameworks =
      values(frameworks_, [](const ModelFramework& framework) { return framework.known; });
  return R"({"hostname":"any","slaves":[],"frameworks":)" +
         list(frameworks, [](const auto& each) { return framework_v0(each) + "}"; }) + "}";
}

}  // namespace viaduct::test
