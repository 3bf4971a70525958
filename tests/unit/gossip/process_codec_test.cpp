#include "gossip/process_codec.h"

#include <gmock/gmock.h>

#include "gossip/table_rows.h"
#include "tests/unit/gossip/rows.h"

namespace viaduct::gossip {
namespace {

using namespace std::string_literals;
using service::MesosRole;
using service::MesosRow;
using testing::ElementsAre;
using testing::HasSubstr;

MesosRow leader() {
  MesosRow row = process_row(MesosRole::master, "192.0.2.11:5050");
  row.order = 2;
  row.leader = true;
  return row;
}

TEST(ProcessCodec, ProcessesComeBackAsTheyWere) {
  MesosRow scheduler = process_row(MesosRole::framework, "\xff\x00-0000"s.c_str());
  scheduler.name = "\xe2\x80\xa8\x00"s;
  scheduler.addresses.push_back(test::address("2001:db8::5"));
  MesosRow unknown_place = process_row(MesosRole::framework, "f-1");
  unknown_place.addresses.clear();
  unknown_place.port = 0;
  for (const MesosRow& row :
       {leader(), scheduler, unknown_place, process_row(MesosRole::agent, "a-S1")})
    EXPECT_EQ(std::get<MesosRow>(decoded(*encode_row(row))), row);
}

TEST(ProcessCodec, TheKeyIsTheRoleAndTheId) {
  EXPECT_EQ(encode_row(process_row(MesosRole::agent, "a-S1"))->key(),
            "\x05\x02"
            "a-S1");
  EXPECT_EQ(vip_prefix(row_key(leader())), "");
}

TEST(ProcessCodec, SkipsWhatALaterVersionAdds) {
  const WireRow row = *encode_row(leader());
  EXPECT_EQ(
      std::get<MesosRow>(decoded(WireRow(row.key(), std::string(row.value()) + "\x63\x02no"))),
      leader());
  EXPECT_EQ(decoded(WireRow("\x05\x04id", row.value())), DecodedRow(UnknownRow{}));
  EXPECT_EQ(decoded(WireRow("\x05", row.value())), DecodedRow(UnknownRow{}));
}

TEST(ProcessCodec, RefusesWithAReasonThatNamesTheProcess) {
  MesosRow row = leader();
  row.addresses[0] = test::address("127.0.0.1");
  EXPECT_EQ(encode_row(row).error().context,
            "master \"192.0.2.11:5050\": its address 127.0.0.1 is none that others can reach");
  row.addresses.clear();
  EXPECT_THAT(encode_row(row).error().context, HasSubstr("it has no address"));
  row = process_row(MesosRole::framework, "f");
  row.name = std::string(256, 'n');
  EXPECT_THAT(encode_row(row).error().context, HasSubstr("at most 255 are allowed"));
  row.name.clear();
  EXPECT_THAT(encode_row(row).error().context, HasSubstr("it has no name"));

  const WireRow good = *encode_row(leader());
  EXPECT_THAT(reason(WireRow("\x05\x03", good.value())), HasSubstr("it has no id"));
  const std::string value(good.value());
  for (const std::string& more :
       {"\x02\x03"s + "abc", "\x03\x01\x07"s, "\x04\x03\x00\x00\x01"s, "\x01\x7f"s})
    EXPECT_THAT(reason(WireRow(good.key(), value + more)), HasSubstr("malformed"));
  std::string many = value;
  for (std::size_t i = 0; i < service::kMaxMesosAddresses; i++) many += "\x02\x04\xc0\x00\x02\x01"s;
  EXPECT_THAT(reason(WireRow(good.key(), many)), HasSubstr("malformed"));
}

TEST(ProcessCodec, HoldsAddressesAgainstTheAllowedSubnets) {
  const WireRow row = *encode_row(leader());
  decoded(row, {{}, {*base::Subnet::parse("192.0.2.0/24")}});
  EXPECT_THAT(reason(row, {{}, {*base::Subnet::parse("198.51.100.0/24")}}),
              HasSubstr("its address 192.0.2.11 is in no allowed subnet"));
}

TEST(ProcessCodec, EveryTruncationIsRefusedOrAnotherRow) {
  const WireRow row = *encode_row(leader());
  for (std::size_t length = 1; length < row.key().size(); length++)
    (void)decode_row(WireRow(row.key().substr(0, length), row.value()), {});
  for (std::size_t length = 0; length < row.value().size(); length++) {
    const auto made = decode_row(WireRow(row.key(), row.value().substr(0, length)), {});
    EXPECT_TRUE(!made || *made != decoded(row)) << length;
  }
}

TEST(ProcessCodec, AnOwnersChangeHasItsProcesses) {
  const MesosRow agent = process_row(MesosRole::agent, "a-S1");
  OwnerChange change;
  change.owner = "node2";
  change.removed = {*encode_row(agent)};
  change.added = {*encode_row(leader())};
  const DecodedChange made = decode_change(change, {});
  EXPECT_THAT(made.rows.processes_added, ElementsAre(leader()));
  EXPECT_THAT(made.rows.processes_removed, ElementsAre(agent));
}

}  // namespace
}  // namespace viaduct::gossip
