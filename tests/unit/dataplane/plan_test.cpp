#include "dataplane/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "service/local_table.h"

namespace viaduct::dataplane {
namespace {

constexpr Capacity kCapacity{1000, 1000, 60000};

base::Endpoint endpoint(int host, int port = 8080) {
  return {base::Address::v4(0xc0000200u + static_cast<std::uint32_t>(host)),
          static_cast<std::uint16_t>(port)};
}

/// The maps of a kernel, and a daemon's belief about them.
class Maps {
 public:
  Maps() : slots_(kCapacity.slots, 0), ledger_(Image{}, kCapacity) {}

  void perform(const Op& op) {
    if (const auto* put = std::get_if<PutSlots>(&op))
      std::copy(put->ids.begin(), put->ids.end(), slots_.begin() + put->offset);
    apply(image_, op);
    check_references();
  }

  Plan reach(std::shared_ptr<const service::Snapshot> snapshot, bool look_at_everything = false) {
    now_ += std::chrono::milliseconds(700);
    Plan made = plan(image_, slots_, *snapshot, look_at_everything ? nullptr : known_.get(),
                     ledger_, now_, {unsettled_, {}});
    for (const Op& op : made.ops) perform(op);
    unsettled_.clear();
    for (const PlanProblem& problem : made.problems) unsettled_.insert(problem.key);
    known_ = std::move(snapshot);
    return made;
  }

  /// What a process that was just started knows: the maps alone.
  void restart() {
    ledger_ = Ledger(image_, kCapacity);
    known_ = nullptr;
    unsettled_.clear();
  }

  /// After every single operation: a service's slots name backends of that service only.
  void check_references() const {
    for (const auto& [key, one] : view(image_, slots_)) ASSERT_FALSE(one.broken) << key.to_string();
  }

