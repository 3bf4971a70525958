#include "service/local_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace viaduct::service {
namespace {

SourceRows one_row(const char* task) {
  SourceRows rows;
  rows.rows.push_back({VipName{"web.marathon"},
                       80,
                       base::Protocol::tcp,
                       *base::Endpoint::parse("192.0.2.1:8080"),
                       1,
                       {},
                       task});
  return rows;
}

TEST(LocalTable, IsCompleteOnceEverySourceHasAnswered) {
  LocalTable table;
  table.expect("mesos");
  table.expect("files");
  const base::Time now{};
  table.replace("files", {}, now);
  EXPECT_FALSE(table.complete());
  table.fail("mesos", "connection refused", now);
  EXPECT_FALSE(table.complete());
  table.replace("mesos", {}, now);
  EXPECT_TRUE(table.complete());
}

TEST(LocalTable, RestoredRowsStandInUntilTheSourceAnswers) {
  LocalTable table;
  table.expect("mesos");
  table.restore("mesos", one_row("a"));
  EXPECT_TRUE(table.complete());
  EXPECT_TRUE(table.sources().at("mesos").restored);
  EXPECT_FALSE(table.sources().at("mesos").last_success) << "it has not answered";
  table.replace("mesos", {}, base::Time{});
  EXPECT_FALSE(table.sources().at("mesos").restored);
  EXPECT_EQ(table.sources().at("mesos").parts.row_count(), 0u);
}

TEST(LocalTable, CountsChangesOnly) {
  LocalTable table;
  EXPECT_TRUE(table.replace("files", one_row("a"), base::Time{}));
  EXPECT_EQ(table.revision(), 1u);
  EXPECT_FALSE(table.replace("files", one_row("a"), base::Time{} + std::chrono::seconds(1)));
  EXPECT_EQ(table.revision(), 1u);
  EXPECT_TRUE(table.replace("files", one_row("b"), base::Time{}));
  EXPECT_EQ(table.revision(), 2u);
}

TEST(LocalTable, AFailureKeepsTheRows) {
  LocalTable table;
  table.replace("mesos", one_row("a"), base::Time{});
  table.fail("mesos", "time-out", base::Time{} + std::chrono::seconds(5));
  const auto& source = table.sources().at("mesos");
  EXPECT_EQ(source.parts.row_count(), 1u);
  EXPECT_EQ(source.last_error, "time-out");
  EXPECT_EQ(source.failures, 1u);
  EXPECT_TRUE(table.complete());
}

TEST(LocalTable, KeepsNoMoreRowsThanASourceMayHave) {
  SourceRows rows = one_row("a");
  rows.rows.resize(kMaxRowsPerSource + 5, rows.rows.front());
  LocalTable table;
  table.replace("files", std::move(rows), base::Time{});
  EXPECT_EQ(table.sources().at("files").parts.row_count(), kMaxRowsPerSource);
  EXPECT_EQ(table.sources().at("files").parts.rejected_count(), 1u);
}

/// Parts of a source, each with one row whose task is the part's name.
SourceParts parts_of(std::initializer_list<const char*> names) {
  SourceParts parts;
  for (const char* name : names) parts.put(name, std::make_shared<const SourceRows>(one_row(name)));
  return parts;
}

TEST(LocalTable, TheFirstPartsKeepTheirRowsWhenASourceHasTooMany) {
  SourceRows many = one_row("b");
  many.rows.resize(kMaxRowsPerSource, many.rows.front());
  SourceParts parts = parts_of({"a", "b", "c"});
  parts.put("b", std::make_shared<const SourceRows>(std::move(many)));
  LocalTable table;
  const auto answer = [&] { return table.replace("files", parts, base::Time{}); };
  EXPECT_TRUE(answer());
  const auto& kept = table.sources().at("files").parts.by_name();
  EXPECT_EQ(kept.at("a")->rows.size(), 1u);
  EXPECT_EQ(kept.at("b")->rows.size(), kMaxRowsPerSource - 1);
  EXPECT_EQ(kept.at("c")->rows.size(), 0u);
  ASSERT_EQ(kept.at("")->rejected.size(), 1u);
  EXPECT_EQ(kept.at("")->rejected[0].where, "files");
  EXPECT_FALSE(answer()) << "the same is cut off again";
  parts.remove("b");
  EXPECT_EQ(answer().added.size(), 1u) << "c has room again";
  EXPECT_EQ(table.sources().at("files").parts.rejected_count(), 0u);
}

TEST(LocalTable, APartThatIsNotGivenAgainTakesItsRowsWithIt) {
  LocalTable table;
  SourceParts parts = parts_of({"a", "b", "d"});
  table.replace("files", parts, base::Time{});
  parts.remove("b");
  parts.put("c", std::make_shared<const SourceRows>(one_row("c")));
  parts.put("d", std::make_shared<const SourceRows>(*parts.by_name().at("d")));
  const SourceChange change = table.replace("files", parts, base::Time{});
  ASSERT_EQ(change.removed.size(), 1u);
  ASSERT_EQ(change.added.size(), 1u);
  EXPECT_EQ(change.removed[0].task, "b");
  EXPECT_EQ(change.added[0].task, "c");
  EXPECT_FALSE(table.replace("files", parts, base::Time{}));
}

TEST(LocalTable, PortMappingsOfAllPartsAreToldWhenThoseOfOneDiffer) {
  const PortMapping mapping{base::Protocol::tcp, 31000, *base::Endpoint::parse("198.51.100.1:80")};
  LocalTable table;
  SourceParts parts;
  parts.put("a", std::make_shared<const SourceRows>(SourceRows{{}, {}, {mapping}}));
  EXPECT_EQ(table.replace("mesos", parts, base::Time{}).port_mappings, std::vector{mapping});
  parts.put("b", std::make_shared<const SourceRows>(SourceRows{{}, {}, {mapping}}));
  EXPECT_EQ(table.replace("mesos", parts, base::Time{}).port_mappings,
            std::vector({mapping, mapping}));
  parts.put("c", std::make_shared<const SourceRows>());
  EXPECT_FALSE(table.replace("mesos", parts, base::Time{})) << "nothing is in the new part";
}

TEST(LocalTable, TellsWhichRowsComeAndGo) {
  LocalTable table;
  EXPECT_EQ(table.replace("files", one_row("a"), base::Time{}).added.size(), 1u);
  const SourceChange change = table.replace("files", one_row("b"), base::Time{});
  ASSERT_EQ(change.removed.size(), 1u);
  ASSERT_EQ(change.added.size(), 1u);
  EXPECT_EQ(change.removed[0].task, "a");
  EXPECT_EQ(change.added[0].task, "b");
  EXPECT_FALSE(change.port_mappings) << "they are as before";
}

/// The seed of a failure is printed by the scoped trace.
TEST(CompareRows, WhatIsRemovedAndAddedLeadsFromOneListToTheOther) {
  for (unsigned seed = 1; seed <= 300; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto random_row = [&] { return one_row(std::to_string(random() % 40).c_str()).rows[0]; };
    std::vector<BackendRow> before;
    for (auto count = random() % 60; count > 0; count--) before.push_back(random_row());
    std::vector<BackendRow> after = before;
    for (auto edits = random() % 6; edits > 0; edits--) {
      const auto at = after.begin() + static_cast<std::ptrdiff_t>(random() % (after.size() + 1));
      if (random() % 2 == 0 || at == after.end())
        after.insert(at, random_row());
      else
        after.erase(at);
    }
    if (seed % 7 == 0) std::shuffle(after.begin(), after.end(), random);
    const SourceChange change = compare_rows(before, after);
    std::multiset<BackendRow> replayed(before.begin(), before.end());
    for (const BackendRow& gone : change.removed) {
      const auto found = replayed.find(gone);
      ASSERT_NE(found, replayed.end());
      replayed.erase(found);
    }
    replayed.insert(change.added.begin(), change.added.end());
    ASSERT_EQ(replayed, std::multiset<BackendRow>(after.begin(), after.end()));
  }
}

}  // namespace
}  // namespace viaduct::service
