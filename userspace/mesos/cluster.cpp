#include "mesos/cluster.h"

#include <algorithm>

#include "mesos/limits.h"

namespace viaduct::mesos {
namespace {

std::string over_limit(std::size_t limit, const char* what) {
  return "is not read: there are more than " + std::to_string(limit) + " " + what;
}

}  // namespace

KnownTask* Cluster::task(std::string_view framework_id, std::string_view id) const {
  const KnownFramework* in = framework(framework_id);
  if (in == nullptr) return nullptr;
  const auto found = in->tasks.find(id);
  return found == in->tasks.end() ? nullptr : found->get();
}

KnownAgent* Cluster::agent(std::string_view id) const {
  const auto found = agents_.find(id);
  return found == agents_.end() ? nullptr : found->second.get();
}

KnownFramework* Cluster::framework(std::string_view id) const {
  const auto found = frameworks_.find(id);
  return found == frameworks_.end() ? nullptr : found->second.get();
}

KnownFramework* Cluster::find_or_make_framework(std::string_view id) {
  if (KnownFramework* known = framework(id)) return known;
  if (frameworks_.size() >= kMaxClusterFrameworks) return nullptr;
  auto made = std::make_unique<KnownFramework>();
  made->kind = Known::Kind::framework;
  made->id = std::string(id);
  KnownFramework* framework = made.get();
  frameworks_.emplace(framework->id, std::move(made));
  idle_frameworks_.insert(framework);
  return framework;
}

KnownAgent* Cluster::find_or_make_agent(std::string_view id) {
  if (KnownAgent* known = agent(id)) return known;
  if (id.empty() || agents_.size() >= kMaxClusterAgents) return nullptr;
  auto made = std::make_unique<KnownAgent>();
  made->kind = Known::Kind::agent;
  made->id = std::string(id);
  KnownAgent* agent = made.get();
  agents_.emplace(agent->id, std::move(made));
  idle_agents_.insert(agent);
  return agent;
}

void Cluster::begin_snapshot() {
  snapshot_++;
  in_snapshot_ = true;
}

bool Cluster::is_listed_twice(const Known& record, const std::string& where) {
  if (!in_snapshot_ || record.snapshot != snapshot_) return false;
  rejections_.add_event({{where, "is listed twice; the first one counts"}});
  return true;
}

KnownTask* Cluster::find_in(const KnownFramework& framework, ReadTask& read, bool& is_twin) const {
  const std::string id = read.row.id;
  for (unsigned twin = 0;; twin++) {
    if (twin > 0) read.row.id = id + kTwinMark + std::to_string(twin);
    is_twin = twin > 0;
    const auto found = framework.tasks.find(std::string_view(read.row.id));
    if (found == framework.tasks.end()) return nullptr;
    if (!in_snapshot_ || !is_in_snapshot(**found) || twin == kMaxTwins) return found->get();
  }
}

void Cluster::put(ReadTask read) {
  const std::string place = "task " + read.row.id;
  if (read.ended) {
    KnownTask* known = task(read.framework_id, read.row.id);
    if (known == nullptr || is_listed_twice(*known, place)) return;
    known->snapshot = snapshot_;
    return remove(*known);
  }
  KnownFramework* framework = find_or_make_framework(read.framework_id);
  if (framework == nullptr)
    return rejections_.add_event({{place, over_limit(kMaxClusterFrameworks, "frameworks")}});
  bool is_twin = false;
  KnownTask* known = find_in(*framework, read, is_twin);
  if (known != nullptr && is_listed_twice(*known, place)) return;
  if (known == nullptr) {
    if (tasks_ >= kMaxClusterTasks)
      return rejections_.add_event({{place, over_limit(kMaxClusterTasks, "tasks")}});
    auto made = std::make_unique<KnownTask>();
    made->kind = Known::Kind::task;
    made->framework = framework;
    made->row.id = read.row.id;
    made->is_twin = is_twin;
    known = framework->tasks.insert(std::move(made)).first->get();
    tasks_++;
  }
  KnownAgent* agent = find_or_make_agent(read.row.agent_id);
  read.row.agent_id.clear();
  if (!known->told || known->row != read.row || known->agent != agent ||
      known->running != read.running || known->usable != read.usable)
    touch(*known);
  set_agent(*known, agent);
  known->row = std::move(read.row);
  known->running = read.running;
  known->usable = read.usable;
  known->host_port = read.host_port;
  known->mappings_from_status = read.mappings_from_status;
  list(*known);
  rejections_.set(*known, std::move(read.rejected));
}

void Cluster::put(ReadAgent read) {
  KnownAgent* known = find_or_make_agent(read.id);
  const std::string place = "agent " + read.id;
  if (known == nullptr)
    return rejections_.add_event({{place, over_limit(kMaxClusterAgents, "agents")}});
  if (is_listed_twice(*known, place)) return;
  if (!known->told || known->pid != read.pid) {
    touch(*known);
    touch_tasks(*known);
  }
  move_host(*known, known->pid, read.pid);
  known->pid = std::move(read.pid);
  list(*known);
  rejections_.set(*known, std::move(read.rejected));
}

void Cluster::put(ReadFramework read) {
  KnownFramework* known = find_or_make_framework(read.id);
  const std::string place = "framework " + read.id;
  if (known == nullptr)
    return rejections_.add_event({{place, over_limit(kMaxClusterFrameworks, "frameworks")}});
  if (is_listed_twice(*known, place)) return;
  touch(*known);
  if (!known->told || known->name != read.name) touch_tasks(*known);
  known->name = std::move(read.name);
  set_place(*known, std::move(read.host), read.tells_pid ? std::move(read.pid) : known->pid);
  list(*known);
  rejections_.set(*known, std::move(read.rejected));
}

void Cluster::put_pid(const ReadFramework& read) {
  KnownFramework* known = framework(read.id);
  if (known == nullptr || !known->told) return;
  touch(*known);
  set_place(*known, known->host ? known->host : read.host, read.pid);
}

bool Cluster::update(const ReadUpdate& update) {
  KnownTask* known = task(update.framework_id, update.task_id);
  if (known == nullptr || !known->told) return false;
  if (update.agent_removed && known->agent != nullptr && known->agent->id == update.agent_id) {
    remove(*known->agent);
    return true;
  }
  if (update.ended) {
    remove(*known);
    return true;
  }
  release(*known);
  const bool host_port = update.addresses && known->mappings_from_status
                             ? known->host_port || update.mapped
                             : known->row.host_port;
  const bool moved = update.addresses && known->row.addresses != *update.addresses;
  if (known->running != update.running || known->row.host_port != host_port || moved) touch(*known);
  known->running = update.running;
  known->row.host_port = host_port;
  if (moved) known->row.addresses = *update.addresses;
  if (!update.rejected.empty()) rejections_.add_event(update.rejected);
  return true;
}

void Cluster::remove(KnownTask& task) {
  touch(task);
  task.told = false;
  release(task);
}

void Cluster::remove(KnownAgent& agent) {
  for (KnownTask* task : agent.tasks) remove(*task);
  forget(agent);
}

void Cluster::remove(KnownFramework& framework) {
  for (const auto& task : framework.tasks) remove(*task);
  forget(framework);
}

void Cluster::forget(KnownAgent& agent) {
  touch(agent);
  touch_tasks(agent);
  agent.told = false;
  move_host(agent, agent.pid, std::nullopt);
  agent.pid.reset();
  release(agent);
  rejections_.erase(agent);
  idle_agents_.insert(&agent);
}

void Cluster::forget(KnownFramework& framework) {
  touch(framework);
  touch_tasks(framework);
  framework.told = false;
  set_place(framework, std::nullopt, std::nullopt);
  release(framework);
  rejections_.erase(framework);
  idle_frameworks_.insert(&framework);
}

void Cluster::hold(Known& record, base::Time until) {
  if (record.until && *record.until <= until) return;
  if (record.until)
    held_.erase({*record.until, &record});
  else if (record.kind == Known::Kind::task)
    counts_.held++;
  record.until = until;
  held_.emplace(until, &record);
}

std::optional<base::Time> Cluster::next_end() const {
  if (held_.empty()) return std::nullopt;
  return held_.begin()->first;
}

std::vector<Known*> Cluster::take_ended(base::Time now) {
  std::vector<Known*> ended;
  while (!held_.empty() && held_.begin()->first <= now) {
    ended.push_back(held_.begin()->second);
    release(*ended.back());
  }
  return ended;
}

void Cluster::list(Known& record) {
  release(record);
  record.told = true;
  record.snapshot = snapshot_;
}

void Cluster::release(Known& record) {
  if (!record.until) return;
  held_.erase({*record.until, &record});
  record.until.reset();
  if (record.kind == Known::Kind::task) counts_.held--;
}

void Cluster::set_agent(KnownTask& task, KnownAgent* agent) {
  if (task.agent == agent) return;
  if (task.agent != nullptr) {
    auto& tasks = task.agent->tasks;
    tasks.back()->place = task.place;
    tasks[task.place] = tasks.back();
    tasks.pop_back();
    idle_agents_.insert(task.agent);
  }
  task.agent = agent;
  if (agent == nullptr) return;
  task.place = agent->tasks.size();
  agent->tasks.push_back(&task);
}

void Cluster::set_place(KnownFramework& framework, std::optional<Pid> host,
                        std::optional<Pid> pid) {
  const std::optional<Pid> from = framework.place();
  framework.host = std::move(host);
  framework.pid = std::move(pid);
  move_host(framework, from, framework.place());
}

void Cluster::move_host(Known& user, const std::optional<Pid>& from, const std::optional<Pid>& to) {
  const std::string before = from ? from->host : "";
  const std::string after = to ? to->host : "";
  if (before == after) return;
  if (!before.empty()) hosts_.drop(before, user);
  if (!after.empty()) hosts_.use(after, user);
}

void Cluster::set_addresses(const std::string& host, std::vector<base::Address> addresses) {
  if (hosts_.would_change(host, addresses))
    for (Known* user : hosts_.users(host)) {
      if (user->kind == Known::Kind::agent) {
        touch(static_cast<KnownAgent&>(*user));
        touch_tasks(static_cast<KnownAgent&>(*user));
      } else {
        touch(static_cast<KnownFramework&>(*user));
      }
    }
  hosts_.set(host, std::move(addresses));
}

void Cluster::unlink(KnownTask& task) {
  set_agent(task, nullptr);
  rejections_.erase(task);
  KnownFramework& framework = *task.framework;
  framework.tasks.erase(framework.tasks.find(std::string_view(task.row.id)));
  tasks_--;
  idle_frameworks_.insert(&framework);
}

void Cluster::drop_idle() {
  for (KnownAgent* agent : idle_agents_)
    if (!agent->told && agent->tasks.empty()) agents_.erase(agents_.find(agent->id));
  for (KnownFramework* framework : idle_frameworks_)
    if (!framework->told && framework->tasks.empty())
      frameworks_.erase(frameworks_.find(framework->id));
  idle_agents_.clear();
  idle_frameworks_.clear();
}

}  // namespace viaduct::mesos