  Image image_;
  std::vector<std::uint32_t> slots_;
  Ledger ledger_;
  base::Time now_{};
  std::shared_ptr<const service::Snapshot> known_;
  std::set<service::VipKey> unsettled_;
};

std::shared_ptr<const service::Snapshot> snapshot_of(std::vector<service::BackendRow> rows,
                                                     const service::Snapshot* previous = nullptr) {
  static std::uint64_t number = 0;
  service::LocalTable table;
  service::SourceRows source;
  source.rows = std::move(rows);
  table.replace("test" + std::to_string(number++), std::move(source), base::Time{});
  return service::merge(table, {}, previous);
}

service::BackendRow row(int vip, int host, std::uint16_t weight = 1) {
  return {base::Address::v4(0xc6336400u + static_cast<std::uint32_t>(vip)),
          80,
          base::Protocol::tcp,
          endpoint(host),
          weight,
          {},
          "t"};
}

TEST(Plan, AddsBackendsBeforeSlotsBeforeTheService) {
  Maps maps;
  const Plan made = maps.reach(snapshot_of({row(1, 1), row(1, 2)}));
  ASSERT_EQ(made.ops.size(), 4u);
  EXPECT_TRUE(std::holds_alternative<PutBackend>(made.ops[0]));
  EXPECT_TRUE(std::holds_alternative<PutBackend>(made.ops[1]));
  EXPECT_TRUE(std::holds_alternative<PutSlots>(made.ops[2]));
  EXPECT_TRUE(std::holds_alternative<PutService>(made.ops[3]));
}

TEST(Plan, RemovesTheServiceBeforeItsBackends) {
  Maps maps;
  maps.reach(snapshot_of({row(1, 1)}));
  const Plan made = maps.reach(snapshot_of({}));
  ASSERT_EQ(made.ops.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<DropService>(made.ops[0]));
  EXPECT_TRUE(std::holds_alternative<DropBackend>(made.ops[1]));
}

TEST(Plan, ReachingTheSameAgainTakesNothing) {
  Maps maps;
  const auto snapshot = snapshot_of({row(1, 1), row(1, 2), row(2, 3, 0)});
  maps.reach(snapshot);
  EXPECT_TRUE(maps.reach(snapshot).ops.empty());
  EXPECT_TRUE(maps.reach(snapshot, true).ops.empty());
  maps.restart();
  EXPECT_TRUE(maps.reach(snapshot).ops.empty());
}

TEST(Plan, AnIncompleteSnapshotWithdrawsNothing) {
  Maps maps;
  maps.reach(snapshot_of({row(1, 1), row(2, 2)}));
  auto incomplete = std::make_shared<service::Snapshot>(*snapshot_of({row(1, 3)}));
  incomplete->complete = false;
  maps.restart();
  maps.reach(incomplete);
  const auto views = view(maps.image_, maps.slots_);
  ASSERT_EQ(views.size(), 2u);
  EXPECT_EQ(views.begin()->second.backends.size(), 2u) << "the old backend and the new one";
}

TEST(Plan, ARemovedBackendsIdIsMarkedWithANewGeneration) {
  Maps maps;
  maps.reach(snapshot_of({row(1, 1), row(1, 2)}));
  const auto before = maps.image_.backends;
  maps.reach(snapshot_of({row(1, 2)}));
  for (const auto& [id, entry] : before) {
    if (maps.image_.backends.contains(id)) continue;
    EXPECT_NE(maps.image_.free_generations.at(id), entry.generation);
  }
  EXPECT_EQ(maps.image_.backends.size(), 1u);
}

TEST(Plan, ADrainedBackendKeepsItsIdAndLosesItsSlots) {
  Maps maps;
  maps.reach(snapshot_of({row(1, 1), row(1, 2)}));
  maps.reach(snapshot_of({row(1, 1, 0), row(1, 2)}));
  const auto one = view(maps.image_, maps.slots_).begin()->second;
  EXPECT_EQ(one.backends.size(), 2u);
  EXPECT_EQ(std::count(one.slots.begin(), one.slots.end(), endpoint(1)), 0);
  maps.reach(snapshot_of({row(1, 1, 0), row(1, 2, 0)}));
  EXPECT_TRUE(view(maps.image_, maps.slots_).begin()->second.slots.empty())
      << "nobody takes new connections: refuse";
}

TEST(Plan, ABackendWhoseDrainTimeIsOverLeavesTheMaps) {
  Maps maps;
  std::vector<service::BackendRow> rows{row(1, 1, 0), row(1, 2)};
  for (service::BackendRow& one : rows) one.policy.drain = std::chrono::seconds(30);
  const auto snapshot = snapshot_of(rows);
  maps.reach(snapshot);
  EXPECT_EQ(maps.image_.backends.size(), 2u);
  Drains drains;
  drains.see(*snapshot, nullptr, maps.now_);
  const base::Time later = maps.now_ + std::chrono::seconds(30);
  const Plan made = plan(maps.image_, maps.slots_, *snapshot, snapshot.get(), maps.ledger_, later,
                         {drains.take_due(later), {}}, drains);
  ASSERT_EQ(made.ops.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<DropBackend>(made.ops[0]));
  maps.perform(made.ops[0]);
  EXPECT_TRUE(plan(maps.image_, maps.slots_, *snapshot, nullptr, maps.ledger_, later, {}, drains)
                  .ops.empty())
      << "nor does a full look bring it back";
}

TEST(Plan, RepairsForeignEdits) {
  Maps maps;
  const auto snapshot = snapshot_of({row(1, 1), row(1, 2), row(2, 3)});
  maps.reach(snapshot);
  const auto good = view(maps.image_, maps.slots_);

  auto& first = maps.image_.services.begin()->second;
  maps.slots_[first.slot_offset] = 999;
  maps.image_.services.rbegin()->second.id = first.id;
  ServiceEntry alien;
  alien.key = {base::Address::v4(0x01020304), 5, base::Protocol::udp};
  alien.id = 77;
  alien.slot_count = 0xffffffff;
  maps.image_.services[alien.key] = alien;
  maps.ledger_ = Ledger(maps.image_, kCapacity);

  const Plan made = plan(maps.image_, maps.slots_, *snapshot, nullptr, maps.ledger_, maps.now_);
  for (const Op& op : made.ops) {
    if (const auto* put = std::get_if<PutSlots>(&op))
      std::copy(put->ids.begin(), put->ids.end(), maps.slots_.begin() + put->offset);
    apply(maps.image_, op);
  }
  maps.restart();
  maps.reach(snapshot);
  EXPECT_EQ(view(maps.image_, maps.slots_), good);
}

TEST(Plan, SaysWhatDoesNotFitAndServesTheRest) {
  Maps maps;
  std::vector<service::BackendRow> rows;
  for (int i = 0; i < 130; i++) {
    rows.push_back(row(i, 1));
    rows.push_back(row(i, 2));
  }
  const Plan made = maps.reach(snapshot_of(rows));
  EXPECT_FALSE(made.problems.empty());
  EXPECT_GE(maps.image_.services.size(), kCapacity.slots / region_size(503));
  EXPECT_EQ(maps.image_.backends.size(), maps.image_.services.size() * 2)
      << "a service that does not fit leaks no ids";
}

TEST(Plan, WhatDidNotFitIsWrittenOnceThereIsRoom) {
  Maps maps;
  std::vector<service::BackendRow> rows;
  for (int i = 0; i < 130; i++) {
    rows.push_back(row(i, 1));
    rows.push_back(row(i, 2));
  }
  const auto all = snapshot_of(rows);
  ASSERT_FALSE(maps.reach(all).problems.empty());
  rows.erase(rows.begin(), rows.begin() + 60);
  const auto fewer = snapshot_of(rows, all.get());
  EXPECT_FALSE(maps.reach(fewer).problems.empty()) << "what was freed rests";
  for (int i = 0; i < 3; i++) maps.reach(fewer);
  EXPECT_EQ(maps.image_.services.size(), 100u);
  EXPECT_TRUE(maps.reach(fewer, true).ops.empty());
}

std::vector<service::BackendRow> random_rows(std::mt19937& random) {
  std::vector<service::BackendRow> rows;
  const int vips = static_cast<int>(random() % 12);
  for (int vip = 0; vip < vips; vip++) {
    const int count = static_cast<int>(random() % (random() % 8 == 0 ? 30 : 5));
    for (int i = 0; i < count; i++) {
      auto one = row(static_cast<int>(random() % 16), static_cast<int>(random() % 40),
                     static_cast<std::uint16_t>(random() % 4));
      one.protocol = random() % 2 ? base::Protocol::tcp : base::Protocol::udp;
      rows.push_back(one);
    }
  }
  return rows;
}

/// The seed of a failure is printed by the scoped trace.
TEST(Plan, AnySequenceOfSnapshotsEndsLikeAFreshWriteOfTheLast) {
  for (unsigned seed = 1; seed <= 12; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    Maps maps;
    std::shared_ptr<const service::Snapshot> last;
    const int steps = 5 + static_cast<int>(random() % 20);
    for (int step = 0; step < steps; step++) {
      auto next = snapshot_of(random_rows(random), last.get());
      if (random() % 5 == 0) maps.restart();
      if (random() % 4 == 0) {  // the process dies in the middle of its plan
        Plan made =
            plan(maps.image_, maps.slots_, *next, maps.known_.get(), maps.ledger_, maps.now_);
        made.ops.resize(made.ops.empty() ? 0 : random() % made.ops.size());
        for (const Op& op : made.ops) maps.perform(op);
        maps.restart();
      } else {
        maps.reach(next);
      }
      last = std::move(next);
    }
    maps.reach(last);
    Maps fresh;
    fresh.reach(last);
    EXPECT_EQ(view(maps.image_, maps.slots_), view(fresh.image_, fresh.slots_));
    EXPECT_EQ(maps.image_.backends.size(), fresh.image_.backends.size())
        << "no backend is left behind";
    EXPECT_EQ(maps.image_.services.size(), last->services.size());
  }
}

}  // namespace
}  // namespace viaduct::dataplane
