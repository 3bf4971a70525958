#include "daemon/io/master_role.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "base/io/log.h"
#include "service/master_change.h"
#include "zookeeper/url.h"

namespace viaduct::daemon {
namespace {

using metrics::Family;
using metrics::Kind;

constexpr std::chrono::seconds kLookAgain{5};  // at what could not be used
constexpr std::size_t kPieceRows = 200;        // whose names take some 50 ms

const Family kTasks{Kind::gauge, "viaduct_mesos_master_tasks",
                    "Running tasks that the leading master says are there."};
const Family kHeld{Kind::gauge, "viaduct_mesos_master_held_tasks",
                   "Those of them whose agents have yet to come back to a new master."};
const Family kAgents{Kind::gauge, "viaduct_mesos_master_agents", "Agents that it knows."};
const Family kFrameworks{Kind::gauge, "viaduct_mesos_master_frameworks",
                         "Frameworks that it knows."};
const Family kAge{Kind::gauge, "viaduct_mesos_master_age_seconds",
                  "Since it last said something; -1: never."};
const Family kStreaming{Kind::gauge, "viaduct_mesos_master_streaming",
                        "Whether it tells its events; else it is polled, or there is none."};
const Family kWords{
    Kind::counter, "viaduct_mesos_master_words_total", "What masters said, by kind.", {"kind"}};
const Family kFailures{Kind::counter, "viaduct_mesos_master_failures_total",
                       "Streams and requests that failed."};
const Family kBytes{Kind::counter, "viaduct_mesos_master_bytes_total",
                    "Octets of records and states."};

double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

MasterRole::MasterRole(boost::asio::io_context& context, const mesos::MasterConfig& config,
                       service::LocalTable& table, service::Merger& merger, OnRows on_rows,
                       OnChange on_change)
    : context_(context),
      config_(config),
      table_(table),
      merger_(merger),
      on_rows_(std::move(on_rows)),
      on_change_(std::move(on_change)),
      watch_(
          context, config,
          {[this](service::MasterChange change) { take(std::move(change)); }, [this] { succeed(); },
           [this](std::string error) { fail("master", std::move(error)); }}),
      timer_(context) {
  table_.offer(kMesosMaster);
}

base::Result<void> MasterRole::start() {
  if (!config_.zookeeper.empty()) {
    auto url = zookeeper::parse_url(config_.zookeeper);
    if (!url) return url.error();
    leader_ = std::make_unique<mesos::ZookeeperLeader>(
        context_, *std::move(url), config_.zookeeper_timeout,
        [this](mesos::Masters masters) {
          if (!std::exchange(zookeeper_error_, {}).empty()) log::info("zookeeper_recovered");
          // An election takes a while; the last masters stand.
          if (!masters.all.empty() || masters.leader) watch_.set_masters(std::move(masters));
        },
        [this](std::string error) {
          if (zookeeper_error_ != error) log::warn("zookeeper_failed", {{"error", error}});
          zookeeper_error_ = std::move(error);
        });
    leader_->start();
  }
  watch_.start();
  look_again();
  return {};
}

void MasterRole::stop() {
  stopped_ = true;
  timer_.cancel();
  if (leader_) leader_->stop();
  watch_.stop();
}

/// Agents are published by their own nodes, and what others can't reach, such as a master on
/// loopback, by nobody.
void MasterRole::take(service::MasterChange change) {
  bool news = false;
  const auto is_published = [](const service::MesosRow& row) {
    return row.role != service::MesosRole::agent && service::check_mesos_row(row).has_value();
  };
  for (const service::MesosRow& row : change.removed)
    if (is_published(row)) news |= published_.erase(row) > 0;
  for (const service::MesosRow& row : change.added)
    if (is_published(row)) news |= published_.insert(row).second;
  for (service::MasterChange& piece : service::in_pieces(std::move(change), kPieceRows))
    waiting_.push_back(std::move(piece));
  // Before the master has said a word, what is known is from the configuration or from before.
  if (news && known_) publish();
  if (!working_) work_off();
}

/// Hands so many rows to the merger, and the next ones after this node has done what else there is:
/// the names of a large cluster take seconds to make.
void MasterRole::work_off() {
  working_ = false;
  if (stopped_) return;
  for (std::size_t rows = 0; !waiting_.empty() && rows < kPieceRows;) {
    rows += waiting_.front().size();
    merger_.apply_master(std::move(waiting_.front()), is_shown_);
    waiting_.pop_front();
  }
  if (waiting_.empty() && known_ && !std::exchange(is_shown_, true)) merger_.apply_master({}, true);
  on_change_();
  if (waiting_.empty()) return;
  working_ = true;
  boost::asio::post(context_, [this] { work_off(); });
}

void MasterRole::succeed() {
  if (!std::exchange(known_, true)) {
    const auto counts = watch_.state().counts();
    log::info(
        "mesos_master_known",
        {{"tasks", counts.tasks}, {"agents", counts.agents}, {"frameworks", counts.frameworks}});
    if (!working_) work_off();
  }
  if (!table_.sources().at(kMesosMaster).last_error.empty())
    log::info("source_recovered", {{"source", kMesosMaster}});
  publish();
}

void MasterRole::fail(const std::string& what, std::string error) {
  if (table_.sources().at(kMesosMaster).last_error != error)
    log::warn("source_failed",
              {{"source", kMesosMaster}, {"what", what}, {"error", error}, {"rows", "kept"}});
  table_.fail(kMesosMaster, std::move(error), base::Clock::now());
}

/// Hands over what other nodes hear of, and what could not be used.
void MasterRole::publish() {
  service::SourceRows rows;
  rows.processes.assign(published_.begin(), published_.end());
  rows.rejected = watch_.state().rejected();
  if (rows != *rows_) rows_ = std::make_shared<const service::SourceRows>(std::move(rows));
  service::SourceParts parts;
  parts.put("", rows_);
  if (auto change = table_.replace(kMesosMaster, std::move(parts), base::Clock::now()))
    on_rows_(std::move(change));
}

/// Events may be refused too, and end no silence by themselves.
void MasterRole::look_again() {
  timer_.expires_after(kLookAgain);
  timer_.async_wait([this](const boost::system::error_code& failed) {
    if (failed || stopped_) return;
    const bool well = table_.sources().at(kMesosMaster).last_error.empty();
    if (known_ && well && watch_.state().rejected() != rows_->rejected) publish();
    look_again();
  });
}

api::MasterStatus MasterRole::status(base::Time now) const {
  const auto counters = watch_.counters();
  const auto counts = watch_.state().counts();
  api::MasterStatus status;
  status.enabled = true;
  status.known = known_;
  status.leader = watch_.leader();
  status.streaming = watch_.is_streaming();
  if (counters.last_record) status.age = now - *counters.last_record;
  status.tasks = counts.tasks;
  status.held = counts.held;
  status.agents = counts.agents;
  status.frameworks = counts.frameworks;
  status.error = table_.sources().at(kMesosMaster).last_error;
  status.zookeeper = !leader_                   ? ""
                     : leader_->connected()     ? "connected"
                     : zookeeper_error_.empty() ? "connecting"
                                                : zookeeper_error_;
  return status;
}

void MasterRole::add_metrics(metrics::Page& page, base::Time now) const {
  const auto counters = watch_.counters();
  const auto counts = watch_.state().counts();
  page.add(kTasks, counts.tasks);
  page.add(kHeld, counts.held);
  page.add(kAgents, counts.agents);
  page.add(kFrameworks, counts.frameworks);
  page.add(kAge, counters.last_record ? seconds(now - *counters.last_record) : -1.0);
  page.add(kStreaming, watch_.is_streaming() ? 1 : 0);
  const std::pair<const char*, std::uint64_t> words[] = {
      {"event", counters.records - counters.heartbeats},
      {"heartbeat", counters.heartbeats},
      {"state", counters.polls},
      {"summary", counters.summaries},
      {"redirect", counters.redirects}};
  for (const auto& [kind, count] : words) page.add(kWords, count, {kind});
  page.add(kFailures, counters.failures);
  page.add(kBytes, counters.bytes);
}

}  // namespace viaduct::daemon
