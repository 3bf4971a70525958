#include "files/service_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files/limits.h"

namespace viaduct::files {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

ServiceFile parse(const std::string& text) { return parse_service_file("shop.toml", text); }

std::vector<std::string> mistakes(const ServiceFile& file) {
  std::vector<std::string> out;
  for (const auto& row : file.mistakes) out.push_back(row.where + ": " + row.reason);
  return out;
}

/// "tcp web.service:80 -> 192.0.2.5:8080 w1 shop.toml:5", VIPs in order.
std::vector<std::string> lines(const ServiceFile& file) {
  std::vector<std::string> out;
  for (const auto& [vip, service] : file.services)
    for (const auto& row : service.rows) {
      EXPECT_EQ(row.vip, vip.target);
      EXPECT_EQ(row.vip_port, vip.port);
      EXPECT_EQ(row.protocol, vip.protocol);
      out.push_back(vip.to_string() + " -> " + row.backend.to_string() + " w" +
                    std::to_string(row.weight) + " " + row.task);
    }
  return out;
}

const std::string kBackend = "[[service.backend]]\naddress = \"192.0.2.5\"\nport = 8080\n";

TEST(ServiceFile, GivesTheBackendsOfANamedVip) {
  const auto file = parse(R"([[service]]
name = "/web"
port = 80

[[service.backend]]
address = "192.0.2.5"
port = 8080
[[service.backend]]
address = "2001:db8::5"
port = 8080
weight = 0
)");
  EXPECT_THAT(lines(file), ElementsAre("tcp web.service:80 -> 192.0.2.5:8080 w1 shop.toml:5",
                                       "tcp web.service:80 -> [2001:db8::5]:8080 w0 shop.toml:8"));
  EXPECT_THAT(mistakes(file), IsEmpty());
}

TEST(ServiceFile, TakesFrameworkProtocolsAndPickRule) {
  const auto file = parse(
      "[[service]]\nname = \"web\"\nframework = \"Marathon\"\nport = 53\nlb = \"maglev\"\n"
      "protocol = [\"udp\", \"TCP\", \"udp\"]\n" +
      kBackend);
  EXPECT_THAT(lines(file), ElementsAre("tcp web.marathon:53 -> 192.0.2.5:8080 w1 shop.toml:7",
                                       "udp web.marathon:53 -> 192.0.2.5:8080 w1 shop.toml:7"));
  EXPECT_EQ(file.services.begin()->second.rows[0].policy.pick, service::PickRule::maglev);
  EXPECT_THAT(mistakes(file), IsEmpty());
}

TEST(ServiceFile, AnAddressVipTakesBackendsOfItsFamilyOnly) {
  const auto file = parse("[[service]]\naddress = \"fd01:c::5\"\nport = 80\n" + kBackend +
                          "[[service.backend]]\naddress = \"2001:db8::5\"\nport = 8080\n");
  EXPECT_THAT(lines(file), ElementsAre("tcp [fd01:c::5]:80 -> [2001:db8::5]:8080 w1 shop.toml:7"));
  EXPECT_THAT(
      mistakes(file),
      ElementsAre("shop.toml:5: backend 192.0.2.5 is of another address family than the VIP"));
}

TEST(ServiceFile, AnEmptyFileAndAServiceWithoutBackendsAreClean) {
  EXPECT_THAT(mistakes(parse("")), IsEmpty());
  EXPECT_THAT(mistakes(parse("# nothing\n")), IsEmpty());
  const auto file = parse("[[service]]\nname = \"web\"\nport = 80\n");
  EXPECT_THAT(mistakes(file), IsEmpty());
  EXPECT_THAT(file.services, SizeIs(1));
}

TEST(ServiceFile, ASyntaxErrorNamesItsLine) {
  const auto file = parse("[[service]]\nname = \"web\nport = 80\n");
  EXPECT_THAT(mistakes(file), ElementsAre(StartsWith("shop.toml:2: syntax: ")));
  EXPECT_THAT(file.services, IsEmpty());
  EXPECT_THAT(mistakes(parse("a = \"\xff\"\n")), ElementsAre(StartsWith("shop.toml:1: syntax: ")));
}

TEST(ServiceFile, AnUnknownKeyIsAMistakeWithTheNearestOneSuggested) {
  EXPECT_THAT(mistakes(parse("[[services]]\nname = \"web\"\n")),
              ElementsAre("shop.toml:1: \"services\" is not a known key; did you mean service?"));
  const auto file = parse("[[service]]\nname = \"web\"\nport = 80\nprotocl = \"udp\"\n" + kBackend +
                          "wieght = 5\n");
  EXPECT_THAT(mistakes(file),
              ElementsAre("shop.toml:4: \"protocl\" is not a known key; did you mean protocol?",
                          "shop.toml:8: \"wieght\" is not a known key; did you mean weight?"));
  EXPECT_FALSE(file.services.begin()->second.is_clean);
  EXPECT_THAT(mistakes(parse("colour = 1\n")),
              ElementsAre("shop.toml:1: \"colour\" is not a known key"));
}

TEST(ServiceFile, EveryMistakeIsReportedInOnePassWithItsLine) {
  const auto file = parse(R"([[service]]
name = "web"
address = "11.0.0.1"
port = 0
protocol = "sctp"
lb = "fastest"
[[service.backend]]
address = "web.example"
port = 70000
weight = 1001
[[service.backend]]
port = "80"

[[service]]
port = 80.5
framework = 7
[[service.backend]]
address = "127.0.0.1"
)");
  EXPECT_THAT(lines(file), IsEmpty());
  EXPECT_THAT(
      mistakes(file),
      ElementsAre(
          "shop.toml:1: a service has a name or an address, not both",
          "shop.toml:4: port is 0; it must be between 1 and 65535",
          "shop.toml:5: protocol \"sctp\" is neither tcp nor udp",
          "shop.toml:6: lb \"fastest\" is not one of automatic, least-loaded, peak-ewma, random, "
          "round-robin, maglev, source-hash",
          "shop.toml:8: address \"web.example\" is not an IPv4 or IPv6 address",
          "shop.toml:9: port is 70000; it must be between 1 and 65535",
          "shop.toml:10: weight is 1001; it must be between 0 and 1000",
          "shop.toml:11: a backend needs an address",
          "shop.toml:12: port is a string; it must be an integer",
          "shop.toml:14: a service needs a name or an address",
          "shop.toml:15: port is a number with a fraction; it must be an integer",
          "shop.toml:18: backend 127.0.0.1 is not an address that other nodes can reach",
          "shop.toml:17: port is missing"));
}

TEST(ServiceFile, AWrongBackendLeavesTheOthersOfItsService) {
  const auto file = parse("[[service]]\nname = \"web\"\nport = 80\n" + kBackend +
                          "[[service.backend]]\naddress = \"192.0.2.6\"\nport = 80800\n");
  EXPECT_THAT(lines(file), ElementsAre("tcp web.service:80 -> 192.0.2.5:8080 w1 shop.toml:4"));
  EXPECT_FALSE(file.services.begin()->second.is_clean);
}

TEST(ServiceFile, AWrongServiceLeavesTheOthersOfItsFile) {
  const auto file = parse("[[service]]\nname = \"123\"\nport = 80\n" + kBackend +
                          "[[service]]\nname = \"web\"\nport = 80\n" + kBackend);
  EXPECT_THAT(lines(file), ElementsAre("tcp web.service:80 -> 192.0.2.5:8080 w1 shop.toml:10"));
  EXPECT_TRUE(file.services.begin()->second.is_clean);
  EXPECT_THAT(mistakes(file), ElementsAre(StartsWith("shop.toml:2: ")));
}

TEST(ServiceFile, NamesAndAddressesThatCannotBeAVipAreMistakes) {
  const auto one = [](const std::string& target) {
    return mistakes(parse("[[service]]\n" + target + "\nport = 80\n" + kBackend));
  };
  for (const char* address :
       {"127.0.0.1", "0.0.0.0", "224.0.0.1", "::", "fe80::1", "::ffff:192.0.2.1", "web", ""})
    EXPECT_THAT(one("address = \"" + std::string(address) + "\""),
                ElementsAre(StartsWith("shop.toml:2: ")))
        << address;
  for (const char* name : {"", "/", "1.2.3", "web:80", "***"})
    EXPECT_THAT(one("name = \"" + std::string(name) + "\""),
                ElementsAre(StartsWith("shop.toml:2: ")))
        << name;
  EXPECT_THAT(one("address = \"11.0.0.1\"\nframework = \"x\""),
              ElementsAre("shop.toml:3: framework goes with a name only"));
  EXPECT_THAT(one("address = \"192.0.2.5\""),
              ElementsAre("shop.toml:5: backend 192.0.2.5 is the VIP itself"));
  EXPECT_THAT(one("name = \"a\"\nprotocol = []"),
              ElementsAre("shop.toml:3: protocol is an empty list"));
}

TEST(ServiceFile, WhatIsGivenTwiceIsAMistakeAndTheFirstCounts) {
  const std::string web = "[[service]]\nname = \"web\"\nport = 80\n";
  const auto vips = parse(web + kBackend + "[[service]]\nname = \"/Web\"\nport = 80\n");
  EXPECT_THAT(lines(vips), SizeIs(1));
  EXPECT_THAT(mistakes(vips),
              ElementsAre("shop.toml:7: tcp web.service:80 is already given at shop.toml:1"));
  const auto backends = parse(web + kBackend + kBackend);
  EXPECT_THAT(lines(backends), SizeIs(1));
  EXPECT_THAT(mistakes(backends),
              ElementsAre("shop.toml:7: backend 192.0.2.5:8080 is already given at shop.toml:4"));
}

TEST(ServiceFile, TablesInAnotherFormAreMistakes) {
  EXPECT_THAT(
      mistakes(parse("service = 7\n")),
      ElementsAre("shop.toml:1: service is an integer; it must be tables, each under [[service]]"));
  EXPECT_THAT(
      mistakes(parse("[service]\nname = \"web\"\n")),
      ElementsAre("shop.toml:1: service is a table; it must be tables, each under [[service]]"));
  EXPECT_THAT(
      mistakes(parse("[[service]]\nname = \"web\"\nport = 80\nbackend = [\"192.0.2.1:80\"]\n")),
      ElementsAre(
          "shop.toml:4: backend is a string; it must be tables, each under [[service.backend]]"));
}

TEST(ServiceFile, BackendsBeyondTheLimitAreOneMistake) {
  std::string text = "[[service]]\nname = \"web\"\nport = 80\n";
  for (std::size_t i = 0; i < kMaxBackendsPerService + 2; i++)
    text += "[[service.backend]]\naddress = \"192.0.2.5\"\nport = " + std::to_string(i + 1) + "\n";
  const auto file = parse(text);
  EXPECT_THAT(lines(file), SizeIs(kMaxBackendsPerService));
  EXPECT_THAT(mistakes(file), ElementsAre(HasSubstr("only the first 4096 backends are read")));
}

TEST(ServiceFile, MistakesBeyondTheLimitAreCounted) {
  std::string text;
  for (std::size_t i = 0; i < kMaxMistakesPerFile + 10; i++)
    text += "x" + std::to_string(i) + " = 1\n";
  const auto file = parse(text);
  ASSERT_THAT(file.mistakes, SizeIs(kMaxMistakesPerFile + 1));
  EXPECT_EQ(file.mistakes.back(), (service::RejectedRow{"shop.toml", "10 more mistakes"}));
}

TEST(ServiceFile, DeepNestingIsASyntaxErrorAndNotACrash) {
  EXPECT_THAT(mistakes(parse("a = " + std::string(100'000, '['))), SizeIs(1));
}

}  // namespace
}  // namespace viaduct::files
