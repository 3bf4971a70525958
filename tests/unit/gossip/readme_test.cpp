// The examples in the module's README are what the code reads and writes.

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>

#include "config/help.h"
#include "gossip/config.h"
#include "gossip/delta.h"
#include "gossip/keyring.h"
#include "gossip/packet.h"
#include "gossip/row_codec.h"
#include "gossip/store.h"
#include "tests/unit/gossip/samples.h"

namespace viaduct::gossip {
namespace {

using testing::ElementsAre;

std::string readme() {
  std::ifstream file(VIADUCT_TEST_DATA "/../../userspace/gossip/README.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The first block of a language.
std::string block(const std::string& language) {
  const std::string text = readme();
  const std::string fence = "```" + language + "\n";
  const std::size_t begin = text.find(fence) + fence.size();
  return text.substr(begin, text.find("```", begin) - begin);
}

/// The octets of a dump whose lines have them in front of a column of explanations.
base::Bytes octets_of(const std::string& dump) {
  constexpr std::size_t kExplanations = 45;
  std::string hex;
  std::istringstream lines(dump);
  for (std::string line; std::getline(lines, line);)
    for (const char digit : line.substr(0, kExplanations))
      if (digit != ' ') hex += digit;
  return test::from_hex(hex);
}

TEST(Readme, TheDatagramIsReadAndWritten) {
  const base::Bytes datagram = octets_of(block("hex"));
  const base::Endpoint source{base::Address::v4({192, 0, 2, 4}), 7946};
  const Message ping = Ping{1, "n2", PingSource{source, "n4"}}, suspect = Suspect{1, "n2", "n4"};
  const OpenedPacket opened = open_packet(datagram, {}, Keyring());
  EXPECT_THAT(opened.messages, ElementsAre(ping, suspect));

  const std::vector<MessagePtr> messages{std::make_shared<const Message>(ping),
                                         std::make_shared<const Message>(suspect)};
  const WireOptions plain{"", false};
  EXPECT_THAT(seal_packet(messages, true, plain, Keyring(), {}).datagrams, ElementsAre(datagram));
}

TEST(Readme, TheDeltaIsReadAndWritten) {
  service::BackendRow row;
  row.vip = service::VipName{"web.marathon"};
  row.vip_port = 80;
  row.backend = {base::Address::v4({192, 0, 2, 10}), 8080};
  const WireRow wire = encode_row(row).value();
  Store store("n1", 1);
  store.publish({RowChange(std::string(wire.key()), std::string(wire.value()))}, {}).value();
  const Delta delta = store.take_delta(1000).value();
  const base::Bytes documented = octets_of(block("delta"));
  EXPECT_EQ(encode_delta(delta, 1000), documented);
  EXPECT_EQ(decode_delta(documented).value(), delta);
}

TEST(Readme, ListsTheKeysAsTheyAre) {
  EXPECT_THAT(readme(), testing::HasSubstr(config::markdown_table(keys())));
}

TEST(Readme, TheKeyringIsRead) {
  const auto keyring = Keyring::parse(block("json"));
  ASSERT_TRUE(keyring.has_value()) << keyring.error().message();
  EXPECT_THAT(keyring->ids(), testing::SizeIs(2));
}

}  // namespace
}  // namespace viaduct::gossip
