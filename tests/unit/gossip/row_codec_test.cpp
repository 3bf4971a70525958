#include "gossip/row_codec.h"

#include <gmock/gmock.h>

#include "gossip/errors.h"
#include "gossip/table_limits.h"
#include "service/vip.h"
#include "tests/unit/gossip/rows.h"

namespace viaduct::gossip {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

service::BackendRow plain() {
  return backend_row(test::address("11.0.0.1"), 80, "192.0.2.1:31000");
}

TEST(RowCodec, APlainRowTakesThirteenOctets) {
  const WireRow row = *encode_row(plain());
  EXPECT_EQ(row.key(), "\x01\x0b\x00\x00\x01\x00\x50\xc0\x00\x02\x01\x79\x18"s);
  EXPECT_EQ(row.value(), "");
  EXPECT_EQ(vip_prefix(row.key()), "\x01\x0b\x00\x00\x01\x00\x50"s);
}

TEST(RowCodec, RowsComeBackAsTheyWere) {
  std::vector<service::BackendRow> rows = {plain()};
  rows.push_back(backend_row(service::VipName{"web.marathon"}, 80, "192.0.2.1:31000"));
  rows.push_back(backend_row(test::address("2001:db8::1"), 53, "[2001:db8::2]:53"));
  rows.push_back(rows[1]);
  rows.back().protocol = base::Protocol::udp;
  rows.back().weight = 0;
  rows.push_back(rows[1]);
  rows.back().weight = service::kMaxWeight;
  rows.back().policy = {service::PickRule::source_hash,
                        {service::AffinityBy::netns, std::chrono::seconds(86400)},
                        std::chrono::seconds(0)};
  rows.back().task = "web.5f0a";
  rows.back().tunnel = test::address("198.51.100.7");
  for (const auto& row : rows)
    EXPECT_EQ(std::get<service::BackendRow>(decoded(*encode_row(row))), row);
}

TEST(RowCodec, FactsAndNamesComeBackAsTheyWere) {
  NodeFacts facts;
  facts.addresses = {test::address("192.0.2.1"), test::address("2001:db8::1")};
  facts.tunnel4 = facts.addresses[0];
  facts.tunnel6 = facts.addresses[1];
  facts.version = "1.4.0";
  facts.key_ids = {0x0123456789abcdef, 2};
  facts.subnets = {*base::Subnet::parse("172.31.254.0/24"), *base::Subnet::parse("fd01:b::/80")};
  EXPECT_EQ(std::get<NodeFacts>(decoded(encode_row(facts))), facts);
  EXPECT_EQ(std::get<NodeFacts>(decoded(encode_row(NodeFacts{}))), NodeFacts{});
  const NameRow name{"web.marathon", kMaxTick};
  EXPECT_EQ(std::get<NameRow>(decoded(encode_row(name))), name);
  EXPECT_EQ(vip_prefix(encode_row(name).key()), "");
  EXPECT_EQ(vip_prefix(encode_row(facts).key()), "");
}

TEST(RowCodec, SkipsWhatALaterVersionAdds) {
  const WireRow row = *encode_row(plain());
  EXPECT_EQ(decoded(WireRow("\x06what", "ever")), DecodedRow(UnknownRow{}));
  EXPECT_EQ(decoded(WireRow("\x81what", "ever")), DecodedRow(UnknownRow{}));
  EXPECT_EQ(std::get<service::BackendRow>(decoded(WireRow(row.key(), "\x01\x63\x02no"))), plain());
  EXPECT_EQ(std::get<service::BackendRow>(decoded(WireRow(row.key(), "\x01\x01\x01\x63"))), plain())
      << "an unknown pick rule is none";
  const WireRow facts = encode_row(NodeFacts{{test::address("192.0.2.1")}, {}, {}, "1", {}, {}});
  EXPECT_EQ(
      std::get<NodeFacts>(decoded(WireRow(facts.key(), std::string(facts.value()) + "\x63\x01x"))),
      std::get<NodeFacts>(decoded(facts)));
  const WireRow name = encode_row(NameRow{"web.marathon", 5});
  EXPECT_EQ(
      std::get<NameRow>(decoded(WireRow(name.key(), std::string(name.value()) + "more"))).tick, 5u);
}

TEST(RowCodec, RefusesWithAReasonThatNamesTheRow) {
  auto row = plain();
  row.weight = service::kMaxWeight + 1;
  EXPECT_THAT(encode_row(row).error().context,
              HasSubstr("VIP tcp 11.0.0.1:80, backend 192.0.2.1:31000: weight 1001 is over 1000"));
  for (const char* backend :
       {"127.0.0.1:80", "0.0.0.0:80", "224.0.0.1:80", "169.254.1.1:80", "255.255.255.255:80"})
    EXPECT_FALSE(encode_row(backend_row(test::address("11.0.0.1"), 80, backend))) << backend;
  EXPECT_FALSE(encode_row(backend_row(test::address("127.0.0.1"), 80, "192.0.2.1:80")));
  EXPECT_FALSE(encode_row(backend_row(test::address("11.0.0.1"), 80, "[2001:db8::1]:80")));
  EXPECT_FALSE(encode_row(backend_row(test::address("11.0.0.1"), 0, "192.0.2.1:80")));
  for (const char* name : {"Web.marathon", "web", "", "web..marathon", "web.mara thon"})
    EXPECT_FALSE(encode_row(backend_row(service::VipName{name}, 80, "192.0.2.1:80"))) << name;
  EXPECT_FALSE(
      encode_row(backend_row(service::VipName{"a." + std::string(300, 'b')}, 80, "192.0.2.1:80")));
}

TEST(RowCodec, HoldsAddressesAgainstTheAllowedSubnets) {
  const WireRow row = *encode_row(plain());
  const base::Subnet vips = *base::Subnet::parse("11.0.0.0/8");
  const base::Subnet backends = *base::Subnet::parse("192.0.2.0/24");
  decoded(row, {{vips}, {backends}});
  EXPECT_THAT(reason(row, {{backends}, {}}), HasSubstr("the VIP is in no allowed subnet"));
  EXPECT_THAT(reason(row, {{}, {vips}}), HasSubstr("the backend is in no allowed subnet"));
}

TEST(RowCodec, DoesNotTakeAMappedAddressForAnIpv6One) {
  std::string key = "\x21";
  key += "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01";
  key += "\x00\x50"s;
  key += std::string(10, '\0') + "\xff\xff\xc0\x00\x02\x01\x79\x18"s;
  EXPECT_THAT(reason(WireRow(key, "")), HasSubstr("malformed"));
}

TEST(RowCodec, TextsOfPeersAreFitToPrint) {
  auto row = plain();
  row.task = "a\nb\x1b[31m" + std::string(200, 'c');
  const auto made = std::get<service::BackendRow>(decoded(*encode_row(row)));
  EXPECT_EQ(made.task.size(), kMaxTaskOctets);
  EXPECT_EQ(made.task.substr(0, 8), "a?b?[31m");
}

TEST(RowCodec, EveryTruncationIsRefusedOrAnotherRow) {
  auto full = plain();
  full.weight = 7;
  full.policy = {service::PickRule::maglev,
                 {service::AffinityBy::client, std::chrono::seconds(600)},
                 std::chrono::seconds(30)};
  full.task = "t";
  full.tunnel = test::address("2001:db8::9");
  NodeFacts facts{{test::address("192.0.2.1")}, test::address("192.0.2.1"), {}, "1", {1}, {}};
  for (const WireRow& row :
       {*encode_row(full), *encode_row(backend_row(service::VipName{"a.b"}, 1, "192.0.2.1:1")),
        encode_row(facts), encode_row(NameRow{"a.b", 300})}) {
    for (std::size_t length = 1; length < row.key().size(); length++)
      (void)decode_row(WireRow(row.key().substr(0, length), row.value()), {});
    for (std::size_t length = 0; length < row.value().size(); length++) {
      const auto made = decode_row(WireRow(row.key(), row.value().substr(0, length)), {});
      EXPECT_TRUE(!made || *made != decoded(row)) << length;
    }
  }
}

}  // namespace
}  // namespace viaduct::gossip
