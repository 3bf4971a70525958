#include "gossip/delta.h"

#include <gtest/gtest.h>

#include "gossip/errors.h"
#include "gossip/row_codec.h"
#include "gossip/store.h"
#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

constexpr std::size_t kRoom = 1366;

RowChange set(std::string key, std::string value) { return RowChange(std::move(key), value); }
RowChange gone(std::string key) { return RowChange(std::move(key)); }

Delta delta(std::uint64_t base, std::uint64_t seq, std::vector<RowChange> changes) {
  return {0x0102030405060708, base, {3, seq, 0xa0 + seq}, false, std::move(changes)};
}

TEST(Delta, IsWrittenAsTheReadmeSays) {
  Store store("agent-1.example", 3);
  std::vector<RowChange> changes;
  for (const auto& [port, weight] : {std::pair{31000, 1}, std::pair{31001, 0}}) {
    service::BackendRow row;
    row.vip = *base::Address::parse("11.0.0.1");
    row.vip_port = 80;
    row.backend = {*base::Address::parse("192.0.2.1"), static_cast<std::uint16_t>(port)};
    row.weight = static_cast<std::uint16_t>(weight);
    if (weight == 0) row.task = "web.1";
    const WireRow wire = *encode_row(row);
    changes.emplace_back(std::string(wire.key()), std::string(wire.value()));
  }
  ASSERT_TRUE(store.publish(changes, {}));
  const base::Bytes expected = {
      0xd6, 0x01, 0x01,                                      // magic, format, kind
      0x9d, 0xbc, 0x7e, 0x8f, 0x9d, 0x34, 0x79, 0xd7,        // owner
      0x03, 0x01, 0x01,                                      // epoch, seq, steps
      0xe4, 0x7a, 0xd5, 0xcb, 0xc7, 0xee, 0x6f, 0x6e,        // hash
      0x00, 0x1b,                                            // 13 octets of a key, and it is set
      0x01, 0x0b, 0x00, 0x00, 0x01, 0x00, 0x50,              // backend's row; 11.0.0.1:80
      0xc0, 0x00, 0x02, 0x01, 0x79, 0x18,                    // 192.0.2.1:31000
      0x00,                                                  // no value: weight 1
      0x0c, 0x03, 0x19,                                      // 12 octets alike, one other
      0x08, 0x00, 0x04, 0x05, 'w',  'e',  'b',  '.',  '1'};  // weight 0, task
  EXPECT_EQ(encode_delta(*store.take_delta(kRoom), kRoom), expected);
}

TEST(Delta, ComesBackAsItWas) {
  for (const Delta& one : {delta(6, 7, {set("a", "1"), gone("ab"), set("b", "")}), delta(0, 1, {}),
                           Delta{1, 0, {kMaxStep, kMaxStep, 5}, true, {}}}) {
    const auto made = decode_delta(encode_delta(one, kRoom));
    ASSERT_TRUE(made) << make_error_code(made.error()).message();
    EXPECT_EQ(*made, one);
  }
}

TEST(Delta, IsPartialWhenItsListDoesNotFit) {
  std::vector<RowChange> changes;
  for (int i = 100; i < 300; i++) changes.push_back(set("key" + std::to_string(i), "12345"));
  const Delta large = delta(6, 7, changes);
  const auto made = decode_delta(encode_delta(large, kRoom));
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->partial);
  EXPECT_EQ(made->version, large.version);
  EXPECT_TRUE(made->changes.empty());
  EXPECT_LE(encode_delta(large, kRoom).size(), 40u);
  EXPECT_EQ(decode_delta(encode_delta(large, 10'000))->changes.size(), 200u);
}

TEST(Delta, ARelayJoinsWhatItHasWithWhatComes) {
  const Delta older = delta(5, 6, {set("a", "1"), set("b", "1")});
  const Delta newer = delta(6, 7, {gone("b"), set("c", "2")});
  const Delta both = delta(5, 7, {set("a", "1"), gone("b"), set("c", "2")});
  EXPECT_EQ(join(older, newer, kRoom), both);
  EXPECT_EQ(join(newer, older, kRoom), both);
  EXPECT_EQ(join(both, both, kRoom), both);
}

TEST(Delta, JoinKeepsTheNewerAloneWhenTheyDoNotMeetOrDoNotFit) {
  const Delta newer = delta(6, 8, {set("a", "2")});
  EXPECT_EQ(join(delta(4, 5, {set("b", "1")}), newer, kRoom), newer) << "nothing from 5 to 6";
  EXPECT_EQ(join(delta(6, 7, {set("b", "1")}), newer, kRoom), newer) << "the newer says it all";
  Delta other_epoch = delta(5, 6, {});
  other_epoch.version.epoch = 2;
  EXPECT_EQ(join(other_epoch, newer, kRoom), newer);
  Delta partial = delta(0, 7, {});
  partial.partial = true;
  EXPECT_EQ(join(partial, newer, kRoom), newer);
  partial.version.seq = 9;
  EXPECT_EQ(join(newer, partial, kRoom), partial);
  const Delta long_one = delta(5, 7, {set("b", std::string(1300, 'x'))});
  EXPECT_EQ(join(long_one, delta(7, 8, {set("c", std::string(200, 'x'))}), kRoom).base, 7u);
}

TEST(Delta, EveryTruncationIsRefusedOrSaysLess) {
  const Delta whole = delta(6, 300, {set("aaaa", "11"), gone("aaab"), set("b", "")});
  const base::Bytes bytes = encode_delta(whole, kRoom);
  for (std::size_t length = 0; length < bytes.size(); length++) {
    const auto made = decode_delta(base::ByteView(bytes).first(length));
    EXPECT_TRUE(!made || made->changes.size() < whole.changes.size()) << length;
  }
}

TEST(Delta, RefusesWhatNoOwnerWrites) {
  const auto code = [](base::Bytes bytes) { return decode_delta(bytes).error(); };
  const base::Bytes good = encode_delta(delta(6, 7, {set("b", "1"), set("c", "2")}), kRoom);
  const auto with = [&](std::size_t at, std::uint8_t value) {
    base::Bytes bytes = good;
    bytes[at] = value;
    return bytes;
  };
  EXPECT_EQ(code(with(0, 0)), Errc::unknown_type);
  EXPECT_EQ(code(with(1, 2)), Errc::unknown_type) << "a later format";
  EXPECT_EQ(code(with(2, 9)), Errc::unknown_type);
  EXPECT_EQ(code(with(11, 0)), Errc::malformed) << "epoch 0";
  EXPECT_EQ(code(with(12, 0)), Errc::malformed) << "seq 0";
  EXPECT_EQ(code(with(13, 8)), Errc::malformed) << "a base before the epoch";
  EXPECT_EQ(code(with(22, 1)), Errc::malformed) << "shares octets with nothing";
  EXPECT_EQ(code(with(29, 'b')), Errc::malformed) << "a key twice";
  EXPECT_EQ(code(with(29, 'a')), Errc::malformed) << "keys out of order";
  EXPECT_EQ(code(encode_delta(delta(6, 7, {set(std::string(301, 'k'), "")}), kRoom)),
            Errc::malformed);
  EXPECT_EQ(code(encode_delta(delta(6, 7, {set("k", std::string(5000, 'v'))}), 10'000)),
            Errc::malformed);
}

}  // namespace
}  // namespace viaduct::gossip
