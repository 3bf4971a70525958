#include "http/record_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/errors.h"
#include "base/io/file.h"
#include "base/rng.h"

namespace viaduct::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t kLimit = 1 << 20;

std::string recorded() {
  return base::read_file(VIADUCT_TEST_DATA "/mesos/stream/execute.recordio", 1 << 20).value();
}

/// Feeds one piece and takes all records out of it.
void feed(RecordDecoder& decoder, std::string_view piece, std::vector<std::string>& records) {
  while (const auto record = decoder.next(piece).value()) records.emplace_back(*record);
  EXPECT_TRUE(piece.empty());
}

std::vector<std::string> records_of(std::string_view text) {
  RecordDecoder decoder(kLimit);
  std::vector<std::string> records;
  feed(decoder, text, records);
  EXPECT_TRUE(decoder.at_boundary());
  return records;
}

/// What a text is refused for, fed whole.
base::Error refusal(std::string_view text, std::size_t limit = kLimit) {
  RecordDecoder decoder(limit);
  while (true) {
    const auto record = decoder.next(text);
    if (!record) return record.error();
    if (!*record) return {{}, "nothing was refused"};
  }
}

TEST(RecordIo, ReadsRecordsThatFollowEachOtherEmptyOnesToo) {
  EXPECT_THAT(records_of("5\nhello0\n3\na\nb"), ElementsAre("hello", "", "a\nb"));
  EXPECT_THAT(records_of("007\n1234567"), ElementsAre("1234567"));
}

TEST(RecordIo, ReadsARecordedStream) {
  const auto records = records_of(recorded());
  ASSERT_EQ(records.size(), 27u);
  EXPECT_THAT(records[0], testing::StartsWith(R"({"type":"SUBSCRIBED")"));
  EXPECT_EQ(records[1], R"({"type":"HEARTBEAT"})");
  for (const auto& record : records) EXPECT_THAT(record, testing::EndsWith("}"));
}

TEST(RecordIo, EveryCutOfARecordingInTwoGivesTheSameRecords) {
  const std::string text = recorded();
  const auto expected = records_of(text);
  for (std::size_t cut = 0; cut <= text.size(); cut++) {
    RecordDecoder decoder(kLimit);
    std::size_t found = 0;
    for (std::string_view piece :
         {std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)}) {
      while (const auto record = decoder.next(piece).value()) {
        ASSERT_TRUE(found < expected.size() && *record == expected[found]) << "cut at " << cut;
        found++;
      }
    }
    ASSERT_EQ(found, expected.size()) << "cut at " << cut;
    ASSERT_TRUE(decoder.at_boundary());
  }
}

TEST(RecordIo, OctetByOctetAndInRandomPiecesGivesTheSameRecords) {
  const std::string text = recorded();
  const auto expected = records_of(text);
  for (std::uint64_t seed = 0; seed < 50; seed++) {
    base::Rng rng(seed);
    RecordDecoder decoder(kLimit);
    std::vector<std::string> records;
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t size = seed == 0 ? 1 : std::min(rest.size(), rng.below(900) + 1);
      feed(decoder, rest.substr(0, size), records);
      rest.remove_prefix(size);
    }
    ASSERT_EQ(records, expected) << "seed " << seed;
  }
}

TEST(RecordIo, TellsAnEndBetweenRecordsFromAnEndWithinOne) {
  for (const char* text : {"5", "5\n", "5\nhell"}) {
    RecordDecoder decoder(kLimit);
    std::vector<std::string> records;
    feed(decoder, text, records);
    EXPECT_FALSE(decoder.at_boundary()) << text;
  }
  EXPECT_TRUE(RecordDecoder(kLimit).at_boundary());
}

TEST(RecordIo, RefusesWhatIsNoLengthAndSaysWhere) {
  for (const char* text : {"x", "\n", "-1\n", " 5\nhello", "5\r\nhello", "5 \nhello", "{}"})
    EXPECT_EQ(refusal(text).code, base::Errc::bad_format) << text;
  EXPECT_THAT(refusal("2\nab7x").context, HasSubstr("record 2: its length"));
  EXPECT_THAT(refusal("0000000000001\n").context, HasSubstr("more than 12 digits"));
}

TEST(RecordIo, JudgesTheLengthBeforeTheRecordAndHoldsNothingOfIt) {
  EXPECT_EQ(refusal("11\n", 10).code, base::Errc::too_large);
  EXPECT_EQ(refusal("99999999999999999999\n").code, base::Errc::too_large);
  EXPECT_THAT(refusal("11\n", 10).context, HasSubstr("longer than 10 bytes"));
  RecordDecoder decoder(std::size_t{1} << 33);
  std::string_view announced = "8000000000\nabc";
  EXPECT_FALSE(decoder.next(announced).value());
  EXPECT_LT(decoder.held(), 1000u) << "memory grows with what arrives";
}

TEST(RecordIo, NothingIsReadAfterAnError) {
  RecordDecoder decoder(kLimit);
  std::string_view bad = "x";
  const auto first = decoder.next(bad);
  std::string_view good = "1\nx";
  const auto second = decoder.next(good);
  ASSERT_FALSE(first);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().context, first.error().context);
  EXPECT_FALSE(decoder.at_boundary());
}

TEST(RecordIo, ALargeRecordsMemoryIsGivenBack) {
  RecordDecoder decoder(kLimit);
  std::vector<std::string> records;
  const std::string large = "1000000\n" + std::string(1'000'000, 'x');
  feed(decoder, std::string_view(large).substr(0, 600'000), records);
  EXPECT_LE(decoder.held(), 1'000'000u);
  feed(decoder, std::string_view(large).substr(600'000), records);
  feed(decoder, "1\ny", records);
  EXPECT_LT(decoder.held(), 100'000u);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].size(), 1'000'000u);
}

}  // namespace
}  // namespace viaduct::http
