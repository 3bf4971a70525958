#include "mesos/master_state.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "mesos/cluster.h"
#include "mesos/event_json.h"
#include "mesos/master_rows.h"
#include "mesos/state_json.h"

namespace viaduct::mesos {

using service::MasterChange;

struct MasterState::Impl {
  explicit Impl(Options chosen) : options(chosen) {}

  MasterStep apply(ReadSnapshot& snapshot, base::Time now);
  MasterStep apply(Heartbeat&, base::Time) { return {MasterStep::Kind::heartbeat, {}}; }
  MasterStep apply(UnknownEvent&, base::Time) { return {MasterStep::Kind::unknown, {}}; }
  MasterStep apply(UnusableEvent& event, base::Time) {
    cluster.rejections().add_event(std::move(event.rejected));
    return finish();
  }
  MasterStep apply(ReadTask& task, base::Time) {
    cluster.put(std::move(task));
    return finish();
  }
  MasterStep apply(ReadUpdate& update, base::Time) {
    if (!cluster.update(update)) ignored_updates++;
    return finish();
  }
  MasterStep apply(ReadAgent& agent, base::Time now);
  MasterStep apply(ReadFramework& framework, base::Time) {
    cluster.put(std::move(framework));
    MasterStep step = finish();
    step.wants_summary = true;
    return step;
  }
  MasterStep apply(AgentGone& gone, base::Time) {
    if (KnownAgent* agent = cluster.agent(gone.id)) cluster.remove(*agent);
    return finish();
  }
  MasterStep apply(FrameworkGone& gone, base::Time) {
    if (KnownFramework* framework = cluster.framework(gone.id)) cluster.remove(*framework);
    return finish();
  }

  MasterStep finish() { return {MasterStep::Kind::event, cluster.finish()}; }
  void end_missing(const ReadSnapshot& snapshot, base::Time now);
  void change_masters(MasterChange& change);
  IsKnownTask is_known() const {
    return [this](std::string_view framework_id, std::string_view id) {
      return cluster.task(framework_id, id) != nullptr;
    };
  }

