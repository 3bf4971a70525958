#include "gossip/meta.h"

#include <gtest/gtest.h>

namespace viaduct::gossip {
namespace {

TEST(Meta, TagsStandAsSerfWritesThem) {
  EXPECT_EQ(encode_tags({{"a", "b"}}), (base::Bytes{0xff, 0x81, 0xa1, 'a', 0xa1, 'b'}));
  const Tags tags{{"dc", ""}, {"role", std::string(300, 'x')}, {"vd", "1"}};
  EXPECT_EQ(decode_tags(encode_tags(tags)), tags);
  EXPECT_EQ(decode_tags(encode_tags({})), Tags());
}

TEST(Meta, OurTagTellsWhoUnderstandsUs) {
  EXPECT_TRUE(is_viaduct(encode_tags({{"role", "viaduct"}, {kViaductTag, "1"}})));
  EXPECT_FALSE(is_viaduct(encode_tags({{"role", "viaduct"}})));
  EXPECT_FALSE(is_viaduct({}));
  EXPECT_FALSE(is_viaduct(base::as_bytes("web")));
}

TEST(Meta, WhatEndsEarlyIsNoTags) {
  const base::Bytes whole = encode_tags({{"role", "viaduct"}, {kViaductTag, "1"}});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(decode_tags(base::ByteView(whole).first(size))) << size;
}

TEST(Meta, OtherFormsOfTheSameTagsAreRead) {
  const base::Bytes wide{0xff, 0xde, 0, 1, 0xd9, 1, 'a', 0xda, 0, 1, 'b'};
  EXPECT_EQ(decode_tags(wide), (Tags{{"a", "b"}}));
  EXPECT_FALSE(decode_tags(base::Bytes{0xff, 0xde, 0xff, 0xff})) << "a length that lies";
  EXPECT_FALSE(decode_tags(base::Bytes{0xff, 0x81, 0xc0, 0xc0})) << "no texts";
}

}  // namespace
}  // namespace viaduct::gossip
