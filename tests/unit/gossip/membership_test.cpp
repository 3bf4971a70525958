#include "gossip/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "members.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class MembershipTest : public testing::Test {
 protected:
  void alive(const std::string& name, Incarnation incarnation, std::uint8_t last) {
    membership_.on_alive({incarnation, node(name, last)}, now_, out_);
  }
  /// So many others, none of them of interest.
  void crowd(std::uint8_t count) {
    for (std::uint8_t i = 0; i < count; ++i) alive("other-" + std::to_string(i), 1, 100 + i);
  }
  void suspect(const std::string& name, Incarnation incarnation, const std::string& from) {
    membership_.on_suspect({incarnation, name, from}, now_, out_);
  }
  void dead(const std::string& name, Incarnation incarnation, const std::string& from) {
    membership_.on_dead({incarnation, name, from}, now_, out_);
  }
  void wait(base::Duration duration) {
    const base::Time end = now_ + duration;
    for (now_ = std::min(end, membership_.next_tick()); now_ < end;
         now_ = std::min(end, std::max(now_ + 1ms, membership_.next_tick())))
      membership_.on_tick(now_, out_);
    membership_.on_tick(now_, out_);
  }
  std::optional<NodeState> state(const std::string& name) const {
    const auto id = membership_.members().find(name);
    if (!id) return {};
    return membership_.members()[*id].state;
  }
  Incarnation incarnation(const std::string& name) const {
    return membership_.members()[*membership_.members().find(name)].incarnation;
  }
  template <class T>
  const T* news(const std::string& name) const {
    const MessagePtr message = news_.find(name_hash(name));
    return message ? std::get_if<T>(message.get()) : nullptr;
  }
  std::vector<NodeState> changes() {
    std::vector<NodeState> states;
    for (const auto& change : out_.changes) states.push_back(change.state);
    out_.clear();
    return states;
  }

  Timing timing_;
  base::Rng rng_{1};
  BroadcastQueue news_;
  base::Time now_ = base::Time{} + 1h;
  Actions out_;
  Membership membership_{node("self", 1), timing_, rng_, news_, now_};
};

TEST_F(MembershipTest, ANewNameIsAMemberAndNews) {
  alive("a", 3, 2);
  EXPECT_EQ(state("a"), NodeState::alive);
  EXPECT_EQ(incarnation("a"), 3U);
  ASSERT_TRUE(news<Alive>("a"));
  EXPECT_THAT(changes(), ElementsAre(NodeState::alive));
  EXPECT_TRUE(membership_.members()[*membership_.members().find("a")].viaduct);
}

TEST_F(MembershipTest, OnlyALargerIncarnationSaysAnythingNew) {
  alive("a", 3, 2);
  news_.remove(name_hash("a"));
  alive("a", 3, 2);
  alive("a", 2, 2);
  EXPECT_FALSE(news<Alive>("a"));
  alive("a", 4, 2);
  EXPECT_TRUE(news<Alive>("a"));
  EXPECT_EQ(incarnation("a"), 4U);
}

TEST_F(MembershipTest, WhatNobodySaysOfItselfDoesNotEnter) {
  alive("a", 0, 2);
  alive("", 1, 2);
  alive("b", std::numeric_limits<Incarnation>::max(), 2);
  NodeInfo info = node_info("c", 2);
  info.endpoint.port = 0;
  membership_.on_alive({1, std::make_shared<const NodeInfo>(info)}, now_, out_);
  info = node_info("d", 2);
  info.meta.resize(kMaxMetaOctets + 1);
  membership_.on_alive({1, std::make_shared<const NodeInfo>(info)}, now_, out_);
  EXPECT_EQ(membership_.members().size(), 1U);
  EXPECT_EQ(membership_.counters().invalid, 5U);
  EXPECT_EQ(news_.size(), 1U);
}

