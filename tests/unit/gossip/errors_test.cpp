#include "gossip/errors.h"

#include <gmock/gmock.h>

#include <set>
#include <string>

namespace viaduct::gossip {
namespace {

TEST(Errors, EachHasASentenceOfItsOwn) {
  std::set<std::string> sentences;
  for (int value = 1; value < static_cast<int>(kErrcs); ++value)
    sentences.insert(make_error_code(static_cast<Errc>(value)).message());
  EXPECT_EQ(sentences.size(), kErrcs - 1);
  EXPECT_EQ(sentences.count("unknown error"), 0U);
}

TEST(ErrcCounts, CountEachApart) {
  ErrcCounts counts, more;
  counts.add(Errc::truncated);
  counts.add(Errc::bad_crc, 5);
  more.add(Errc::bad_crc);
  counts.add(more);
  EXPECT_EQ(counts[Errc::truncated], 1U);
  EXPECT_EQ(counts[Errc::bad_crc], 6U);
  EXPECT_EQ(counts[Errc::malformed], 0U);
  EXPECT_EQ(counts.total(), 7U);
}

}  // namespace
}  // namespace viaduct::gossip
