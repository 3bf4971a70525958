#include "dns/tcp_framer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dns/message.h"
#include "tests/support/dns_message.h"

namespace viaduct::dns {
namespace {

using test::Octets;

Octets framed(const Octets& message) {
  Octets octets(2);
  write16(octets.data(), static_cast<std::uint16_t>(message.size()));
  octets.insert(octets.end(), message.begin(), message.end());
  return octets;
}

/// Feeds a stream in pieces of at most `piece` octets and collects the messages.
std::vector<Octets> cut(TcpFramer& framer, std::span<const std::uint8_t> stream,
                        std::size_t piece) {
  std::vector<Octets> messages;
  while (!stream.empty() && !framer.broken()) {
    const auto room = framer.prepare();
    const std::size_t octets = std::min({piece, room.size(), stream.size()});
    std::copy_n(stream.begin(), octets, room.begin());
    framer.commit(octets);
    stream = stream.subspan(octets);
    while (const auto message = framer.next())
      messages.emplace_back(message->begin(), message->end());
  }
  return messages;
}

TEST(TcpFramer, FindsTheSameMessagesHoweverTheStreamIsCut) {
  const std::vector<Octets> wanted = {Octets(12, 1), Octets(300, 2), Octets(kMaxTcpQueryOctets, 3),
                                      Octets(13, 4)};
  Octets stream;
  for (const Octets& message : wanted) {
    const Octets octets = framed(message);
    stream.insert(stream.end(), octets.begin(), octets.end());
  }
  for (const std::size_t piece : {1, 2, 3, 7, 1000, 1 << 20}) {
    TcpFramer framer;
    EXPECT_EQ(cut(framer, stream, piece), wanted) << piece;
    EXPECT_FALSE(framer.in_message());
    EXPECT_FALSE(framer.broken());
  }
}

TEST(TcpFramer, KnowsThatAMessageHasBegun) {
  TcpFramer framer;
  EXPECT_TRUE(cut(framer, Octets{0}, 1).empty());
  EXPECT_TRUE(framer.in_message());
}

TEST(TcpFramer, BreaksOnALengthThatNoQueryHas) {
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{11}, kMaxTcpQueryOctets + 1, std::size_t{65535}}) {
    TcpFramer framer;
    Octets stream = framed(Octets(12, 1));
    const Octets bad = {static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)};
    stream.insert(stream.end(), bad.begin(), bad.end());
    EXPECT_EQ(cut(framer, stream, 100).size(), 1u);
    EXPECT_TRUE(framer.broken());
    EXPECT_FALSE(framer.next());
  }
}

TEST(TcpFramer, GrowsOnlyAsOctetsArrive) {
  TcpFramer framer;
  EXPECT_TRUE(cut(framer, Octets{0x40, 0}, 2).empty());
  EXPECT_LT(framer.prepare().size(), 2000u);
}

}  // namespace
}  // namespace viaduct::dns
