#include "daemon/io/sources.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/io/log.h"
#include "files/io/watch.h"
#include "mesos/io/agent_poll.h"

namespace viaduct::daemon {
namespace {

constexpr const char* kFiles = "files";
constexpr const char* kMesosAgent = "mesos-agent";

/// Logs each rejection once: those that were not in that part before.
void log_new_rejections(const std::string& source, const service::SourceParts& before,
                        const service::SourceParts& now) {
  for (const auto& [name, part] : now.by_name()) {
    const auto old = before.by_name().find(name);
    const bool was_there = old != before.by_name().end();
    if (part->rejected.empty() || (was_there && old->second == part)) continue;
    std::set<service::RejectedRow> known;
    if (was_there) known.insert(old->second->rejected.begin(), old->second->rejected.end());
    for (const service::RejectedRow& one : part->rejected)
      if (!known.contains(one))
        log::warn("row_rejected",
                  {{"source", source}, {"where", one.where}, {"reason", one.reason}});
  }
}

}  // namespace

struct Sources::Running {
  service::LocalTable& table;
  OnChange on_change;
  std::optional<files::Watch> files;
  std::optional<mesos::AgentPoll> mesos;

  void take(const std::string& source, service::SourceParts parts) {
    const auto& known = table.sources().at(source);
    if (!known.last_error.empty()) log::info("source_recovered", {{"source", source}});
    log_new_rejections(source, known.parts, parts);
    if (auto change = table.replace(source, std::move(parts), base::Clock::now()))
      on_change(source, std::move(change));
  }

  void fail(const std::string& source, std::string error) {
    if (table.sources().at(source).last_error != error)
      log::warn("source_failed", {{"source", source}, {"error", error}, {"rows", "kept"}});
    table.fail(source, std::move(error), base::Clock::now());
  }
};

Sources::Sources(boost::asio::io_context& context, const Config& config,
                 const base::Address& node_address, service::LocalTable& table, OnChange on_change)
    : running_(std::make_unique<Running>(table, std::move(on_change), std::nullopt, std::nullopt)) {
  Running* running = running_.get();
  if (!config.files.directory.empty()) {
    table.expect(kFiles);
    running->files.emplace(
        context, config.files,
        [running](service::SourceParts parts) { running->take(kFiles, std::move(parts)); },
        [running](std::string error) { running->fail(kFiles, std::move(error)); });
  }
  if (config.mesos.agent) {
    table.expect(kMesosAgent);
    running->mesos.emplace(
        context, config.mesos, node_address,
        [running](service::SourceParts parts) { running->take(kMesosAgent, std::move(parts)); },
        [running](std::string error) { running->fail(kMesosAgent, std::move(error)); });
  }
}

Sources::~Sources() = default;

void Sources::start() {
  if (running_->files) running_->files->start();
  if (running_->mesos) running_->mesos->start();
}

void Sources::stop() {
  if (running_->files) running_->files->stop();
  if (running_->mesos) running_->mesos->stop();
}

}  // namespace viaduct::daemon