TEST_F(MembershipTest, VersionsAreLookedAtInEachAliveMessage) {
  NodeInfo info = node_info("a", 2);
  info.versions = {1, 5, 2, 0, 0, 0};
  membership_.on_alive({1, std::make_shared<const NodeInfo>(info)}, now_, out_);
  EXPECT_FALSE(state("a"));
  alive("a", 1, 2);
  membership_.on_alive({2, std::make_shared<const NodeInfo>(info)}, now_, out_);
  EXPECT_EQ(incarnation("a"), 1U) << "a member cannot turn into such a one either";
  dead("a", 1, "b");
  membership_.on_alive({3, std::make_shared<const NodeInfo>(info)}, now_, out_);
  EXPECT_EQ(state("a"), NodeState::dead);
  EXPECT_EQ(membership_.counters().incompatible, 3U);
}

TEST_F(MembershipTest, ASuspicionEndsInDeathSoonerIfOthersConfirmIt) {
  crowd(8);
  alive("a", 1, 2);
  changes();
  suspect("a", 1, "other-1");
  EXPECT_EQ(state("a"), NodeState::suspect);
  wait(8s);
  EXPECT_EQ(state("a"), NodeState::suspect) << "six times 1.5 s if nobody confirms";
  wait(2s);
  EXPECT_EQ(state("a"), NodeState::dead);
  EXPECT_THAT(changes(), ElementsAre(NodeState::suspect, NodeState::dead));
  ASSERT_TRUE(news<Dead>("a"));
  EXPECT_EQ(news<Dead>("a")->from, "self");

  alive("b", 1, 3);
  suspect("b", 1, "other-1");
  suspect("b", 1, "other-1");
  wait(1600ms);
  EXPECT_EQ(state("b"), NodeState::suspect) << "the same accuser twice is one";
  suspect("b", 1, "other-2");
  wait(1ms);
  EXPECT_EQ(state("b"), NodeState::dead);
}

/// Upstream counts the dead as well, and waits for confirmations that cannot come.
TEST_F(MembershipTest, WhereFewLiveNobodyIsWaitedFor) {
  crowd(10);
  alive("a", 1, 2);
  for (int i = 0; i < 10; ++i) dead("other-" + std::to_string(i), 1, "b");
  suspect("a", 1, "self");
  wait(1400ms);
  EXPECT_EQ(state("a"), NodeState::suspect);
  wait(200ms);
  EXPECT_EQ(state("a"), NodeState::dead);
}

TEST_F(MembershipTest, ALargerIncarnationEndsASuspicion) {
  alive("a", 1, 2);
  suspect("a", 1, "b");
  alive("a", 1, 2);
  EXPECT_EQ(state("a"), NodeState::suspect) << "that was known before";
  alive("a", 2, 2);
  EXPECT_EQ(state("a"), NodeState::alive);
  suspect("a", 1, "c");
  dead("a", 1, "c");
  wait(30s);
  EXPECT_EQ(state("a"), NodeState::alive) << "accusations of before";
}

TEST_F(MembershipTest, AccusationsOfThisNodeAreRefuted) {
  suspect("self", 1, "a");
  EXPECT_EQ(membership_.incarnation(), 2U);
  EXPECT_EQ(news<Alive>("self")->incarnation, 2U);
  EXPECT_EQ(membership_.awareness().score(), 1);
  suspect("self", 1, "b");
  EXPECT_EQ(membership_.incarnation(), 2U) << "that one is refuted already";
  dead("self", 7, "b");
  EXPECT_EQ(membership_.incarnation(), 8U);
  dead("self", 8, "self");
  EXPECT_EQ(membership_.incarnation(), 9U) << "another process may have left under this name";
  alive("self", 20, 1);
  EXPECT_EQ(membership_.incarnation(), 21U) << "of a life before a restart";
  alive("self", 21, 1);
  EXPECT_EQ(membership_.incarnation(), 21U);
}

