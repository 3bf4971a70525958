#include "gossip/sync_message.h"

#include <gtest/gtest.h>

#include "gossip/assembly.h"
#include "gossip/errors.h"
#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;

template <class T>
T decoded(base::ByteView bytes) {
  auto made = decode_sync(bytes);
  EXPECT_TRUE(made) << make_error_code(made.error()).message();
  return made ? std::get<T>(*made) : T{};
}

void refuses_every_truncation(const base::Bytes& bytes) {
  for (std::size_t length = 0; length < bytes.size(); length++)
    EXPECT_FALSE(decode_sync(base::ByteView(bytes).first(length))) << length;
}

TEST(SyncMessage, ADigestTellsWhichBucketsDiffer) {
  Digest one;
  one.add({5, {1, 2, 3}});
  one.add({0xff00000000000000, {1, 2, 3}});
  Digest other;
  other.add({5, {1, 2, 3}});
  EXPECT_EQ(one.differing(other).count(), 1u);
  EXPECT_TRUE(one.differing(other)[0xff]);
  one.remove({0xff00000000000000, {1, 2, 3}});
  EXPECT_EQ(one, other);
  const base::Bytes bytes = encode(one);
  EXPECT_EQ(bytes.size(), 2051u);
  EXPECT_EQ(decoded<Digest>(bytes), one);
  refuses_every_truncation(bytes);
}

TEST(SyncMessage, VersionsAndPullsComeBackAsTheyWere) {
  VersionList versions;
  versions.whole[3] = versions.whole[255] = true;
  versions.owners = {{1, {1, 2, 3}}, {7, {300, 70'000, 9}}};
  EXPECT_EQ(decoded<VersionList>(encode(versions)), versions);
  refuses_every_truncation(encode(versions));
  const Pull pull{{{1, {}}, {7, {300, 70'000, 9}}}};
  EXPECT_EQ(decoded<Pull>(encode(pull)), pull);
  refuses_every_truncation(encode(pull));
  EXPECT_FALSE(decode_sync(encode(VersionList{{}, {{1, {}}}}))) << "nothing is no version";
  EXPECT_FALSE(decode_sync(encode(Pull{{{7, {}}, {7, {}}}}))) << "an owner twice";
  EXPECT_FALSE(decode_sync(encode(Pull{{{7, {}}, {6, {}}}}))) << "out of order";
}

TEST(SyncMessage, ACountIsNoReasonToAllocate) {
  base::Bytes bytes = encode(Pull{});
  bytes.back() = 0xff;
  bytes.insert(bytes.end(), {0xff, 0xff, 0xff, 0x0f});
  EXPECT_EQ(decode_sync(bytes).error(), Errc::malformed);
}

Rows some_rows(int count) {
  std::vector<WireRow> rows;
  for (int i = 0; i < count; i++)
    rows.emplace_back("key" + std::to_string(100'000 + i), std::string(40, 'v'));
  return Rows(std::move(rows));
}

TEST(SyncMessage, RowsOfSmallOwnersShareAMessage) {
  RowsWriter writer;
  const Rows rows = some_rows(3);
  writer.put({1, {1, 2, rows.hash()}}, rows);
  writer.put({2, {1, 2, 0}}, Rows());
  const auto messages = writer.finish();
  ASSERT_EQ(messages.size(), 1u);
  const auto made = decoded<RowsMessage>(messages[0]);
  ASSERT_EQ(made.parts.size(), 2u);
  EXPECT_EQ(Rows(made.parts[0].rows), rows);
  EXPECT_EQ(made.parts[0].total, 3u);
  EXPECT_EQ(made.parts[1].total, 0u);
  const std::size_t first = messages[0].size() - 21;  // where the part of owner 2 begins
  for (std::size_t length = 0; length < messages[0].size(); length++) {
    const auto cut = decode_sync(base::ByteView(messages[0]).first(length));
    EXPECT_EQ(cut.has_value(), length == 3 || length == first) << length;
  }
}

TEST(SyncMessage, ALargeOwnerGoesInChunksAndComesTogetherAgain) {
  RowsWriter writer;
  const Rows rows = some_rows(5000);
  writer.put({1, {1, 2, rows.hash()}}, rows);
  const auto messages = writer.finish();
  EXPECT_GT(messages.size(), 4u);
  Assembly assembly;
  std::optional<std::vector<WireRow>> whole;
  for (const base::Bytes& message : messages) {
    EXPECT_LE(message.size(), 64u << 10);
    EXPECT_FALSE(whole);
    whole = assembly.add(decoded<RowsMessage>(message).parts.at(0), {});
  }
  ASSERT_TRUE(whole);
  EXPECT_EQ(Rows(std::move(*whole)), rows);
  EXPECT_EQ(assembly.size(), 0u);
}

TEST(Assembly, TakesPartsInOrderOnlyAndFromOneVersion) {
  const auto part = [](std::uint64_t owner, std::uint64_t seq, std::size_t offset, char key) {
    return RowsPart{{owner, {1, seq, 0}}, offset, 3, {WireRow(std::string(1, key), "")}};
  };
  Assembly assembly;
  EXPECT_FALSE(assembly.add(part(1, 1, 0, 'a'), {}));
  EXPECT_FALSE(assembly.add(part(1, 1, 2, 'c'), {})) << "a part is missing";
  EXPECT_FALSE(assembly.add(part(1, 1, 1, 'b'), {})) << "given up";
  EXPECT_FALSE(assembly.add(part(1, 1, 0, 'a'), {}));
  EXPECT_FALSE(assembly.add(part(1, 2, 1, 'b'), {})) << "of another version";
  EXPECT_EQ(assembly.size(), 0u);
  EXPECT_FALSE(assembly.add(part(1, 1, 0, 'b'), {}));
  EXPECT_FALSE(assembly.add(part(1, 1, 1, 'b'), {})) << "keys have to grow";
  EXPECT_FALSE(assembly.add(part(1, 1, 0, 'a'), {}));
  EXPECT_FALSE(assembly.add(part(1, 1, 1, 'b'), {}));
  EXPECT_TRUE(assembly.add(part(1, 1, 2, 'c'), {}));
}

TEST(Assembly, HoldsFewAndNotForLong) {
  Assembly assembly;
  for (std::uint64_t owner = 1; owner <= 2 * kMaxAssemblies; owner++)
    assembly.add({{owner, {1, 1, 0}}, 0, 2, {WireRow("a", "")}}, base::Time(1s) + owner * 1ms);
  EXPECT_EQ(assembly.size(), kMaxAssemblies);
  EXPECT_TRUE(assembly.add({{2 * kMaxAssemblies, {1, 1, 0}}, 1, 2, {WireRow("b", "")}}, {}));
  assembly.expire(base::Time(2min));
  EXPECT_EQ(assembly.size(), 0u);
}

}  // namespace
}  // namespace viaduct::gossip
