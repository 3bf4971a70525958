#include "config/help.h"

#include <gmock/gmock.h>

#include "config/parse.h"

namespace viaduct::config {
namespace {

const Schema& schema() {
  static const Schema schema{{
      {"dns.port", 53, "UDP and TCP port.", "", Range{1, 65535}},
      {"dns.listen", std::vector<std::string>{"198.51.100.1", "::1"}, "Own addresses."},
      {"log.format", "logfmt", "Form of a line.", "", {}, {"logfmt", "json"}},
  }};
  return schema;
}

TEST(Help, ListsEveryKeyUnderItsTableWithLimitsAndDefault) {
  EXPECT_EQ(help(schema()),
            "[dns]\n"
            "# UDP and TCP port. (1..65535)\n"
            "# port = 53\n"
            "# Own addresses.\n"
            "# listen = [\"198.51.100.1\", \"::1\"]\n"
            "\n"
            "[log]\n"
            "# Form of a line. (logfmt | json)\n"
            "# format = \"logfmt\"\n");
}

TEST(Help, IsAConfigurationThatParsesAlsoWithTheDefaultsTakenOutOfTheirComments) {
  std::string text = help(schema());
  EXPECT_TRUE(parse(text, "help", schema()));
  for (const char* key : {"port", "listen", "format"}) {
    const std::string commented = "# " + std::string(key) + " =";
    text.replace(text.find(commented), 2, "");
  }
  const auto values = parse(text, "help", schema());
  ASSERT_TRUE(values) << values.error().to_string();
  EXPECT_TRUE(values->is_set("dns.listen"));
}

TEST(Help, MakesTheTableOfAReadme) {
  EXPECT_THAT(
      markdown_table(schema().keys),
      testing::HasSubstr("| `dns.port` | an integer | `53` | UDP and TCP port. (1..65535) |\n"));
}

}  // namespace
}  // namespace viaduct::config
