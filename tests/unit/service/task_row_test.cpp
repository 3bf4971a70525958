#include "service/task_row.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "tests/unit/service/merger_sources.h"

namespace viaduct::service {
namespace {

TEST(CheckTask, TakesWhatIsWithinTheLimits) {
  TaskRow row = task("web", "web.1");
  EXPECT_TRUE(check_task(row));
  row.id = row.name = row.framework = row.discovery = row.agent_id =
      std::string(kMaxTaskTextOctets, 'a');
  row.ports.assign(kMaxTaskPorts, 31000);
  row.discovery_ports.assign(kMaxTaskPorts, {80, std::string(kMaxPortNameOctets, 'p'),
                                             std::string(kMaxPortProtocolOctets, 't')});
  EXPECT_TRUE(check_task(row));
}

TEST(CheckTask, SaysWhichFieldIsOverItsLimitOrMissing) {
  const auto reason = [](auto change) {
    TaskRow row = task("web", "web.1");
    change(row);
    const auto checked = check_task(row);
    return checked ? "" : checked.error().context;
  };
  const std::string text(kMaxTaskTextOctets + 1, 'a');
  EXPECT_EQ(reason([&](TaskRow& row) { row.name = text; }),
            "its name has 256 octets; at most 255 are allowed");
  EXPECT_EQ(reason([&](TaskRow& row) { row.id = text; }),
            "its id has 256 octets; at most 255 are allowed");
  EXPECT_EQ(reason([](TaskRow& row) { row.ports.assign(kMaxTaskPorts + 1, 1); }),
            "its resource list has 129 elements; at most 128 are allowed");
  EXPECT_EQ(reason([](TaskRow& row) {
              row.discovery_ports = {{1, std::string(129, 'p'), ""}};
            }),
            "its port's name has 129 octets; at most 128 are allowed");
  EXPECT_EQ(reason([](TaskRow& row) { row.id.clear(); }), "it has no id");
  EXPECT_EQ(reason([](TaskRow& row) { row.framework.clear(); }), "it has no framework");
  EXPECT_EQ(reason([](TaskRow& row) { row.agent.clear(); }), "it has no agent's address");
  EXPECT_EQ(reason([](TaskRow& row) { row.addresses[0].address = address("127.0.0.1"); }),
            "its address 127.0.0.1 is none that others can reach");
}

}  // namespace
}  // namespace viaduct::service
