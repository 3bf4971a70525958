// SPDX-License-Identifier: Apache-2.0
// A container's packets: client, VIP, backend, reply. The output of one step is the input of the
// next.
#include <bpf/bpf.h>
#include <gmock/gmock.h>

#include <string>

#include "tests/bpf/tc_families.h"

namespace viaduct::bpftest {
namespace {

class TcRequest : public TcFamilies {};

INSTANTIATE_TEST_SUITE_P(Families, TcRequest, ::testing::ValuesIn(kFamilies),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(TcRequest, ATcpConnectionLivesThroughNat) {
  const ServiceIds ids = maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  const Bytes sent = syn(f().vip);
  const Result at_backend = request(sent);
  EXPECT_EQ(at_backend.verdict, kPass);
  EXPECT_EQ(at_backend.packet().tuple(), tuple(f().client, kNatPort, f().backend, 8080));
  EXPECT_TRUE(at_backend.packet().checksums_ok);
  EXPECT_EQ(at_backend.packet().seq, 1000u);

  const Bytes syn_ack = answer(at_backend.packet(), kSyn | kAck, "");
  EXPECT_EQ(request(syn_ack).out, syn_ack)
      << "a container backend's own link leaves it: strict rp_filter";
  EXPECT_EQ(from_uplink(syn_ack).out, syn_ack) << "and so does an uplink";
  const Result at_client = to_container(syn_ack);
  EXPECT_EQ(at_client.verdict, kPass);
  EXPECT_EQ(at_client.packet().tuple(), tuple(f().vip, 80, f().client, 40000));
  EXPECT_TRUE(at_client.packet().checksums_ok);

  const Result more = request(data(f().vip));
  EXPECT_EQ(more.packet().tuple(), tuple(f().client, kNatPort, f().backend, 8080));
  EXPECT_EQ(more.packet().payload, Bytes({'h', 'e', 'l', 'l', 'o'}));
  EXPECT_TRUE(more.packet().checksums_ok);

  EXPECT_EQ(maps().load(ids.backends[0]).flows, 1u);
  EXPECT_EQ(maps().load(ids.backends[0]).packets, 2u);
  EXPECT_EQ(maps().load(ids.backends[0]).open, 0u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_FORWARDED), 2u);
  EXPECT_EQ(maps().count(VD_HOOK_REPLY, VD_REPLIED), 1u);
  EXPECT_EQ(maps().flows().size(), 2u);
}

TEST_P(TcRequest, AUdpExchangeLivesThroughNat) {
  maps().add({f().vip, 53, IPPROTO_UDP, {{f().backend, 5353}}});
  const Result at_backend = request(datagram(f().vip));
  EXPECT_EQ(at_backend.verdict, kPass);
  EXPECT_EQ(at_backend.packet().tuple(), tuple(f().client, kNatPort, f().backend, 5353));
  EXPECT_TRUE(at_backend.packet().checksums_ok);
  EXPECT_TRUE(at_backend.packet().has_udp_checksum);
  const Result at_client = to_container(answer(at_backend.packet(), 0, "answer"));
  EXPECT_EQ(at_client.packet().tuple(), tuple(f().vip, 53, f().client, 40000));
  EXPECT_TRUE(at_client.packet().checksums_ok);
  EXPECT_EQ(at_client.packet().payload, Bytes({'a', 'n', 's', 'w', 'e', 'r'}));
}

TEST_P(TcRequest, HairpinMakesTheVipTheSourceAndComesBack) {
  maps().add({f().vip, 80, IPPROTO_TCP, {{f().client, 8080}}});
  const Result at_backend = request(syn(f().vip));
  EXPECT_EQ(at_backend.verdict, kRedirect);
  EXPECT_EQ(at_backend.packet().tuple(), tuple(f().vip, 40000, f().client, 8080));
  EXPECT_TRUE(at_backend.packet().checksums_ok);
  EXPECT_EQ(at_backend.packet().eth_dst, Eth{}.src) << "back to the container";
  EXPECT_EQ(at_backend.packet().eth_src, Eth{}.dst);
  EXPECT_EQ(to_container(at_backend.out).out, at_backend.out)
      << "it passes its own link's egress once more";

  const Result at_client = request(answer(at_backend.packet(), kSyn | kAck, ""));
  EXPECT_EQ(at_client.verdict, kRedirect);
  EXPECT_EQ(at_client.packet().tuple(), tuple(f().vip, 80, f().client, 40000));
  EXPECT_TRUE(at_client.packet().checksums_ok);
  EXPECT_EQ(to_container(at_client.out).out, at_client.out);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_HAIRPINNED), 1u);
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_REPLIED), 1u);
}

TEST_P(TcRequest, TcpWithoutABackendIsReset) {
  maps().add({f().vip, 80, IPPROTO_TCP, {}});
  const Result refused = request(syn(f().vip));
  EXPECT_EQ(refused.verdict, kRedirect);
  const Parsed rst = refused.packet();
  EXPECT_EQ(rst.tuple(), tuple(f().vip, 80, f().client, 40000));
  EXPECT_EQ(rst.flags, kRst | kAck);
  EXPECT_EQ(rst.seq, 0u);
  EXPECT_EQ(rst.ack, 1001u) << "the SYN counts as one";
  EXPECT_TRUE(rst.checksums_ok);
  EXPECT_EQ(rst.eth_dst, Eth{}.src);

  const Parsed later = request(data(f().vip)).packet();
  EXPECT_EQ(later.flags, kRst);
  EXPECT_EQ(later.seq, 78u) << "what the segment acknowledges";
  EXPECT_TRUE(later.checksums_ok);

  const Parsed no_ack = request(data(f().vip, 80, kFin)).packet();
  EXPECT_EQ(no_ack.flags, kRst | kAck);
  EXPECT_EQ(no_ack.ack, 1001u + 5 + 1) << "five bytes and the FIN";

  EXPECT_EQ(request(data(f().vip, 80, kRst)).verdict, kDrop) << "a RST is never answered";
  EXPECT_EQ(maps().count(VD_HOOK_REQUEST, VD_NO_BACKEND), 4u);
}

TEST_P(TcRequest, UdpWithoutABackendGetsPortUnreachable) {
  maps().add({f().vip, 53, IPPROTO_UDP, {}});
  const Bytes sent = datagram(f().vip);
  const Result refused = request(sent);
  EXPECT_EQ(refused.verdict, kRedirect);
  const Parsed error = refused.packet();
  const bool v4 = f().name == std::string("v4");
  EXPECT_EQ(error.src, f().vip);
  EXPECT_EQ(error.dst, f().client);
  EXPECT_EQ(error.proto, v4 ? 1 : 58);
  EXPECT_EQ(error.type, v4 ? 3 : 1);
  EXPECT_EQ(error.code, v4 ? 3 : 4);
  EXPECT_TRUE(error.checksums_ok);
  EXPECT_EQ(error.eth_dst, Eth{}.src);
  EXPECT_EQ(error.payload, Bytes(sent.begin() + 14, sent.begin() + 14 + (v4 ? 20 : 40) + 8))
      << "quotes the packet";
}

}  // namespace
}  // namespace viaduct::bpftest
