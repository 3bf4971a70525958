#include "gossip/task_codec.h"

#include <gmock/gmock.h>

#include "gossip/table_limits.h"
#include "gossip/table_rows.h"
#include "tests/unit/gossip/rows.h"

namespace viaduct::gossip {
namespace {

using namespace std::string_literals;
using service::AddressSource;
using service::TaskRow;
using testing::ElementsAre;
using testing::HasSubstr;

TaskRow full() {
  TaskRow row = task_row("web", "web.5f0a");
  row.discovery = "web.shop";
  row.agent.push_back(test::address("2001:db8::21"));
  row.addresses = {{AddressSource::netinfo, test::address("198.51.100.5")},
                   {AddressSource::netinfo, test::address("2001:db8::5")},
                   {AddressSource::mesos, test::address("198.51.100.6")},
                   {AddressSource::docker, test::address("198.51.100.7")}};
  row.ports = {31000, 31001, 65535};
  row.discovery_ports = {{80, "http", "tcp"}, {0, "", ""}, {53, "dns", "udp,tcp"}};
  row.host_port = true;
  return row;
}

TEST(TaskCodec, TasksComeBackAsTheyWere) {
  TaskRow odd = task_row("\xff\x00\n"s.c_str(), "\xe2\x80\xa8");
  odd.name = "\xff\x00\n"s;
  TaskRow bare;
  bare.framework = "f";
  bare.id = "i";
  bare.agent = {test::address("192.0.2.1")};
  for (const TaskRow& row : {task_row("web", "web.1"), full(), odd, bare})
    EXPECT_EQ(std::get<TaskRow>(decoded(*encode_row(row))), row);
}

TEST(TaskCodec, TheKeyHasFrameworkAndIdAndBelongsToNoVip) {
  const WireRow row = *encode_row(full());
  EXPECT_EQ(row.key(), "\x04\x22\x6f\x24\xad\x41\xc1\x2a\x63web.5f0a");
  EXPECT_EQ(vip_prefix(row.key()), "");
  TaskRow other = full();
  other.framework = "chronos";
  EXPECT_NE(encode_row(other)->key(), row.key());
}

TEST(TaskCodec, SkipsWhatALaterVersionAdds) {
  const WireRow row = *encode_row(full());
  EXPECT_EQ(std::get<TaskRow>(decoded(WireRow(row.key(), std::string(row.value()) + "\x63\x02no"))),
            full());
  EXPECT_EQ(std::get<TaskRow>(decoded(
                WireRow(row.key(), std::string(row.value()) + "\x06\x05\x09\xc0\x00\x02\x01"s))),
            full())
      << "an address said by nobody we know";
}

TEST(TaskCodec, RefusesWithAReasonThatNamesTheTask) {
  TaskRow row = full();
  row.addresses[0].address = test::address("127.0.0.1");
  EXPECT_EQ(
      encode_row(row).error().context,
      "task \"web.5f0a\" of framework \"marathon\": its address 127.0.0.1 is none that others "
      "can reach");
  row = full();
  row.discovery_ports.assign(100, {80, std::string(100, 'p'), "tcp"});
  EXPECT_THAT(encode_row(row).error().context, HasSubstr("at most 4096 are told"));
  const WireRow good = *encode_row(full());
  const WireRow another = *encode_row(task_row("web", "web.1"));
  std::string key(good.key());
  key[3] ^= 1;
  EXPECT_THAT(reason(WireRow(key, good.value())), HasSubstr("the key is of another framework"));
  EXPECT_THAT(reason(WireRow(good.key(), "")), HasSubstr("the key is of another framework"));
  EXPECT_THAT(reason(WireRow(good.key(), std::string(another.value()) + "\x05\x03"
                                                                        "abc")),
              HasSubstr("malformed"));
  std::string many(good.value());
  for (int i = 0; i < 40; i++) many += "\x06\x05\x00\xc0\x00\x02\x01"s;
  EXPECT_THAT(reason(WireRow(good.key(), many)), HasSubstr("malformed"));
}

TEST(TaskCodec, HoldsAddressesAgainstTheAllowedSubnets) {
  const WireRow row = *encode_row(task_row("web", "web.1"));
  const base::Subnet agents = *base::Subnet::parse("192.0.2.0/24");
  const base::Subnet containers = *base::Subnet::parse("198.51.100.0/24");
  decoded(row, {{}, {agents, containers}});
  EXPECT_THAT(reason(row, {{}, {agents}}),
              HasSubstr("its address 198.51.100.5 is in no allowed subnet"));
  EXPECT_THAT(reason(row, {{}, {containers}}),
              HasSubstr("its address 192.0.2.21 is in no allowed subnet"));
}

TEST(TaskCodec, EveryTruncationIsRefusedOrAnotherRow) {
  const WireRow row = *encode_row(full());
  for (std::size_t length = 1; length < row.key().size(); length++)
    (void)decode_row(WireRow(row.key().substr(0, length), row.value()), {});
  for (std::size_t length = 0; length < row.value().size(); length++) {
    const auto made = decode_row(WireRow(row.key(), row.value().substr(0, length)), {});
    EXPECT_TRUE(!made || *made != decoded(row)) << length;
  }
}

TEST(TaskCodec, AnOwnersChangeHasItsTasks) {
  OwnerChange change;
  change.owner = "node2";
  change.removed = {*encode_row(task_row("db", "db.1"))};
  change.added = {*encode_row(full()), WireRow("\x04"
                                               "12345678web",
                                               "")};
  const DecodedChange made = decode_change(change, {});
  EXPECT_THAT(made.rows.tasks_added, ElementsAre(full()));
  EXPECT_THAT(made.rows.tasks_removed, ElementsAre(task_row("db", "db.1")));
  ASSERT_EQ(made.rejected.size(), 1u);
  EXPECT_EQ(made.rejected[0].where, "node node2");
}

}  // namespace
}  // namespace viaduct::gossip
