#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "tools/viaductctl/doctor.h"

namespace viaduct::ctl {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

auto is(Level level, const std::string& check, const std::string& what) {
  return AllOf(Field(&Finding::level, level), Field(&Finding::check, check),
               Field(&Finding::what, HasSubstr(what)));
}

/// A cluster of two in which everything is as it should be.
json::value healthy_cluster() {
  return json::parse(R"({
    "enabled": true, "problem": "", "listen": "192.0.2.1:7946", "encrypted": true, "keys": ["k1"], "label": "",
    "health": 0, "left": false, "publish_error": "", "dropped": [], "rejected": [], "members": [
      {"name": "node1", "state": "alive", "viaduct": true, "keys": ["k1"], "lag": 0, "rows": 3, "restored": false, "cloned": false},
      {"name": "node2", "state": "alive", "viaduct": true, "keys": ["k1"], "lag": 0, "rows": 3, "restored": false, "cloned": false}]})");
}

TEST(DoctorOfTheCluster, SaysNothingOfAClusterThatIsNotConfigured) {
  Facts facts;
  EXPECT_THAT(judge_cluster(facts), testing::IsEmpty());
  facts.cluster = json::parse(R"({"enabled": false, "problem": ""})");
  EXPECT_THAT(judge_cluster(facts), testing::IsEmpty());
  facts.cluster = json::parse(R"({"enabled": false, "problem": "port 7946 is taken"})");
  EXPECT_THAT(judge_cluster(facts), ElementsAre(is(Level::fault, "cluster", "7946 is taken")));
}

TEST(DoctorOfTheCluster, FindsNothingInAHealthyCluster) {
  Facts facts;
  facts.cluster = healthy_cluster();
  EXPECT_THAT(judge_cluster(facts), ElementsAre(is(Level::ok, "cluster", "2 live members")));
}

struct ClusterFault {
  const char* path;
  const char* value;
  Level level;
  const char* check;
  const char* what;
};

class DoctorOfCluster : public testing::TestWithParam<ClusterFault> {};

TEST_P(DoctorOfCluster, NamesTheFaultAndWhatToDo) {
  Facts facts;
  facts.cluster = healthy_cluster();
  facts.cluster->at_pointer(GetParam().path) = json::parse(GetParam().value);
  const auto findings = judge_cluster(facts);
  EXPECT_THAT(findings, Contains(is(GetParam().level, GetParam().check, GetParam().what)));
  for (const Finding& finding : findings)
    EXPECT_EQ(finding.fix.empty(), finding.level == Level::ok) << finding.what;
}

INSTANTIATE_TEST_SUITE_P(
    Faults, DoctorOfCluster,
    testing::Values(
        ClusterFault{"/left", "true", Level::fault, "cluster", "has left"},
        ClusterFault{"/members/1/state", R"("dead")", Level::warn, "cluster", "but itself"},
        ClusterFault{"/members/1/state", R"("suspect")", Level::warn, "cluster", "node2"},
        ClusterFault{"/health", "3", Level::warn, "gossip health", "score 3"},
        ClusterFault{"/encrypted", "false", Level::warn, "gossip keys", "none"},
        ClusterFault{"/members/1/keys", R"(["k2"])", Level::warn, "gossip keys", "node2"},
        ClusterFault{"/dropped",
                     R"([{"reason": "wrong_key", "help": "no key opens it", "messages": 4}])",
                     Level::warn, "gossip wrong_key", "4 messages dropped since the start: no key"},
        ClusterFault{"/publish_error", R"("too many rows")", Level::fault, "gossip rows",
                     "too many rows"},
        ClusterFault{"/members/1/cloned", "true", Level::fault, "gossip names", "node2"},
        ClusterFault{"/members/1/lag", "2", Level::warn, "gossip rows", "behind those of node2"},
        ClusterFault{"/members/1/restored", "true", Level::warn, "gossip rows", "not heard of"},
        ClusterFault{"/rejected", R"([{"where": "node2: x", "reason": "y"}])", Level::warn,
                     "gossip rows", "1 row cannot"}));

}  // namespace
}  // namespace viaduct::ctl
