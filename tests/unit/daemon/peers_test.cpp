#include "daemon/peers.h"

#include <gmock/gmock.h>

namespace viaduct::daemon {
namespace {

using testing::HasSubstr;

const std::vector<Peer> kPeers = {{"node-1", *base::Endpoint::parse("192.0.2.1:7946")},
                                  {"node-2", *base::Endpoint::parse("[2001:db8::2]:7000")}};

TEST(Peers, WhatIsWrittenIsRead) {
  const auto read = read_peers(write_peers(kPeers));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, kPeers);
  EXPECT_EQ(*read_peers(write_peers({})), std::vector<Peer>());
}

TEST(Peers, EachMistakeIsNamed) {
  const auto error = [](std::string_view text) { return read_peers(text).error().context; };
  EXPECT_THAT(error(""), HasSubstr("no JSON"));
  EXPECT_THAT(error("[]"), HasSubstr("not a list of peers"));
  EXPECT_THAT(error(R"({"version":2,"peers":[]})"), HasSubstr("not a list of peers of version 1"));
  EXPECT_THAT(error(R"({"version":1,"peers":[{"name":"a"}]})"), HasSubstr("peer 1 lacks"));
  EXPECT_THAT(error(R"({"version":1,"peers":[{"name":"a","endpoint":"192.0.2.1:0"}]})"),
              HasSubstr("peer 1 has no endpoint"));
}

TEST(Peers, AFileCutAnywhereIsRefused) {
  const std::string text = write_peers(kPeers);
  for (std::size_t length = 0; length + 2 < text.size(); ++length)
    EXPECT_FALSE(read_peers(std::string_view(text).substr(0, length))) << length;
}

TEST(Peers, TooManyAreRefused) {
  std::vector<Peer> many(kMaxPeers + 1, kPeers.front());
  EXPECT_FALSE(read_peers(write_peers(many)));
  many.pop_back();
  EXPECT_TRUE(read_peers(write_peers(many)));
}

}  // namespace
}  // namespace viaduct::daemon
