#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "service/merger.h"

namespace viaduct::service {

inline base::Endpoint endpoint(const char* text) { return *base::Endpoint::parse(text); }
inline base::Address address(const char* text) { return *base::Address::parse(text); }

/// A range so small that names collide, wrap around and find no room.
inline MergeOptions options() {
  MergeOptions made;
  made.ranges.max4 = address("11.0.0.9");
  made.ranges.max6 = address("fd01:c::9");
  made.node_address = address("192.0.2.10");
  made.node_name = "node1";
  return made;
}

/// A task with an address of its own.
inline TaskRow task(const char* name, const char* id, const char* own = "198.51.100.5") {
  TaskRow made;
  made.framework = "marathon";
  made.id = id;
  made.name = name;
  made.agent_id = "a-S1";
  made.agent = {address("192.0.2.21")};
  made.addresses = {{AddressSource::netinfo, address(own)}};
  return made;
}

inline MesosRow process(MesosRole role, const char* id, const char* address_text = "192.0.2.11") {
  MesosRow made;
  made.role = role;
  made.id = id;
  if (role == MesosRole::framework) made.name = "marathon";
  made.addresses = {address(address_text)};
  made.port = 5050;
  return made;
}

/// Everything of a snapshot that is seen, in a form that a failure prints.
inline std::vector<std::string> text(const Snapshot& snapshot) {
  std::vector<std::string> lines = {snapshot.complete ? "complete" : "incomplete"};
  for (const auto& service : snapshot.services) {
    lines.push_back(service->key.to_string() + " " + service->name + " " +
                    std::string(to_string(service->policy.pick)) + " " +
                    service->policy.affinity.to_string());
    for (const Backend& backend : service->backends)
      lines.push_back("  " + backend.endpoint.to_string() + " " + std::to_string(backend.weight) +
                      " " + backend.dial.to_string() + " " + backend.node + " " + backend.task +
                      (backend.tunnel ? " over " + backend.tunnel->to_string() : ""));
  }
  for (const NamedVip& named : snapshot.names) {
    lines.push_back(named.name);
    for (const auto& one : named.addresses) lines.push_back("  " + one.to_string());
  }
  for (const auto& task : snapshot.tasks) {
    std::string line = task->node + " runs " + task->row.id + " of " + task->row.framework +
                       " as " + task->row.label();
    for (const TaskAddress& own : task->row.addresses) line += " " + own.address.to_string();
    lines.push_back(line);
  }
  for (const auto& process : snapshot.processes) {
    std::string line = process->node + " knows " + std::string(to_string(process->row.role)) + " " +
                       process->row.id + " " + std::to_string(process->row.port);
    for (const base::Address& one : process->row.addresses) line += " " + one.to_string();
    lines.push_back(line + (process->row.leader ? " leads" : ""));
  }
  for (const RejectedRow& row : snapshot.notes.rejected)
    lines.push_back(row.where + ": " + row.reason);
  return lines;
}

class Sources {
 public:
  explicit Sources(MergeOptions made) : options_(made), merger_(made) {}

  void replace(const std::string& source, SourceParts parts) {
    merger_.apply(source, table_.replace(source, std::move(parts), base::Time{}));
  }
  void replace(const std::string& source, std::vector<BackendRow> rows) {
    replace(source, SourceParts(SourceRows{std::move(rows), {}, {}}));
  }

  /// Makes another node publish these rows and names instead of those before.
  void publish(const std::string& node, std::vector<BackendRow> rows,
               std::vector<NamedTick> names = {}, std::vector<TaskRow> tasks = {},
               std::vector<MesosRow> processes = {}) {
    NodeRows& now = nodes_[node];
    SourceChange change = compare_rows(now.rows, rows);
    merger_.apply_node(node, {std::move(change.removed), std::move(change.added), now.names, names,
                              now.tasks, tasks, now.processes, processes});
    now.processes = std::move(processes);
    now.tasks = std::move(tasks);
    now.rows = std::move(rows);
    now.names = std::move(names);
  }
  void mask(const std::string& node, Mask mask) {
    nodes_[node].mask = mask;
    merger_.set_mask(node, mask);
  }
  void tunnels(const std::string& node, NodeTunnels tunnels) {
    nodes_[node].tunnels = tunnels;
    merger_.set_tunnels(node, tunnels);
  }
  void forget(const std::string& node) {
    publish(node, {});
    nodes_.erase(node);
    merger_.forget_node(node);
  }

  /// The merger's snapshot, which must equal one made from scratch.
  std::shared_ptr<const Snapshot> merged() {
    const auto snapshot = merger_.snapshot(table_.complete());
    const auto expected = merge(table_, nodes_, options_, nullptr);
    const auto lines = text(*snapshot);
    const auto expected_lines = text(*expected);
    const auto [found_line, expected_line] =
        std::mismatch(lines.begin(), lines.end(), expected_lines.begin(), expected_lines.end());
    EXPECT_TRUE(found_line == lines.end() && expected_line == expected_lines.end())
        << "found: " << (found_line == lines.end() ? "nothing" : *found_line)
        << "\nexpected: " << (expected_line == expected_lines.end() ? "nothing" : *expected_line);
    bool equal = snapshot->services.size() == expected->services.size();
    for (const auto& service : expected->services) {
      const Service* found = snapshot->find(service->key);
      equal = equal && found && *found == *service;
    }
    EXPECT_TRUE(std::equal(snapshot->tasks.begin(), snapshot->tasks.end(), expected->tasks.begin(),
                           expected->tasks.end(),
                           [](const auto& one, const auto& other) { return *one == *other; }));
    EXPECT_TRUE(equal && snapshot->names == expected->names &&
                snapshot->notes.rejected == expected->notes.rejected &&
                snapshot->complete == expected->complete);
    return snapshot;
  }

  LocalTable table_;
  Nodes nodes_;
  MergeOptions options_;
  Merger merger_;
};

}  // namespace viaduct::service
