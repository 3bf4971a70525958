#include "dns/forward/upstreams.h"

#include <gtest/gtest.h>

#include "dns/forward/routes.h"
#include "tests/support/dns_message.h"

namespace viaduct::dns::forward {
namespace {

using namespace std::chrono_literals;
using Order = std::vector<std::size_t>;

constexpr base::Time kStart{1000h};
const Order kAll{0, 1, 2};

TEST(ForwardUpstreams, TheQuickestComeFirst) {
  Upstreams upstreams(3);
  EXPECT_EQ(upstreams.order(kAll, kStart), kAll);
  upstreams.answered(0, 80ms, kStart);
  upstreams.answered(1, 5ms, kStart);
  upstreams.answered(2, 20ms, kStart);
  EXPECT_EQ(upstreams.order(kAll, kStart), (Order{1, 2, 0}));
  for (int i = 0; i < 20; ++i) upstreams.answered(1, 200ms, kStart);
  EXPECT_EQ(upstreams.order(kAll, kStart), (Order{2, 0, 1}));
}

TEST(ForwardUpstreams, AFailureWeighsAndFadesAndAnAnswerForgivesIt) {
  Upstreams upstreams(3);
  for (std::size_t i = 0; i < 3; ++i) upstreams.answered(i, 10ms * (i + 1), kStart);
  upstreams.failed(0, kStart);
  EXPECT_EQ(upstreams.order(kAll, kStart), (Order{1, 2, 0}));
  EXPECT_NEAR(upstreams.failures(0, kStart + kFailureHalfLife), 0.5, 0.01);
  EXPECT_EQ(upstreams.order(kAll, kStart + 10 * kFailureHalfLife), (Order{0, 1, 2}));
  upstreams.answered(0, 10ms, kStart);
  upstreams.answered(0, 10ms, kStart);
  EXPECT_EQ(upstreams.order(kAll, kStart), (Order{0, 1, 2}));
}

TEST(ForwardUpstreams, IsDownAfterSeveralFailuresAndOneBadHourIsForgotten) {
  Upstreams upstreams(1);
  for (int i = 0; i < 3600; ++i) upstreams.failed(0, kStart + i * 1s);
  const base::Time end = kStart + 1h;
  EXPECT_TRUE(upstreams.is_down(0, end));
  EXPECT_FALSE(upstreams.is_down(0, end + 60s));
  upstreams.answered(0, 1ms, end);
  EXPECT_FALSE(upstreams.is_down(0, end));
  for (int i = 0; i < 3; ++i) upstreams.answered(0, 1ms, end);
  EXPECT_EQ(upstreams.failures(0, end), 0);
}

TEST(ForwardUpstreams, ProbesOneThatFailedEachSecondAndASlowerOneRarely) {
  Upstreams upstreams(2);
  EXPECT_TRUE(upstreams.probe_due(0, kStart));
  upstreams.sent(0, kStart);
  EXPECT_FALSE(upstreams.probe_due(0, kStart + 9s));
  EXPECT_TRUE(upstreams.probe_due(0, kStart + 10s));
  upstreams.failed(0, kStart);
  EXPECT_FALSE(upstreams.probe_due(0, kStart + 999ms));
  EXPECT_TRUE(upstreams.probe_due(0, kStart + 1s));
}

TEST(ForwardUpstreams, IsPatientAsTheRoundTripsSay) {
  Upstreams upstreams(1);
  EXPECT_EQ(upstreams.patience(0), 400ms);
  for (int i = 0; i < 50; ++i) upstreams.answered(0, 1ms, kStart);
  EXPECT_EQ(upstreams.patience(0), 150ms);
  EXPECT_EQ(upstreams.hedge_delay(0), 10ms);
  for (int i = 0; i < 50; ++i) upstreams.answered(0, 2s, kStart);
  EXPECT_EQ(upstreams.patience(0), 800ms);
  EXPECT_EQ(upstreams.hedge_delay(0), 50ms);
}

TEST(ForwardUpstreams, LeavesAloneWhatIsSetAsideAndForgetsInabilities) {
  Upstreams upstreams(3);
  upstreams.set_aside(1, kStart);
  EXPECT_EQ(upstreams.order(kAll, kStart + 59s), (Order{0, 2}));
  EXPECT_EQ(upstreams.order(kAll, kStart + 60s), kAll);
  upstreams.lacks_edns(0, kStart);
  upstreams.changes_case(0, kStart);
  EXPECT_FALSE(upstreams.has_edns(0, kStart + 9min));
  EXPECT_FALSE(upstreams.keeps_case(0, kStart + 9min));
  EXPECT_TRUE(upstreams.has_edns(0, kStart + 10min));
  EXPECT_TRUE(upstreams.keeps_case(0, kStart + 10min));
}

std::string zone_of(const Routes& routes, const std::string& name) {
  const test::Octets message = test::MessageBuilder().question(name, Type::a);
  const auto route = routes.find(parse_question(message));
  return route ? routes.all()[*route].zone : "none";
}

TEST(ForwardRoutes, TheLongestSuffixDecidesInAnyOrderOfTheZones) {
  const base::Endpoint server = *parse_upstream("192.0.2.1");
  const auto zone = [&](const char* name) {
    return ForwardZone{Name::parse(name).value(), {server}};
  };
  for (const auto& zones : {std::vector{zone("a.corp.example"), zone("Corp.Example")},
                            std::vector{zone("Corp.Example"), zone("a.corp.example")}}) {
    const Routes routes({server}, zones);
    EXPECT_EQ(routes.upstreams().size(), 1u);
    EXPECT_EQ(zone_of(routes, "x.y.A.corp.example"), "a.corp.example.");
    EXPECT_EQ(zone_of(routes, "a.corp.example"), "a.corp.example.");
    EXPECT_EQ(zone_of(routes, "b.corp.example"), "corp.example.");
    EXPECT_EQ(zone_of(routes, "corp.example"), "corp.example.");
    EXPECT_EQ(zone_of(routes, "xcorp.example"), ".");
    EXPECT_EQ(zone_of(routes, "example"), ".");
    EXPECT_EQ(zone_of(routes, "."), ".");
    EXPECT_EQ(zone_of(Routes({}, zones), "example"), "none");
    EXPECT_EQ(zone_of(Routes({}, zones), "."), "none");
  }
}

TEST(ForwardRoutes, ReadsUpstreamsAndZones) {
  EXPECT_EQ(parse_upstream("192.0.2.1")->to_string(), "192.0.2.1:53");
  EXPECT_EQ(parse_upstream("192.0.2.1:5353")->to_string(), "192.0.2.1:5353");
  EXPECT_EQ(parse_upstream("2001:db8::1")->to_string(), "[2001:db8::1]:53");
  EXPECT_EQ(parse_upstream("[2001:db8::1]:5353")->to_string(), "[2001:db8::1]:5353");
  for (const char* bad : {"", "dns.example", "192.0.2.1:", "192.0.2.1:0", "[2001:db8::1]"})
    EXPECT_FALSE(parse_upstream(bad)) << bad;
  const ForwardZone zone = parse_forward_zone("Corp.Example.=192.0.2.1,[2001:db8::1]:54").value();
  EXPECT_EQ(zone.apex.to_text(), "corp.example.");
  EXPECT_EQ(zone.upstreams.size(), 2u);
  for (const char* bad : {"corp.example", "=192.0.2.1", "corp.example=", "corp.example=192.0.2.1,",
                          "a..b=192.0.2.1", "corp.example=one"})
    EXPECT_FALSE(parse_forward_zone(bad)) << bad;
  std::string many = "corp.example=192.0.2.1";
  for (int i = 0; i < 16; ++i) many += ",192.0.2.1";
  EXPECT_FALSE(parse_forward_zone(many));
}

}  // namespace
}  // namespace viaduct::dns::forward
