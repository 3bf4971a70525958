#include "service/merger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace viaduct::service {
namespace {

base::Endpoint endpoint(const char* text) { return *base::Endpoint::parse(text); }
base::Address address(const char* text) { return *base::Address::parse(text); }

/// A range so small that names collide, wrap around and find no room.
MergeOptions options() {
  MergeOptions made;
  made.ranges.max4 = address("11.0.0.9");
  made.ranges.max6 = address("fd01:c::9");
  made.node_address = address("192.0.2.10");
  made.node_name = "node1";
  return made;
}

/// Everything of a snapshot that is seen, in a form that a failure prints.
std::vector<std::string> text(const Snapshot& snapshot) {
  std::vector<std::string> lines = {snapshot.complete ? "complete" : "incomplete"};
  for (const auto& service : snapshot.services) {
    lines.push_back(service->key.to_string() + " " + service->name + " " +
                    std::string(to_string(service->policy.pick)) + " " +
                    service->policy.affinity.to_string());
    for (const Backend& backend : service->backends)
      lines.push_back("  " + backend.endpoint.to_string() + " " + std::to_string(backend.weight) +
                      " " + backend.dial.to_string() + " " + backend.node + " " + backend.task);
  }
  for (const NamedVip& named : snapshot.names) {
    lines.push_back(named.name);
    for (const auto& one : named.addresses) lines.push_back("  " + one.to_string());
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

  /// The merger's snapshot, which must equal one made from scratch.
  std::shared_ptr<const Snapshot> merged() {
    const auto snapshot = merger_.snapshot(table_.complete());
    const auto expected = merge(table_, options_, nullptr);
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
    EXPECT_TRUE(equal && snapshot->names == expected->names &&
                snapshot->notes.rejected == expected->notes.rejected &&
                snapshot->complete == expected->complete);
    return snapshot;
  }

  LocalTable table_;
  MergeOptions options_;
  Merger merger_;
};

BackendRow row(VipTarget vip, const char* backend, std::uint16_t weight = 1,
               const char* task = "t") {
  return {std::move(vip), 80, base::Protocol::tcp, endpoint(backend), weight, {}, task};
}

TEST(Merger, SharesWhatDidNotChange) {
  Sources sources(options());
  std::vector<BackendRow> rows = {row(VipName{"a.b"}, "192.0.2.1:80"),
                                  row(VipName{"c.d"}, "192.0.2.1:80"),
                                  row(address("198.51.100.1"), "192.0.2.2:80")};
  sources.replace("files", rows);
  const auto before = sources.merged();
  rows[2].weight = 7;
  sources.replace("files", rows);
  const auto after = sources.merged();
  EXPECT_EQ(after->revision, before->revision + 1);
  EXPECT_EQ(before->services[0], after->services[0]);
  EXPECT_EQ(before->services[1], after->services[1]);
  EXPECT_NE(before->services[2], after->services[2]);
  int names = 0;
  NamedVips::compare(before->names, after->names, [&](auto*, auto*) { names++; });
  EXPECT_EQ(names, 0);
}

TEST(Merger, IsTheSameSnapshotWhenNothingIsSeenOfAChange) {
  Sources sources(options());
  sources.replace("files", {row(VipName{"a.b"}, "192.0.2.1:80")});
  const auto before = sources.merged();
  const SourceRows same{{row(VipName{"a.b"}, "192.0.2.1:80")}, {{"shop.toml:3", "no port"}}, {}};
  sources.replace("files", same);
  EXPECT_EQ(sources.merged(), before);
}

TEST(Merger, AnExplicitVipTakesANamesAddressAndTheNameMovesOn) {
  Sources sources(options());
  sources.replace("files", {row(VipName{"a.b"}, "192.0.2.1:80")});
  const auto place = sources.merged()->names[0].addresses[0];
  sources.replace("mesos", {row(place, "192.0.2.9:80")});
  const auto after = sources.merged();
  EXPECT_NE(after->names[0].addresses[0], place);
  EXPECT_EQ(after->find({place, 80, base::Protocol::tcp})->name, "");
  sources.replace("mesos", std::vector<BackendRow>{});
  EXPECT_EQ(sources.merged()->names[0].addresses[0], place);
}

TEST(Merger, APortMappingThatChangesReachesTheVipsBehindIt) {
  Sources sources(options());
  SourceRows rows{{row(VipName{"a.b"}, "192.0.2.10:31000")}, {}, {}};
  sources.replace("mesos", rows);
  EXPECT_EQ(sources.merged()->services[0]->backends[0].dial, endpoint("192.0.2.10:31000"));
  rows.port_mappings = {{base::Protocol::tcp, 31000, endpoint("172.31.254.3:8080")}};
  sources.replace("mesos", rows);
  EXPECT_EQ(sources.merged()->services[0]->backends[0].dial, endpoint("172.31.254.3:8080"));
}

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

 private:
  void change(SourceRows& source) {
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
    last = next;
  }
  Snapshot last;
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
