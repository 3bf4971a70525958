#include "gossip/member_list.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "members.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;

constexpr base::Time kNow = base::Time{} + 1h;

Member member(const std::string& name, NodeState state = NodeState::alive) {
  return {.node = node(name, 1), .incarnation = 1, .state = state, .changed = kNow};
}

MemberList list_of(std::size_t others, base::Rng& rng) {
  MemberList members("self", rng);
  members.add(member("self"));
  for (std::size_t i = 0; i < others; ++i) members.add(member("node-" + std::to_string(i)));
  return members;
}

TEST(MemberList, DoesAsAMapDoes) {
  base::Rng rng(1);
  MemberList members("self", rng);
  std::map<std::string, Member> model;
  for (int step = 0; step < 30'000; ++step) {
    const std::string name = "n" + std::to_string(rng.below(200));
    const auto id = members.find(name);
    ASSERT_EQ(id.has_value(), model.contains(name)) << step;
    const auto state = static_cast<NodeState>(rng.below(4));
    if (!id) {
      model[name] = member(name, state);
      members.add(model[name]);
    } else if (rng.chance(0.4)) {
      members.remove(*id);
      model.erase(name);
    } else if (rng.chance(0.5)) {
      members.set_state(*id, state, kNow + 1s);
      model[name].state = state;
    } else {
      NodeInfo info = node_info(name, static_cast<std::uint8_t>(1 + rng.below(9)));
      info.versions.protocol_max = static_cast<std::uint8_t>(4 + rng.below(2));
      model[name].node = std::make_shared<const NodeInfo>(info);
      members.update(*id, model[name].node, 7, true);
    }
    if (step % 100 != 0) {
      ASSERT_EQ(members.size(), model.size());
      continue;
    }
    std::size_t live = 0;
    for (const auto& [known, expected] : model) {
      const auto found = members.find(known);
      ASSERT_TRUE(found) << known;
      ASSERT_EQ(members[*found].node, expected.node);
      ASSERT_EQ(members[*found].state, expected.state);
      live += is_live(expected.state) ? 1U : 0U;
    }
    ASSERT_EQ(members.live(), live);
    ASSERT_EQ(std::set<MemberId>(members.ids().begin(), members.ids().end()).size(), model.size());
    (void)members.next_probe();
  }
}

TEST(MemberList, NobodyIsProbedWhereThereIsNobody) {
  base::Rng rng(1);
  MemberList members("self", rng);
  EXPECT_FALSE(members.next_probe());
  members.add(member("self"));
  members.add(member("dead", NodeState::dead));
  members.add(member("left", NodeState::left));
  EXPECT_FALSE(members.next_probe());
}

TEST(MemberList, EachMemberIsProbedInEachRound) {
  base::Rng rng(2);
  MemberList members = list_of(50, rng);
  // Two of three turns belong to the ring; the list may stand anywhere in its first round.
  std::map<MemberId, int> probed;
  for (int probe = 0; probe < 3 * 51 * 10; ++probe) ++probed[*members.next_probe()];
  EXPECT_EQ(probed.size(), 50U);
  EXPECT_FALSE(probed.contains(*members.find("self")));
  for (const auto& [id, times] : probed) EXPECT_GE(times, 9) << members[id].node->name;
}

/// Whoever dies, somebody's next two turns of three come to it: those before it in the ring.
TEST(MemberList, EverybodyIsTheSuccessorOfTwo) {
  constexpr std::size_t kNodes = 40;
  std::map<std::string, int> watched;
  for (std::size_t self = 0; self < kNodes; ++self) {
    base::Rng rng(self);
    const std::string name = "node-" + std::to_string(self);
    MemberList members(name, rng);
    for (std::size_t i = 0; i < kNodes; ++i) members.add(member("node-" + std::to_string(i)));
    std::map<std::string, int> times;
    for (int probe = 0; probe < 30; ++probe) ++times[members[*members.next_probe()].node->name];
    int successors = 0;
    for (const auto& [other, count] : times)
      if (count >= 10) {
        ++watched[other];
        ++successors;
      }
    EXPECT_EQ(successors, 2) << name;
  }
  EXPECT_EQ(watched.size(), kNodes);
  for (const auto& [name, by] : watched) EXPECT_EQ(by, 2) << name;
}

TEST(MemberList, SuspectsAreProbedByTheListAlone) {
  base::Rng rng(3);
  MemberList members = list_of(3, rng);
  for (const char* name : {"node-0", "node-1", "node-2"})
    members.set_state(*members.find(name), NodeState::suspect, kNow);
  std::set<MemberId> probed;
  for (int probe = 0; probe < 12; ++probe)
    if (const auto id = members.next_probe()) probed.insert(*id);
  EXPECT_EQ(probed.size(), 3U);
}

TEST(MemberList, PicksDifferentMembersThatFit) {
  base::Rng rng(4);
  MemberList members = list_of(100, rng);
  std::map<MemberId, int> picked;
  for (int times = 0; times < 1000; ++times) {
    const auto some = members.pick(3, [](const Member& one) { return one.node->name != "self"; });
    ASSERT_EQ(std::set<MemberId>(some.begin(), some.end()).size(), 3U);
    for (const MemberId id : some) ++picked[id];
  }
  EXPECT_EQ(picked.size(), 100U);
  for (const auto& [id, times] : picked) EXPECT_LT(times, 70) << "30 would be even";
  const auto rare = [](const Member& one) { return one.node->name == "node-7"; };
  EXPECT_EQ(members.pick(3, rare), std::vector<MemberId>{*members.find("node-7")})
      << "found though hardly anybody fits";
  EXPECT_TRUE(members.pick(3, [](const Member&) { return false; }).empty());
}

TEST(MemberList, VersionsMustSuitEverybodyAlive) {
  base::Rng rng(5);
  MemberList members("self", rng);
  members.add(member("self"));
  EXPECT_TRUE(members.compatible({}));
  EXPECT_TRUE(members.compatible({1, 5, 2, 2, 5, 5})) << "Serf 0.9.4";
  EXPECT_FALSE(members.compatible({1, 5, 2, 0, 0, 0})) << "a library without a delegate";
  EXPECT_FALSE(members.compatible({3, 5, 3, 2, 5, 4})) << "does not understand what we speak";
  EXPECT_FALSE(members.compatible({1, 5, 2, 5, 5, 5}));
  EXPECT_TRUE(members.compatible({1, 2, 2, 2, 4, 4}));
  EXPECT_FALSE(members.compatible({1, 1, 2, 2, 4, 4})) << "speaks what it does not understand";
  // Another member narrows what is left for the next one.
  Member old = member("old");
  NodeInfo info = *old.node;
  info.versions = {1, 2, 2, 2, 4, 4};
  old.node = std::make_shared<const NodeInfo>(info);
  const MemberId id = members.add(old);
  EXPECT_FALSE(members.compatible({1, 5, 2, 2, 5, 5}));
  members.set_state(id, NodeState::dead, kNow);
  EXPECT_TRUE(members.compatible({1, 5, 2, 2, 5, 5})) << "the dead need not understand it";
}

}  // namespace
}  // namespace viaduct::gossip
