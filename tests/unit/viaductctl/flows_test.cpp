#include "tools/viaductctl/flows.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/address.h"

namespace viaduct::ctl {
namespace {

vd_addr address(std::string_view text) {
  vd_addr out{};
  std::ranges::copy(base::Address::parse(text)->mapped(), out.bytes);
  return out;
}

struct Example {
  vd_flow_key key{};
  vd_flow flow{};

  Example() {
    key.src = address("192.0.2.7");
    key.sport = htons(40000);
    key.dst = address("11.0.0.1");
    key.dport = htons(80);
    key.proto = 6;
    flow.src = address("192.0.2.7");
    flow.dst = address("192.0.2.5");
    flow.dport = htons(31000);
    flow.flags = VD_FLOW_HAIRPIN | VD_FLOW_CLOSING;
    flow.created_s = 1000;
    flow.last_seen_s = 1290;
    flow.packets = 12;
  }
};

TEST(Flows, AnEntryOfTheTableBecomesClientVipAndBackend) {
  const Example example;
  EXPECT_EQ(json::value(*packet_flow(example.key, example.flow, 1300)), json::parse(R"({
    "kind": "packet", "client": "192.0.2.7:40000", "vip": "11.0.0.1:80", "protocol": "tcp", "backend": "192.0.2.5:31000",
    "age_s": 300, "idle_s": 10, "packets": 12, "flags": ["hairpin", "closing"]})"));
}

TEST(Flows, TheWayBackIsNotShown) {
  Example example;
  example.flow.flags |= VD_FLOW_REPLY;
  EXPECT_FALSE(packet_flow(example.key, example.flow, 1300));
}

TEST(Flows, AnEntryThatIsNewerThanTheClockReadHasNoAge) {
  const Example example;
  EXPECT_EQ(packet_flow(example.key, example.flow, 999)->at("age_s"), 0);
}

TEST(Flows, AFilterIsAnAddressWithOrWithoutPort) {
  const Example example;
  const json::value flow = *packet_flow(example.key, example.flow, 1300);
  EXPECT_TRUE((FlowFilter{}).accepts(flow));
  EXPECT_TRUE((FlowFilter{"11.0.0.1", "192.0.2.5:31000", "192.0.2.7"}).accepts(flow));
  EXPECT_FALSE((FlowFilter{"11.0.0.1:81", "", ""}).accepts(flow));
  EXPECT_FALSE((FlowFilter{"", "192.0.2.6", ""}).accepts(flow));
  EXPECT_FALSE((FlowFilter{"", "", "192.0.2.7:1"}).accepts(flow));
}

TEST(Flows, AreOneLineEachAndTheRestIsCounted) {
  const Example example;
  FlowList list{{*packet_flow(example.key, example.flow, 1300)}, 3};
  EXPECT_EQ(
      flows_text(list),
      "KIND    PROTO  CLIENT           VIP          BACKEND            AGE  IDLE  PACKETS  FLAGS\n"
      "packet  tcp    192.0.2.7:40000  11.0.0.1:80  192.0.2.5:31000  5 min  10 s       12  "
      "hairpin,closing\n"
      "1 of 3 flows; --limit 0 shows all, --vip, --backend and --client choose\n");
  EXPECT_EQ(flows_text({}), "no flow\n");
}

}  // namespace
}  // namespace viaduct::ctl
