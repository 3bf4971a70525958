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

TEST(Flows, ANewFlowSaysWhetherItWasAnswered) {
  Example example;
  example.flow.flags = VD_FLOW_NEW;
  EXPECT_EQ(packet_flow(example.key, example.flow, 1300)->at("flags"), json::parse(R"(["new"])"));
  example.flow.flags |= VD_FLOW_ANSWERED;
  EXPECT_EQ(packet_flow(example.key, example.flow, 1300)->at("flags"),
            json::parse(R"(["answered"])"));
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

TEST(Flows, ASocketBecomesClientVipAndBackend) {
  vd_sock_flow flow{};
  flow.local = address("2001:db8::7");
  flow.local_port = htons(40000);
  flow.netns = 4026531840;
  flow.cookie = 99;
  flow.inode = 1234;
  flow.sock.peer.vip = address("2001:db8::5");
  flow.sock.peer.vip_port = htons(53);
  flow.sock.peer.backend = address("2001:db8::9");
  flow.sock.peer.backend_port = htons(5353);
  flow.sock.connected_ns = 1'000'900'000'000;
  flow.sock.proto = 17;
  EXPECT_EQ(json::value(socket_flow(flow, 1300)), json::parse(R"({
    "kind": "socket", "client": "[2001:db8::7]:40000", "vip": "[2001:db8::5]:53", "protocol": "udp",
    "backend": "[2001:db8::9]:5353", "age_s": 300, "netns": 4026531840, "cookie": 99, "inode": 1234})"));
}

TEST(Flows, AreOneLineEachAndTheRestIsCounted) {
  Example example;
  FlowList list;
  list.limit = 2;
  list.filter.vip = "11.0.0.1";
  vd_sock_flow socket{};
  socket.local = address("192.0.2.7");
  socket.local_port = htons(40001);
  socket.sock.peer.vip = example.key.dst;
  socket.sock.peer.vip_port = htons(80);
  socket.sock.peer.backend = example.flow.dst;
  socket.sock.peer.backend_port = htons(31000);
  socket.sock.proto = 6;
  list.add(socket_flow(socket, 30));
  for (int i = 0; i < 2; i++) list.add(*packet_flow(example.key, example.flow, 1300));
  example.key.dst = address("11.0.0.2");
  list.add(*packet_flow(example.key, example.flow, 1300));
  EXPECT_EQ(
      flows_text(list),
      "KIND    PROTO  CLIENT           VIP          BACKEND            AGE  IDLE  PACKETS  FLAGS\n"
      "socket  tcp    192.0.2.7:40001  11.0.0.1:80  192.0.2.5:31000   30 s     -        -  -\n"
      "packet  tcp    192.0.2.7:40000  11.0.0.1:80  192.0.2.5:31000  5 min  10 s       12  "
      "hairpin,closing\n"
      "2 of 3 flows; --limit 0 shows all, --vip, --backend and --client choose\n");
  EXPECT_EQ(flows_text({}), "no flow\n");
}

}  // namespace
}  // namespace viaduct::ctl
