#include "dns/zones/custom.h"

#include <gmock/gmock.h>

#include "dns/zones/dcos.h"
#include "tests/unit/dns/task_rows.h"

namespace viaduct::dns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::string reason(std::string_view text) {
  const auto parsed = zones::parse_cname(text);
  return parsed ? "" : parsed.error().context;
}

TEST(ParseCname, ReadsANameAndItsTarget) {
  const auto parsed =
      zones::parse_cname("Registry.component.thisdcos.directory = master.dcos.thisdcos.directory");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->name.to_text(), "Registry.component.thisdcos.directory.");
  EXPECT_EQ(parsed->target.to_text(), "master.dcos.thisdcos.directory.");
}

TEST(ParseCname, SaysWhatIsWrong) {
  EXPECT_EQ(reason("a.b.thisdcos.directory"), "is not of the form name=target");
  EXPECT_EQ(reason("=x.example"), "does not begin with a domain name");
  EXPECT_EQ(reason("a.b.thisdcos.directory="), "does not end with a domain name");
  EXPECT_EQ(reason("a..b.thisdcos.directory=x"), "does not begin with a domain name");
  for (const char* elsewhere : {"a.example=x.example", "b.thisdcos.directory=x.example",
                                "thisdcos.directory=x.example", "a.b.thisdcos.global=x.example"})
    EXPECT_THAT(reason(elsewhere), HasSubstr("two labels below thisdcos.directory"));
  for (const char* taken : {"l4lb", "dclb", "mesos", "DCOS", "thisnode"})
    EXPECT_THAT(reason(std::string("a.") + taken + ".thisdcos.directory=x.example"),
                HasSubstr("which is served anyway"));
  EXPECT_EQ(reason("a.b.thisdcos.directory=A.b.thisdcos.directory"), "leads to itself");
}

ZoneOptions options(std::initializer_list<const char*> cnames) {
  ZoneOptions made;
  made.masters.all = {address("192.0.2.1"), address("2001:db8::1")};
  for (const char* text : cnames) made.cnames.push_back(*zones::parse_cname(text));
  return made;
}

/// A table with the zone dcos and its masters.
std::shared_ptr<const Table> dcos(const service::Snapshot& snapshot, const ZoneOptions& options) {
  zones::BuiltRecords built;
  zones::add_dcos_masters(zones::masters_of(options.masters), options, built);
  const Zone zone{zones::dcos(snapshot, options), built.records};
  return build_table({&zone, 1}).table;
}

TEST(Custom, HasNamesByZoneWithTheAddressesTheyLeadTo) {
  const auto snapshot = running({});
  const ZoneOptions made =
      options({"registry.component.thisdcos.directory=Master.dcos.thisdcos.directory",
               "b.component.thisdcos.directory=registry.component.thisdcos.directory",
               "c.other.thisdcos.directory=leader.dcos.thisdcos.global",
               "d.other.thisdcos.directory=www.example"});
  const auto found = zones::custom(snapshot, made, *dcos(snapshot, made));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].apex.to_text(), "component.thisdcos.directory.");
  EXPECT_THAT(found[0].aliases, ElementsAre(*Name::parse("component.thisdcos.global")));
  EXPECT_THAT(texts({&found[0], 1}),
              UnorderedElementsAre(
                  "registry.component.thisdcos.directory. CNAME Master.dcos.thisdcos.directory.",
                  "registry.component.thisdcos.directory. A 192.0.2.1",
                  "registry.component.thisdcos.directory. AAAA 2001:db8::1",
                  "b.component.thisdcos.directory. CNAME registry.component.thisdcos.directory.",
                  "b.component.thisdcos.directory. A 192.0.2.1",
                  "b.component.thisdcos.directory. AAAA 2001:db8::1"));
  EXPECT_THAT(texts({&found[1], 1}),
              UnorderedElementsAre("c.other.thisdcos.directory. CNAME leader.dcos.thisdcos.global.",
                                   "c.other.thisdcos.directory. A 192.0.2.1",
                                   "c.other.thisdcos.directory. AAAA 2001:db8::1",
                                   "d.other.thisdcos.directory. CNAME www.example."));
}

TEST(Custom, IsNotReadyBeforeTheZoneThatItLeadsInto) {
  service::Snapshot incomplete;
  const ZoneOptions made = options({"a.b.thisdcos.directory=master.dcos.thisdcos.directory",
                                    "a.c.thisdcos.directory=www.example"});
  const auto found = zones::custom(incomplete, made, *dcos(incomplete, made));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_FALSE(found[0].ready);
  EXPECT_TRUE(found[1].ready);
}

TEST(Custom, NamesThatLeadInACircleLeadNowhere) {
  const ZoneOptions made = options({"a.b.thisdcos.directory=b.b.thisdcos.directory",
                                    "b.b.thisdcos.directory=a.b.thisdcos.directory"});
  EXPECT_EQ(texts(zones::custom(running({}), made, *dcos(running({}), made))).size(), 2u);
}

}  // namespace
}  // namespace viaduct::dns
