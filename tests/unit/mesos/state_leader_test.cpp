#include "mesos/state_leader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/io/file.h"
#include "mesos/errors.h"

namespace viaduct::mesos {
namespace {

using testing::HasSubstr;

TEST(StateLeader, IsThatOfARecordedState) {
  const auto state =
      base::read_file(VIADUCT_TEST_DATA "/mesos/stream/failover.state.json", 1 << 20).value();
  EXPECT_EQ(state_leader(state).value(), base::Endpoint::parse("10.77.0.12:5050"));
}

TEST(StateLeader, OnlyTheStatesOwnMemberCounts) {
  EXPECT_EQ(state_leader(R"({"slaves":[{"leader":"master@192.0.2.9:1"}],"labels":{"leader":"x"},
      "leader":"master@[2001:db8::1]:5050"})")
                .value(),
            base::Endpoint::parse("[2001:db8::1]:5050"));
}

TEST(StateLeader, SaysWhenThereIsNone) {
  for (const char* text : {"{}", R"({"leader":null})", R"({"leader":""})", R"({"leader":7})"}) {
    const auto leader = state_leader(text);
    ASSERT_FALSE(leader) << text;
    EXPECT_EQ(leader.error().code, Errc::unexpected_shape) << text;
  }
  EXPECT_THAT(state_leader(R"({"leader":"master@m.example:5050"})").error().context,
              HasSubstr("m.example"));
  EXPECT_EQ(state_leader("{\"leader\":").error().code, Errc::bad_json);
  EXPECT_EQ(state_leader("").error().code, Errc::bad_json);
}

}  // namespace
}  // namespace viaduct::mesos
