#include "tools/viaductctl/explain.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <viaduct/abi/flow.h>
#include <viaduct/abi/reason.h>

#include <algorithm>
#include <boost/json.hpp>

#include "tests/support/packet.h"

namespace viaduct::ctl {
namespace {

namespace packets = viaduct::testing;

using ::testing::HasSubstr;

vd_addr address(std::string_view text) {
  vd_addr out{};
  std::ranges::copy(base::Address::parse(text)->mapped(), out.bytes);
  return out;
}

Question question(const std::string& client, const std::string& vip,
                  base::Protocol protocol = base::Protocol::tcp) {
  return parse_question(client, vip, protocol).value();
}

HookAnswer forwarded() {
  HookAnswer answer{"socket", "connect() of somebody"};
  answer.said.reason = VD_FORWARDED;
  answer.said.found = VD_FOUND_PICK;
  answer.said.pick = VD_PICK_LEAST_LOADED;
  answer.said.service_id = 4;
  answer.said.backend_id = 7;
  answer.said.compared[0] = 9;
  answer.said.compared[1] = 7;
  answer.said.dst = address("10.0.0.5");
  answer.said.dport = htons(8080);
  answer.open = 3;
  answer.open_compared = 5;
  return answer;
}

std::string text_of(const HookAnswer& answer) {
  return answers_text(question("192.0.2.7:40001", "11.0.0.1:80"), {answer});
}

TEST(Question, NamesAClientAndAVip) {
  const Question full = question("192.0.2.7:40001", "11.0.0.1:80");
  EXPECT_EQ(full.client.port, 40001);
  EXPECT_TRUE(full.port_given);
  const Question v6 = question("2001:db8::7", "[fd01:c::1]:80");
  EXPECT_EQ(v6.client.port, kMadeUpPort);
  EXPECT_FALSE(v6.port_given);
}

TEST(Question, ThatMakesNoSenseIsRefusedWithAReason) {
  const auto error = [](const char* client, const char* vip) {
    return parse_question(client, vip, base::Protocol::tcp).error().context;
  };
  EXPECT_THAT(error("web", "11.0.0.1:80"), HasSubstr("\"web\" is no client"));
  EXPECT_THAT(error("192.0.2.7:0", "11.0.0.1:80"), HasSubstr("is no client"));
  EXPECT_THAT(error("192.0.2.7", "11.0.0.1"), HasSubstr("\"11.0.0.1\" is no VIP with its port"));
  EXPECT_THAT(error("192.0.2.7", "fd01:c::1"), HasSubstr("[IPV6]:PORT"));
  EXPECT_THAT(error("192.0.2.7", "[fd01:c::1]:80"), HasSubstr("another family"));
}

TEST(Question, BecomesAPacketThatProgramsCanRead) {
  for (const auto& [client, vip] : {std::pair{"192.0.2.7:40001", "11.0.0.1:80"},
                                    std::pair{"[2001:db8::7]:40001", "[fd01:c::1]:80"}}) {
    const auto syn = packets::parse(packet_of(question(client, vip), false));
    EXPECT_EQ(syn.sport, 40001);
    EXPECT_EQ(syn.dport, 80);
    EXPECT_EQ(syn.proto, 6);
    EXPECT_EQ(syn.flags, packets::kSyn);
    EXPECT_EQ(packets::parse(packet_of(question(client, vip), true)).flags, packets::kAck);
    const auto udp = packets::parse(packet_of(question(client, vip, base::Protocol::udp), false));
    EXPECT_EQ(udp.proto, 17);
    EXPECT_EQ(udp.dport, 80);
    EXPECT_EQ(udp.src, syn.src);
  }
}

TEST(Explain, APickSaysWhomItComparedAndWhy) {
  EXPECT_EQ(text_of(forwarded()),
            "tcp 192.0.2.7:40001 > 11.0.0.1:80\n"
            "socket: FORWARDED to 10.0.0.5:8080 (backend 7, least-loaded of 2 random slots: 3 open "
            "against 5 of backend 9)\n"
            "    connect() of somebody\n");
}

TEST(Explain, TheJsonHasTheSame) {
  EXPECT_EQ(json::value(answer_json(forwarded())), json::parse(R"({
    "hook": "socket", "who": "connect() of somebody", "attached": true, "not_attached": "", "error": "",
    "reason": "forwarded", "verdict": "pass", "help": "sent to a backend", "backend": "10.0.0.5:8080", "backend_id": 7,
    "found": "pick", "pick": "least-loaded of 2 random slots", "open": 3, "compared": {"backend_id": 9, "open": 5},
    "source": "", "node": "", "tunnel": false, "flags": []})"));
}

TEST(Explain, OneBackendIsComparedToNobody) {
  HookAnswer answer = forwarded();
  answer.said.compared[0] = 7;
  EXPECT_THAT(text_of(answer), HasSubstr("3 open, both slots name it"));
  EXPECT_TRUE(answer_json(answer).at("compared").is_null());
  answer.said.compared[0] = 0;
  EXPECT_THAT(text_of(answer), HasSubstr("the other slot names none"));
}

TEST(Explain, AKnownFlowSaysSoWithItsSource) {
  HookAnswer answer = forwarded();
  answer.said.found = VD_FOUND_FLOW;
  answer.said.src = address("192.0.2.7");
  answer.said.sport = htons(40000);
  EXPECT_THAT(text_of(answer), HasSubstr("(backend 7, a known flow), source 192.0.2.7:40000\n"));
}

TEST(Explain, ATunnelNamesTheMachineThatItLeadsTo) {
  HookAnswer answer = forwarded();
  answer.hook = "xdp";
  answer.said.reason = VD_ENCAPSULATED;
  answer.said.pick = VD_PICK_HASH;
  answer.node = "198.51.100.2";
  EXPECT_THAT(text_of(answer), HasSubstr("xdp: ENCAPSULATED to 10.0.0.5:8080 (backend 7, hash of "
                                         "the flow), in a tunnel to 198.51.100.2\n"));
  EXPECT_EQ(answer_json(answer).at("tunnel"), true);
  EXPECT_EQ(answer_json(answer).at("node"), "198.51.100.2");
  answer.said.found = VD_FOUND_FORMER;
  EXPECT_THAT(text_of(answer), HasSubstr("by the slots before the last change"));
  EXPECT_EQ(answer_json(answer).at("found"), "former");
  answer.said.reason = VD_NO_NEIGHBOUR;
  EXPECT_THAT(text_of(answer), HasSubstr("on the machine 198.51.100.2: the link address"));
  EXPECT_EQ(answer_json(answer).at("tunnel"), false);
}

TEST(Explain, WhatXdpLeavesToTcSaysSo) {
  HookAnswer answer = forwarded();
  answer.said.reason = VD_LOCAL;
  EXPECT_THAT(text_of(answer), HasSubstr("LOCAL to 10.0.0.5:8080"));
  EXPECT_THAT(text_of(answer), HasSubstr("left to the tc programs"));
}

TEST(Explain, ARefusalSaysWhy) {
  HookAnswer answer{"host", "packets"};
  answer.said.reason = VD_NO_BACKEND;
  EXPECT_THAT(
      text_of(answer),
      HasSubstr("host: NO_BACKEND (the service has no backend that takes new connections)\n"));
  EXPECT_EQ(answer_json(answer).at("verdict"), "refuse");
  EXPECT_EQ(answer_json(answer).at("backend"), "");
}

TEST(Explain, AHookThatIsNotAttachedOrCannotBeAskedSaysSo) {
  HookAnswer answer = forwarded();
  answer.not_attached = "no link";
  EXPECT_THAT(text_of(answer), HasSubstr("connect() of somebody; NOT ATTACHED: no link\n"));
  EXPECT_EQ(answer_json(answer).at("attached"), false);
  answer.error = "open: No such file";
  EXPECT_THAT(text_of(answer), HasSubstr("socket: cannot be asked: open: No such file\n"));
  EXPECT_FALSE(answer_json(answer).contains("reason"));
}

}  // namespace
}  // namespace viaduct::ctl
