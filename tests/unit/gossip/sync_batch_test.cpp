#include "gossip/sync_batch.h"

#include <gtest/gtest.h>

namespace viaduct::gossip {
namespace {

std::vector<base::Bytes> copies(const std::vector<base::ByteView>& views) {
  std::vector<base::Bytes> all;
  for (const base::ByteView view : views) all.emplace_back(view.begin(), view.end());
  return all;
}

TEST(SyncBatch, MessagesComeOutAsTheyWentIn) {
  const std::vector<base::Bytes> messages{{1, 2, 3}, {}, base::Bytes(70'000, 7)};
  const base::Bytes batch = pack_batch(messages);
  EXPECT_EQ(copies(unpack_batch(batch).value()), messages);
  EXPECT_TRUE(unpack_batch(pack_batch({}))->empty()) << "a turn that ends the sync";
}

TEST(SyncBatch, ABatchThatEndsEarlyIsRefused) {
  const base::Bytes batch = pack_batch({{1, 2, 3}, {4, 5}});
  std::size_t read = 0;
  for (std::size_t size = 0; size < batch.size(); ++size)
    read += unpack_batch(base::ByteView(batch).first(size)).has_value() ? 1U : 0U;
  EXPECT_EQ(read, 2U) << "only where a message ends: with none and with one";
}

TEST(SyncBatch, TooMuchIsRefused) {
  EXPECT_TRUE(unpack_batch(pack_batch(std::vector<base::Bytes>(kMaxBatchMessages))));
  EXPECT_EQ(unpack_batch(pack_batch(std::vector<base::Bytes>(kMaxBatchMessages + 1))).error(),
            Errc::too_large);
  EXPECT_EQ(unpack_batch(pack_batch({base::Bytes(kMaxBatchOctets)})).error(), Errc::too_large);
}

TEST(SyncBatch, OtherMessagesAreNoBatch) {
  EXPECT_FALSE(unpack_batch({}));
  base::Bytes other = pack_batch({});
  other[2] = 1;
  EXPECT_EQ(unpack_batch(other).error(), Errc::unknown_type);
}

}  // namespace
}  // namespace viaduct::gossip
