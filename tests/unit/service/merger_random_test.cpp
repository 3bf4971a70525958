#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "service/merger.h"
#include "tests/unit/service/merger_sources.h"

namespace viaduct::service {
namespace {

/// Random rows from a world small enough that everything collides.
class RandomRows {
 public:
  explicit RandomRows(std::mt19937& random) : random_(random) {}

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  BackendRow one() {
    BackendRow made;
    const bool v6 = below(4) == 0;
    if (below(3) == 0)
      made.vip = explicit_address(below(12) == 0 ? !v6 : v6);
    else
      made.vip = VipName{"name" + std::to_string(below(14)) + ".x"};
    made.vip_port = static_cast<std::uint16_t>(80 + below(2));
    made.protocol = below(4) == 0 ? base::Protocol::udp : base::Protocol::tcp;
    const std::string host = std::to_string(8 + below(4));
    made.backend = endpoint(((v6 ? "[2001:db8::" + host + "]:" : "192.0.2." + host + ":") +
                             std::to_string(31000 + below(3)))
                                .c_str());
    made.weight = static_cast<std::uint16_t>(below(3));
    made.policy.pick = static_cast<PickRule>(below(4));
    if (below(4) == 0)
      made.policy.affinity = {AffinityBy::client, std::chrono::seconds(1 + below(2))};
    made.task = "task" + std::to_string(below(6));
    return made;
  }

  /// Edits some parts of a source; the others stay shared with what it had before.
  void change(SourceParts& source) {
    for (unsigned edits = below(5); edits > 0; edits--) {
      const std::string name = std::array{"a.toml", "b.toml", "", "c.toml"}[below(4)];
      const auto known = source.by_name().find(name);
      const bool is_there = known != source.by_name().end();
      if (is_there && below(12) == 0) {
        source.remove(name);
        continue;
      }
      SourceRows part = is_there ? *known->second : SourceRows{};
      change(part);
      source.put(name, std::make_shared<const SourceRows>(std::move(part)));
    }
  }

  void change_node(Sources& sources) {
    const std::string node = std::array{"node0", "node1", "node2", "node3"}[below(4)];
    const unsigned kind = below(20);
    if (kind < 4) return sources.mask(node, node == "node1" ? Mask::none : Mask(below(3)));
    if (kind < 6) return sources.tunnels(node, tunnels());
    if (kind < 7) return sources.forget(node);
    SourceRows rows{sources.nodes_[node].rows,
                    {},
                    {},
                    sources.nodes_[node].tasks,
                    sources.nodes_[node].processes};
    if (node != "node1") change(rows);
    std::vector<NamedTick> names = sources.nodes_[node].names;
    if (below(3) == 0) names.push_back({"name" + std::to_string(below(16)) + ".x", below(5)});
    if (below(3) == 0 && !names.empty())
      names.erase(names.begin() + below(static_cast<unsigned>(names.size())));
    sources.publish(node, std::move(rows.rows), std::move(names), std::move(rows.tasks),
                    std::move(rows.processes));
  }

 private:
  NodeTunnels tunnels() {
    NodeTunnels made;
    if (below(3)) made.v4 = address(below(2) ? "203.0.113.2" : "192.0.2.10");
    if (below(3)) made.v6 = address("2001:db8::ff");
    return made;
  }

  /// Few names and ids, so that nodes and sources often say the same task.
  void change(std::vector<TaskRow>& tasks) {
    const auto at =
        tasks.begin() + (tasks.empty() ? 0 : below(static_cast<unsigned>(tasks.size())));
    if (tasks.empty() || below(2)) {
      const std::string id = "id" + std::to_string(below(4));
      TaskRow made = task(std::array{"web", "db", "x"}[below(3)], id.c_str(),
                          below(2) ? "198.51.100.5" : "2001:db8::5");
      if (below(3) == 0) made.discovery = "web";
      tasks.insert(at, std::move(made));
    } else {
      tasks.erase(at);
    }
  }

  void change(std::vector<MesosRow>& processes) {
    const auto at = processes.begin() +
                    (processes.empty() ? 0 : below(static_cast<unsigned>(processes.size())));
    if (!processes.empty() && below(2)) {
      processes.erase(at);
      return;
    }
    MesosRow made = process(MesosRole(1 + below(3)), std::array{"a", "b"}[below(2)]);
    made.leader = below(2);
    processes.insert(at, std::move(made));
  }