TEST_F(MembershipTest, RefutationsComeInBurstsButNotWithoutEnd) {
  for (int i = 0; i < 100; ++i) suspect("self", membership_.incarnation(), "a");
  EXPECT_EQ(membership_.counters().refuted, 8U);
  for (int second = 0; second < 10; ++second) {
    suspect("self", membership_.incarnation(), "a");
    wait(1s);
  }
  EXPECT_LE(membership_.counters().refuted, 19U);
  EXPECT_GE(membership_.counters().refuted, 17U);
  wait(2s);
  EXPECT_EQ(state("self"), NodeState::alive);
  EXPECT_GT(news<Alive>("self")->incarnation, 17U) << "the last accusation is refuted in the end";
}

TEST_F(MembershipTest, ForgedIncarnationsAreNotBelieved) {
  constexpr Incarnation kForged = std::numeric_limits<Incarnation>::max();
  alive("a", 1, 2);
  suspect("a", kForged, "b");
  dead("a", kForged, "b");
  alive("a", kForged, 2);
  EXPECT_EQ(state("a"), NodeState::alive);
  EXPECT_EQ(incarnation("a"), 1U);
  suspect("self", kForged, "b");
  EXPECT_EQ(membership_.incarnation(), 1U) << "nobody will believe that one";
}

TEST_F(MembershipTest, ANameKeepsItsAddressUntilItIsFree) {
  alive("a", 1, 2);
  alive("a", 2, 3);
  EXPECT_EQ(out_.conflicts.size(), 1U);
  EXPECT_EQ(incarnation("a"), 1U);
  dead("a", 1, "b");
  alive("a", 3, 3);
  EXPECT_EQ(state("a"), NodeState::dead) << "perhaps it is only slow";
  wait(6s);
  alive("a", 1, 3);
  EXPECT_EQ(state("a"), NodeState::dead) << "news from before its death";
  alive("a", 3, 3);
  EXPECT_EQ(state("a"), NodeState::alive);
  dead("a", 3, "a");
  EXPECT_EQ(state("a"), NodeState::left);
  alive("a", 4, 4);
  EXPECT_EQ(state("a"), NodeState::alive) << "at once after it left";
}

TEST_F(MembershipTest, WhoEndedIsForgottenAfterAWhileButNotItsEnd) {
  alive("a", 5, 2);
  alive("b", 5, 3);
  dead("a", 5, "b");
  dead("b", 5, "b");
  wait(29s);
  EXPECT_EQ(membership_.members().size(), 3U);
  const std::uint64_t before = membership_.revision();
  wait(10s);
  EXPECT_EQ(membership_.members().size(), 1U);
  EXPECT_GT(membership_.revision(), before);
  ASSERT_EQ(membership_.gone().size(), 2U);
  EXPECT_EQ(membership_.gone().at("a").state, NodeState::dead);
  alive("a", 5, 2);
  alive("b", 1, 9);
  EXPECT_EQ(membership_.members().size(), 1U) << "news from before their ends";
  alive("a", 6, 2);
  EXPECT_EQ(state("a"), NodeState::alive);
  EXPECT_FALSE(membership_.gone().contains("a"));
}

TEST_F(MembershipTest, ManyThatCameAndWentAreRememberedUpToALimit) {
  constexpr int kMany = 1000;
  for (int i = 0; i < kMany; ++i) {
    alive("a" + std::to_string(i), 1, 2);
    dead("a" + std::to_string(i), 1, "b");
  }
  wait(40s);
  EXPECT_EQ(membership_.members().size(), 1U);
  EXPECT_EQ(membership_.gone().size(), std::size_t{kMany});
}

TEST_F(MembershipTest, ARestartedNodeHearsWhatItHasToOutdo) {
  alive("a", 5, 2);
  alive("b", 5, 3);
  dead("a", 5, "c");
  wait(40s);  // a is gone
  dead("b", 5, "c");
  PushPull join;
  join.join = true;
  join.members = {{node("a", 2), 1, NodeState::alive}, {node("b", 3), 1, NodeState::alive}};
  const PushPull answer = membership_.state(false, &join);
  EXPECT_THAT(answer.members,
              testing::UnorderedElementsAre(MemberState{membership_.self(), 1, NodeState::alive},
                                            MemberState{node("b", 3), 5, NodeState::dead},
                                            MemberState{node("a", 2), 5, NodeState::dead}));
  // The other side of it: such an answer is refuted.
  membership_.merge({false, {{node("self", 1), 5, NodeState::dead}}, {}}, now_, out_);
  EXPECT_EQ(membership_.incarnation(), 6U);
  membership_.merge({false, {{node("self", 1), 6, NodeState::left}}, {}}, now_, out_);
  EXPECT_EQ(membership_.incarnation(), 7U);
}