  Options options;
  Cluster cluster;
  std::size_t ignored_updates = 0;
  Masters masters;
  bool polled = false;  // the last snapshot came from /state, which names the leader
  std::optional<base::Endpoint> named_leader;
  std::vector<service::MesosRow> master_rows;
  std::vector<service::RejectedRow> rejected_masters;
};

namespace {

/// Whether a task that a snapshot does not list has ended; else its agent has yet to come back.
bool has_ended(const KnownTask& task, const Cluster& cluster, const ReadSnapshot& snapshot) {
  const KnownAgent* agent = task.agent;
  return agent == nullptr || (agent->told && cluster.is_in_snapshot(*agent)) ||
         snapshot.unreachable_agents.count(agent->id) > 0 ||
         snapshot.completed_frameworks.count(task.framework->id) > 0 ||
         snapshot.ended.count({task.framework->id, task.row.id}) > 0;
}

}  // namespace

void MasterState::Impl::end_missing(const ReadSnapshot& snapshot, base::Time now) {
  const base::Time until = now + options.hold;
  for (const auto& [id, framework] : cluster.frameworks())
    for (const auto& task : framework->tasks) {
      if (!task->told || cluster.is_in_snapshot(*task)) continue;
      if (has_ended(*task, cluster, snapshot))
        cluster.remove(*task);
      else
        cluster.hold(*task, until);
    }
  for (const auto& [id, agent] : cluster.agents()) {
    if (!agent->told || cluster.is_in_snapshot(*agent)) continue;
    if (snapshot.unreachable_agents.count(id) > 0)
      cluster.forget(*agent);
    else
      cluster.hold(*agent, until);
  }
  for (const auto& [id, framework] : cluster.frameworks()) {
    if (!framework->told || cluster.is_in_snapshot(*framework)) continue;
    if (snapshot.completed_frameworks.count(id) > 0)
      cluster.forget(*framework);
    else
      cluster.hold(*framework, until);
  }
}

MasterStep MasterState::Impl::apply(ReadSnapshot& snapshot, base::Time now) {
  cluster.rejections().set_snapshot(std::move(snapshot.rejected));
  cluster.begin_snapshot();
  const bool has_frameworks = !snapshot.frameworks.empty();
  for (ReadAgent& agent : snapshot.agents) cluster.put(std::move(agent));
  for (ReadFramework& framework : snapshot.frameworks) cluster.put(std::move(framework));
  for (ReadTask& task : snapshot.tasks) cluster.put(std::move(task));
  end_missing(snapshot, now);
  MasterStep step{MasterStep::Kind::snapshot, cluster.finish()};
  step.heartbeat = snapshot.heartbeat;
  step.wants_summary = has_frameworks;
  return step;
}

MasterStep MasterState::Impl::apply(ReadAgent& read, base::Time now) {
  const std::string id = read.id;
  cluster.put(std::move(read));
  if (KnownAgent* agent = cluster.agent(id); agent != nullptr && agent->told)
    for (KnownTask* task : agent->tasks)
      if (task->until) cluster.hold(*task, now + options.settle);
  return finish();
}

void MasterState::Impl::change_masters(MasterChange& change) {
  rejected_masters.clear();
  auto rows = mesos::master_rows(
      masters.all, polled && named_leader ? named_leader : masters.leader, rejected_masters);
  for (const auto& row : master_rows)
    if (std::find(rows.begin(), rows.end(), row) == rows.end()) change.removed.push_back(row);
  for (const auto& row : rows)
    if (std::find(master_rows.begin(), master_rows.end(), row) == master_rows.end())
      change.added.push_back(row);
  master_rows = std::move(rows);
  std::sort(change.removed.begin(), change.removed.end());
  std::sort(change.added.begin(), change.added.end());
}

MasterState::MasterState() : MasterState(Options{}) {}
MasterState::MasterState(Options options) : impl_(std::make_unique<Impl>(options)) {}
MasterState::~MasterState() = default;
MasterState::MasterState(MasterState&&) noexcept = default;
MasterState& MasterState::operator=(MasterState&&) noexcept = default;

base::Result<MasterStep> MasterState::on_record(std::string_view record, base::Time now) {
  auto event = read_event(record, impl_->is_known());
  if (!event) return event.error();
  MasterStep step = std::visit([&](auto& read) { return impl_->apply(read, now); }, *event);
  if (step.kind == MasterStep::Kind::snapshot && std::exchange(impl_->polled, false))
    impl_->change_masters(step.change);
  return step;
}

base::Result<MasterStep> MasterState::on_state(std::string_view body, base::Time now) {
  auto snapshot = read_state(body, impl_->is_known());
  if (!snapshot) return snapshot.error();
  MasterStep step = impl_->apply(*snapshot, now);
  step.wants_summary = false;
  impl_->polled = true;
  impl_->named_leader = snapshot->leader;
  impl_->change_masters(step.change);
  return step;
}

base::Result<MasterChange> MasterState::on_summary(std::string_view body) {
  const auto frameworks = read_summary(body);
  if (!frameworks) return frameworks.error();
  for (const ReadFramework& framework : *frameworks) impl_->cluster.put_pid(framework);
  return impl_->cluster.finish();
}

MasterChange MasterState::on_masters(const Masters& masters) {
  impl_->masters = masters;
  MasterChange change;
  impl_->change_masters(change);
  return change;
}

std::vector<std::string> MasterState::hosts() const { return impl_->cluster.hosts(); }

MasterChange MasterState::on_resolved(const std::string& host,
                                      std::vector<base::Address> addresses) {
  impl_->cluster.set_addresses(host, std::move(addresses));
  return impl_->cluster.finish();
}

MasterChange MasterState::on_tick(base::Time now) {
  Cluster& cluster = impl_->cluster;
  for (Known* record : cluster.take_ended(now)) switch (record->kind) {
      case Known::Kind::task:
        cluster.remove(static_cast<KnownTask&>(*record));
        break;
      case Known::Kind::agent:
        cluster.forget(static_cast<KnownAgent&>(*record));
        break;
      case Known::Kind::framework:
        cluster.forget(static_cast<KnownFramework&>(*record));
        break;
    }
  return cluster.finish();
}

std::optional<base::Time> MasterState::next_tick() const { return impl_->cluster.next_end(); }

std::optional<base::Endpoint> MasterState::named_leader() const { return impl_->named_leader; }

std::vector<service::RejectedRow> MasterState::rejected() const {
  auto rejected = impl_->cluster.rejected();
  rejected.insert(rejected.end(), impl_->rejected_masters.begin(), impl_->rejected_masters.end());
  return rejected;
}

MasterState::Counts MasterState::counts() const {
  const Cluster::Counts counts = impl_->cluster.counts();
  return {counts.tasks, counts.frameworks, counts.agents, counts.held, impl_->ignored_updates};
}

MasterChange MasterState::all() const {
  MasterChange all = impl_->cluster.all();
  all.added.insert(all.added.end(), impl_->master_rows.begin(), impl_->master_rows.end());
  std::sort(all.added.begin(), all.added.end());
  return all;
}

}  // namespace viaduct::mesos
