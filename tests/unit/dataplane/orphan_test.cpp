#include "dataplane/orphan.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace viaduct::dataplane {
namespace {

using testing::ElementsAre;
using testing::Pair;

ConnectedSocket socket(std::uint32_t netns, std::uint32_t backend_id, std::uint32_t generation) {
  ConnectedSocket one;
  one.netns = netns;
  one.cookie = 0x0102030405060708;
  one.local = *base::Endpoint::parse("192.0.2.7:40000");
  one.backend = *base::Endpoint::parse("192.0.2.5:8080");
  one.bound_ifindex = 9;
  one.backend_id = backend_id;
  one.backend_generation = generation;
  return one;
}

/// Backend 7 lives, in its third life.
bool is_held(std::uint32_t id, std::uint32_t generation) { return id == 7 && generation == 3; }

TEST(Orphans, AreTheSocketsWhoseBackendIsGoneByNamespace) {
  OrphanSearch search(is_held, 10);
  const auto free = socket(1, 8, 1);
  const auto given_away = socket(2, 7, 2);
  for (const auto& one : {socket(1, 7, 3), free, given_away, free}) search.see(one);
  EXPECT_THAT(search.by_netns(),
              ElementsAre(Pair(1, ElementsAre(free, free)), Pair(2, ElementsAre(given_away))));
  EXPECT_FALSE(search.has_more());
}

TEST(Orphans, BeyondTheLimitWaitForTheNextSearch) {
  OrphanSearch search(is_held, 2);
  for (int i = 0; i < 3; i++) search.see(socket(1, 8, 1));
  EXPECT_EQ(search.by_netns().at(1).size(), 2u);
  EXPECT_TRUE(search.has_more());
}

TEST(DestroyRequest, NamesOneIpv4SocketOctetByOctet) {
  constexpr DestroyRequest kExpected = {
      72,   0,    0,    0,    21, 0, 5, 0,
      5,    0,    0,    0,    0,  0, 0, 0,  // length, type, flags, sequence, port id
      2,    6,    0,    0,                  // family, protocol, extensions
      0xff, 0xff, 0xff, 0xff,               // states
      0x9c, 0x40, 0x1f, 0x90,               // 40000, 8080
      192,  0,    2,    7,    0,  0, 0, 0,
      0,    0,    0,    0,    0,  0, 0, 0,  // local
      192,  0,    2,    5,    0,  0, 0, 0,
      0,    0,    0,    0,    0,  0, 0, 0,  // backend
      9,    0,    0,    0,                  // device
      8,    7,    6,    5,    4,  3, 2, 1,  // cookie, low word first
  };
  EXPECT_EQ(destroy_request(socket(1, 8, 1), 5), kExpected);
}

TEST(DestroyRequest, NamesAnIpv6UdpSocket) {
  ConnectedSocket one = socket(1, 8, 1);
  one.protocol = base::Protocol::udp;
  one.local.address = *base::Address::parse("2001:db8::7");
  one.backend.address = *base::Address::parse("2001:db8::5");
  const DestroyRequest request = destroy_request(one, 1);
  EXPECT_EQ(request[16], 10);
  EXPECT_EQ(request[17], 17);
  EXPECT_TRUE(std::ranges::equal(std::span(request).subspan(28, 16), one.local.address.octets()));
  EXPECT_TRUE(std::ranges::equal(std::span(request).subspan(44, 16), one.backend.address.octets()));
}

TEST(DestroyAnswer, TellsWhatBecameOfTheRequestOfThatSequence) {
  std::array<std::uint8_t, 36> answer{36, 0, 0, 0, 2, 0, 0, 0, 5};
  EXPECT_EQ(destroy_answer(answer, 5), 0);
  EXPECT_EQ(destroy_answer(answer, 6), std::nullopt);
  answer[16] = 0xfe;  // -2: ENOENT
  answer[17] = answer[18] = answer[19] = 0xff;
  EXPECT_EQ(destroy_answer(answer, 5), 2);
  EXPECT_EQ(destroy_answer(std::span(answer).first(35), 5), std::nullopt) << "cut off";
  answer[4] = 3;
  EXPECT_EQ(destroy_answer(answer, 5), std::nullopt) << "no acknowledgement";
}

}  // namespace
}  // namespace viaduct::dataplane