TEST_F(MembershipTest, DeathsOfAPushPullAreDoubtsThatTheirNodesHearOf) {
  crowd(3);
  alive("a", 1, 2);
  out_.clear();
  membership_.merge({false, {{node("a", 2), 1, NodeState::dead}}, {}}, now_, out_);
  EXPECT_EQ(state("a"), NodeState::suspect);
  ASSERT_EQ(out_.packets.size(), 1U);
  EXPECT_EQ(out_.packets[0].to, node("a", 2)->endpoint);
  EXPECT_EQ(std::get<Suspect>(*out_.packets[0].messages[0]), (Suspect{1, "a", "self"}));
}

/// A node that heard nothing for long holds all others for gone, and they do not know it.
TEST_F(MembershipTest, WhoIsGoneHereAndLivesForOthersHearsOfIt) {
  alive("a", 3, 2);
  dead("a", 3, "b");
  wait(40s);
  out_.clear();
  membership_.merge({false, {{node("a", 9), 3, NodeState::alive}}, {}}, now_, out_);
  EXPECT_FALSE(state("a"));
  ASSERT_EQ(out_.packets.size(), 1U);
  EXPECT_EQ(out_.packets[0].to, node("a", 9)->endpoint);
  EXPECT_EQ(std::get<Suspect>(*out_.packets[0].messages[0]), (Suspect{3, "a", "self"}));
}

TEST_F(MembershipTest, WhatAJoinerLearnsIsNoNews) {
  membership_.merge({false, {{node("a", 2), 1, NodeState::alive}}, {}}, now_, out_);
  EXPECT_EQ(state("a"), NodeState::alive);
  EXPECT_EQ(news_.size(), 1U) << "itself";
  membership_.merge({false, {{node("b", 3), 1, NodeState::alive}}, {}}, now_, out_);
  EXPECT_TRUE(news<Alive>("b"));
}

TEST_F(MembershipTest, LeavingIsFinal) {
  for (int i = 0; i < 20; ++i) suspect("self", membership_.incarnation() + 3, "a");
  ASSERT_GT(membership_.next_tick(), now_) << "a refutation waits";
  membership_.leave(now_);
  ASSERT_TRUE(news<Dead>("self"));
  EXPECT_EQ(news<Dead>("self")->incarnation, membership_.incarnation());
  EXPECT_EQ(state("self"), NodeState::left);
  suspect("self", membership_.incarnation(), "a");
  membership_.update_self(node("self", 1));
  wait(60s);
  EXPECT_TRUE(news<Dead>("self"));
  EXPECT_EQ(state("self"), NodeState::left);
}

TEST_F(MembershipTest, AnOperatorRemovesTheDeadAndTheGone) {
  alive("a", 2, 2);
  alive("b", 2, 3);
  dead("a", 2, "c");
  dead("b", 2, "c");
  EXPECT_TRUE(membership_.force_remove("a", now_, out_));
  EXPECT_EQ(state("a"), NodeState::left);
  EXPECT_EQ(news<Dead>("a")->from, "a");
  wait(40s);
  const std::uint64_t before = membership_.revision();
  EXPECT_TRUE(membership_.force_remove("b", now_, out_));
  EXPECT_EQ(membership_.gone().at("b").state, NodeState::left);
  EXPECT_GT(membership_.revision(), before);
  EXPECT_EQ(news<Dead>("b")->from, "b");
  EXPECT_FALSE(membership_.force_remove("nobody", now_, out_));
  EXPECT_FALSE(membership_.force_remove("self", now_, out_));
}

}  // namespace
}  // namespace viaduct::gossip
