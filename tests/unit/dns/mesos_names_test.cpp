#include "dns/zones/mesos_names.h"

#include <gmock/gmock.h>

#include "tests/unit/dns/task_rows.h"

namespace viaduct::dns::zones {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(MesosLabel, IsWhatMesosDnsMakesOfIt) {
  const std::pair<std::string, std::string> cases[] = {
      {"a.b.c", "a-b-c"},
      {"Web.App_1", "web-app-1"},
      {"group/app", "groupapp"},
      {"-_.app-", "app"},
      {"9lives", "9lives"},
      {"caf\xc3\xa9 $", "caf"},
      {"***", ""},
      {"", ""},
      {"hello" + std::string(130, '-') + "f", "hellof"},
      {"u" + std::string(60, 'y') + "---b-c", "u" + std::string(60, 'y') + "b-"},
      {std::string(70, 'a'), std::string(63, 'a')},
  };
  for (const auto& [text, label] : cases) EXPECT_EQ(mesos_label(text), label) << text;
}

TEST(MesosLabel, OfTheOlderRuleIsShorterAndBeginsWithALetter) {
  const auto label = [](std::string_view text) { return mesos_label(text, LabelRule::rfc952); };
  EXPECT_EQ(label("9-lives"), "lives");
  EXPECT_EQ(label(std::string(30, 'a')), std::string(24, 'a'));
  EXPECT_EQ(label("42"), "");
}

TEST(MesosFramework, KeepsItsDots) {
  EXPECT_EQ(mesos_framework("Marathon.User"), "marathon.user");
  EXPECT_EQ(mesos_framework("..dots..here."), "dots.here");
  EXPECT_EQ(mesos_framework("no_under score!"), "no-underscore");
  EXPECT_EQ(mesos_framework("!!!"), "");
}

TEST(MesosCanonical, TellsTasksOfOneNameApart) {
  EXPECT_EQ(mesos_hash("test"), "iffe9");
  EXPECT_EQ(mesos_agent_tail("33899f47-212f-S12"), "s12");
  EXPECT_EQ(mesos_agent_tail("Agent"), "agent");
  EXPECT_EQ(mesos_canonical("web", task("web")), "web-iffe9-s12");
  EXPECT_EQ(mesos_canonical("web.shop", task("web")), "web.shop-iffe9-s12");
}

TEST(MesosCanonical, IsCutToOneThatCanBeAskedFor) {
  EXPECT_EQ(mesos_canonical(std::string(63, 'a'), task("web")),
            std::string(53, 'a') + "-iffe9-s12");
  EXPECT_EQ(mesos_canonical(std::string(50, 'a') + "---b", task("web")),
            std::string(50, 'a') + "-iffe9-s12");
  EXPECT_EQ(mesos_canonical("x." + std::string(60, 'a'), task("web")),
            "x." + std::string(53, 'a') + "-iffe9-s12");
}

TEST(MesosAddresses, AreThoseOfTheFirstSourceThatHasAny) {
  service::TaskRow row = task("web");
  row.addresses.push_back({service::AddressSource::docker, address("198.51.100.7")});
  using S = IpSource;
  const auto found = [&](std::vector<S> sources) { return mesos_addresses(row, sources); };
  EXPECT_THAT(found({S::netinfo, S::host}),
              ElementsAre(address("198.51.100.5"), address("2001:db8::5")));
  EXPECT_THAT(found({S::mesos, S::docker, S::netinfo}), ElementsAre(address("198.51.100.7")));
  EXPECT_THAT(found({S::mesos, S::host}), ElementsAre(address("192.0.2.21")));
  EXPECT_THAT(found({S::mesos}), IsEmpty());
}

}  // namespace
}  // namespace viaduct::dns::zones