  void change(SourceRows& source) {
    if (below(3) == 0) return change(source.tasks);
    if (below(4) == 0) return change(source.processes);
    auto& rows = source.rows;
    const unsigned kind = below(20);
    const auto at = rows.begin() + (rows.empty() ? 0 : below(static_cast<unsigned>(rows.size())));
    if (rows.empty() || kind < 7)
      rows.insert(at, one());
    else if (kind < 14)
      rows.erase(at);
    else if (kind < 16)
      at->weight = static_cast<std::uint16_t>(below(3));
    else if (kind < 17)
      rows.push_back(*at);
    else if (kind < 18)
      std::shuffle(rows.begin(), rows.end(), random_);
    else if (kind < 19)
      mappings(source.port_mappings);
    else if (below(4) == 0)
      flip(rows);
  }

  /// Some are addresses that names want.
  base::Address explicit_address(bool v6) {
    const auto last = static_cast<std::uint8_t>(below(12));
    if (!v6) return base::Address::v4({11, 0, 0, last});
    return base::Address::v6({0xfd, 1, 0, 0xc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
  }

  void mappings(std::vector<PortMapping>& all) {
    if (!all.empty() && below(2) == 0) {
      all.erase(all.begin() + below(static_cast<unsigned>(all.size())));
      return;
    }
    all.push_back({below(2) ? base::Protocol::tcp : base::Protocol::udp,
                   static_cast<std::uint16_t>(31000 + below(3)),
                   endpoint(below(5) ? "172.31.254.3:8080" : "[2001:db8::99]:8080")});
  }

  void flip(std::vector<BackendRow>& rows) {
    rows.clear();
    for (unsigned count = below(60); count > 0; count--) rows.push_back(one());
  }

  std::mt19937& random_;
};

/// What a sink that follows the differences alone believes.
struct Follower {
  void take(const Snapshot& next) {
    Services::compare(last.services, next.services, [&](auto* before, auto* after) {
      if (after)
        services[(*after)->key] = *after;
      else
        services.erase((*before)->key);
    });
    Tasks::compare(last.tasks, next.tasks, [&](auto* before, auto* after) {
      if (before) std::erase(tasks, *before);
      if (after) tasks.push_back(*after);
    });
    MesosProcesses::compare(last.processes, next.processes, [&](auto* before, auto* after) {
      if (before) std::erase(processes, *before);
      if (after) processes.push_back(*after);
    });
    last = next;
  }
  Snapshot last;
  std::vector<std::shared_ptr<const Task>> tasks;
  std::vector<std::shared_ptr<const MesosProcess>> processes;
  std::map<VipKey, std::shared_ptr<const Service>> services;
};

void run(unsigned seed, int steps) {
  std::mt19937 random(seed);
  RandomRows rows(random);
  MergeOptions made = options();
  made.enable_ipv6 = seed % 5 != 0;
  Sources sources(made);
  for (const char* name : {"files", "mesos", "peer"}) sources.table_.expect(name);
  std::map<std::string, SourceParts> now;
  Follower follower;
  for (int step = 0; step < steps && !testing::Test::HasFailure(); step++) {
    for (unsigned changes = rows.below(4) + 1; changes > 0; changes--) {
      if (rows.below(2) == 0) {
        rows.change_node(sources);
        continue;
      }
      const std::string name = std::array{"files", "mesos", "peer"}[rows.below(step < 20 ? 2 : 3)];
      if (rows.below(10) == 0) {
        sources.table_.fail(name, "no answer", base::Time{});
        continue;
      }
      rows.change(now[name]);
      if (step == 0 && name == "files")
        sources.merger_.apply(name, sources.table_.restore(name, now[name]));
      else
        sources.replace(name, now[name]);
    }
    const auto snapshot = sources.merged();
    follower.take(*snapshot);
    ASSERT_TRUE(std::equal(snapshot->services.begin(), snapshot->services.end(),
                           follower.services.begin(), follower.services.end(),
                           [](const auto& one, const auto& two) { return one == two.second; }));
    ASSERT_TRUE(std::is_permutation(snapshot->tasks.begin(), snapshot->tasks.end(),
                                    follower.tasks.begin(), follower.tasks.end()));
    ASSERT_TRUE(std::is_permutation(snapshot->processes.begin(), snapshot->processes.end(),
                                    follower.processes.begin(), follower.processes.end()));
  }
}

/// The seed of a failure is printed by the scoped trace.
TEST(Merger, AnyChangesGiveWhatAMergeFromScratchGives) {
  for (unsigned seed = 1; seed <= 40 && !HasFailure(); seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    run(seed, 150);
  }
}

}  // namespace
}  // namespace viaduct::service
