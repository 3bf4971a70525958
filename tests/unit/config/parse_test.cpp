#include "config/parse.h"

#include <gmock/gmock.h>

#include "config/check.h"

namespace viaduct::config {

void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.where << ": " << mistake.what;
}

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Schema& schema() {
  static const Schema schema{
      {
          {"dns.enabled", true, "Answers names."},
          {"dns.port", 53, "UDP and TCP port.", "", Range{1, 65535}},
          {"dns.listen",
           std::vector<std::string>{"198.51.100.1"},
           "Own addresses.",
           "",
           {},
           {},
           check_address},
          {"log.level", "info", "Least level written.", "", {}, {"debug", "info"}},
          {"mesos.poll_min_ms", 1000, "Shortest pause.", "ms", Range{100, 60000}},
          {"mesos.poll_max_ms", 5000, "Longest pause.", "ms", Range{100, 60000}},
      },
      {{"mesos.poll_min_ms", [](const Values& values) -> std::optional<std::string> {
          if (values.integer("mesos.poll_min_ms") <= values.integer("mesos.poll_max_ms"))
            return std::nullopt;
          return "is above mesos.poll_max_ms";
        }}}};
  return schema;
}

std::vector<Mistake> mistakes(std::string_view text,
                              const std::vector<std::string>& overrides = {}) {
  const auto result = parse(text, "a.toml", schema(), overrides);
  return result.has_error() ? result.error().all : std::vector<Mistake>{};
}

TEST(Parse, AnEmptyTextGivesEveryDefault) {
  const Values values = parse("", "a.toml", schema()).value();
  EXPECT_TRUE(values.boolean("dns.enabled"));
  EXPECT_EQ(values.integer("dns.port"), 53);
  EXPECT_THAT(values.string_list("dns.listen"), ElementsAre("198.51.100.1"));
  EXPECT_EQ(values.string("log.level"), "info");
  EXPECT_FALSE(values.is_set("dns.port"));
}

TEST(Parse, TheFileWinsOverTheDefaultAndTheCommandLineOverTheFile) {
  const Values values = parse("[dns]\nport = 5353\nenabled = false\n", "a.toml", schema(),
                              {"dns.port=1053", "dns.port=2053", "log.level=debug"})
                            .value();
  EXPECT_EQ(values.integer("dns.port"), 2053);
  EXPECT_FALSE(values.boolean("dns.enabled"));
  EXPECT_EQ(values.string("log.level"), "debug");
  EXPECT_TRUE(values.is_set("dns.enabled"));
}

TEST(Parse, DottedKeysAndInlineTablesMeanTheSameAsTables) {
  EXPECT_EQ(parse("dns.port = 54\n", "a.toml", schema()).value().integer("dns.port"), 54);
  EXPECT_EQ(parse("dns = { port = 55 }\n", "a.toml", schema()).value().integer("dns.port"), 55);
}

TEST(Parse, EveryMistakeIsReportedInOnePassWithItsLine) {
  EXPECT_THAT(
      mistakes("[dns]\n"
               "port = 70000\n"
               "lisen = []\n"
               "enabled = 1\n"
               "listen = [\"10.0.0.1\", \"x\", \"y\"]\n"
               "[log]\n"
               "level = \"loud\"\n"
               "[dsn]\n"
               "port = 1\n",
               {"dns.port=abc", "dns.prot=1", "nothing"}),
      ElementsAre(
          Mistake{"a.toml:2", "dns.port is 70000; it must be between 1 and 65535"},
          Mistake{"a.toml:3", "dns.lisen is not a known key; did you mean dns.listen?"},
          Mistake{"a.toml:4", "dns.enabled is an integer; it must be true or false"},
          Mistake{"a.toml:5",
                  "dns.listen: \"x\" is not an IPv4 or IPv6 address; "
                  "dns.listen: \"y\" is not an IPv4 or IPv6 address"},
          Mistake{"a.toml:7", "log.level is \"loud\"; it must be one of debug, info"},
          Mistake{"a.toml:8", "dsn is not a known key; did you mean dns?"},
          Mistake{"--set dns.port=abc", "dns.port must be an integer"},
          Mistake{"--set dns.prot=1", "dns.prot is not a known key; did you mean dns.port?"},
          Mistake{"--set nothing", "is not of the form key=value"}));
}

TEST(Parse, ASyntaxErrorNamesItsLineAndOverridesAreStillJudged) {
  const auto found = mistakes("[dns]\nport = = 3\n", {"dns.port=0"});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].where, "a.toml:2");
  EXPECT_THAT(found[0].what, HasSubstr("syntax: "));
  EXPECT_EQ(found[1].what, "dns.port is 0; it must be between 1 and 65535");
}

TEST(Parse, AKeyGivenTwiceIsASyntaxErrorOfItsLine) {
  const auto found = mistakes("[dns]\nport = 1\nport = 2\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].where, "a.toml:3");
}

TEST(Parse, AValueWhereATableBelongsIsReported) {
  EXPECT_THAT(mistakes("dns = 3\n"),
              ElementsAre(Mistake{"a.toml:1", "dns is an integer; it must be a table"}));
}

TEST(Parse, ATableWhereAValueBelongsIsReported) {
  EXPECT_THAT(mistakes("[dns.port]\nx = 1\n"),
              ElementsAre(Mistake{"a.toml:1", "dns.port is a table; it must be an integer"}));
}

TEST(Parse, RulesSeeTheFinalValuesAndPointAtTheLineThatSetThem) {
  EXPECT_THAT(mistakes("[mesos]\npoll_min_ms = 6000\n"),
              ElementsAre(Mistake{"a.toml:2", "mesos.poll_min_ms is above mesos.poll_max_ms"}));
  EXPECT_THAT(mistakes("[mesos]\npoll_min_ms = 6000\n", {"mesos.poll_max_ms=7000"}), IsEmpty());
}

TEST(Parse, AListOverrideIsTomlOrElementsBetweenCommas) {
  const auto listen = [](const std::string& text) {
    return parse("", "a.toml", schema(), {"dns.listen=" + text}).value().string_list("dns.listen");
  };
  EXPECT_THAT(listen("10.0.0.1,fd01::1"), ElementsAre("10.0.0.1", "fd01::1"));
  EXPECT_THAT(listen("[\"10.0.0.1\", 'fd01::1']"), ElementsAre("10.0.0.1", "fd01::1"));
  EXPECT_THAT(listen(""), IsEmpty());
  EXPECT_EQ(mistakes("", {"dns.listen=[\"10.0.0.1\"]\nx = 1"}).size(), 1u);
  EXPECT_EQ(mistakes("", {"dns.listen=[1]"}).size(), 1u);
}

TEST(Parse, ATextOverTheLimitIsRefusedUnread) {
  const auto found = mistakes(std::string(kMaxFileBytes + 1, '#'));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].what, HasSubstr("larger than 1048576 bytes"));
}

TEST(Parse, AVeryLongUnknownKeyGetsNoSuggestion) {
  const auto found = mistakes(std::string(10000, 'k') + " = 1\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].what, HasSubstr("--help-config lists them"));
}

}  // namespace
}  // namespace viaduct::config
