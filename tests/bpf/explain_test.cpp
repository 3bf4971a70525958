// SPDX-License-Identifier: Apache-2.0
// The dry copies decide as the programs do, say so, and leave everything as it was.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <sock_explain.skel.h>
#include <viaduct/abi/explain.h>

#include <set>
#include <string>

#include "tests/bpf/dry.h"
#include "tests/bpf/tc_families.h"

namespace viaduct::bpftest {
namespace {

class Explain : public TcFamilies {
 protected:
  void SetUp() override {
    TcFamilies::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    dry_ = tc_lb__open();
    ASSERT_NE(dry_, nullptr);
    dry_->rodata->vd_dry = 1;
    dry_->rodata->vd_viaduct0_ifindex = viaduct0_ifindex_;
    share_maps(dry_->obj, skeleton_->obj);
    ASSERT_EQ(tc_lb__load(dry_), 0);
    socket_ = sock_explain__open();
    ASSERT_NE(socket_, nullptr);
    socket_->rodata->vd_dry = 1;
    share_maps(socket_->obj, skeleton_->obj);
    ASSERT_EQ(sock_explain__load(socket_), 0);
  }
  void TearDown() override {
    tc_lb__destroy(dry_);
    sock_explain__destroy(socket_);
    TcFamilies::TearDown();
  }

  vd_explanation answer_of(const bpf_program* program, const Bytes& in) {
    clear_explanation(maps());
    EXPECT_EQ(run(program, in, true).verdict, kPass);
    return read_explanation(maps());
  }
  vd_explanation request_of(const Bytes& in) { return answer_of(dry_->progs.vd_tc_request, in); }
  vd_explanation host_of(const Bytes& in) { return answer_of(dry_->progs.vd_tc_host, in); }
  vd_explanation uplink_of(const Bytes& in) { return answer_of(dry_->progs.vd_tc_uplink, in); }
  vd_explanation connect_of(const std::string& vip, std::uint16_t port, std::uint8_t proto) {
    clear_explanation(maps());
    vd_explain_call call{};
    call.addr = addr(vip);
    call.port = htons(port);
    call.proto = proto;
    LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &call, .ctx_size_in = sizeof call);
    EXPECT_EQ(bpf_prog_test_run_opts(bpf_program__fd(socket_->progs.vd_explain_socket), &opts), 0);
    return read_explanation(maps());
  }

  tc_lb* dry_ = nullptr;
  sock_explain* socket_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Families, Explain, ::testing::ValuesIn(kFamilies),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(Explain, ANewFlowIsPickedAndNothingIsStoredOrCounted) {
  const ServiceIds ids = maps().add(
      {f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8081}}, VD_PICK_HASH});
  const vd_explanation said = request_of(syn(f().vip));
  EXPECT_EQ(said.reason, VD_FORWARDED);
  EXPECT_EQ(said.found, VD_FOUND_PICK);
  EXPECT_EQ(said.pick, VD_PICK_HASH);
  EXPECT_EQ(said.service_id, ids.service);
  EXPECT_EQ(text(said.src), f().client);
  EXPECT_EQ(ntohs(said.sport), kNatPort);
  const vd_explanation connected = connect_of(f().vip, 80, IPPROTO_TCP);
  EXPECT_EQ(connected.reason, VD_FORWARDED);
  EXPECT_TRUE(text(connected.dst) == f().backend || text(connected.dst) == f().backend2);

  EXPECT_TRUE(maps().flows().empty());
  EXPECT_EQ(maps().counted(), 0u);
  for (const std::uint32_t id : ids.backends) {
    const vd_load load = maps().load(id);
    EXPECT_EQ(load.flows + load.packets + load.connects, 0u);
  }
  const Result real = request(syn(f().vip));
  EXPECT_EQ(real.packet().dst, text(said.dst)) << "the program itself does as its copy said";
  EXPECT_EQ(real.packet().dport, ntohs(said.dport));
  EXPECT_EQ(real.packet().sport, ntohs(said.sport));
}

TEST_P(Explain, AKnownFlowStaysAndIsNotTouched) {
  const ServiceIds ids = maps().add({f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}}});
  request(syn(f().vip));
  const auto before = maps().flows();
  const vd_explanation said = request_of(data(f().vip));
  EXPECT_EQ(said.reason, VD_FORWARDED);
  EXPECT_EQ(said.found, VD_FOUND_FLOW);
  EXPECT_EQ(said.backend_id, ids.backends[0]);
  EXPECT_EQ(text(said.dst), f().backend);
  for (const auto& [name, flow] : maps().flows())
    EXPECT_EQ(flow.packets, before.at(name).packets) << name;

  maps().remove_backend(ids.backends[0]);
  EXPECT_EQ(request_of(data(f().vip)).reason, VD_BACKEND_GONE);
  EXPECT_EQ(request_of(syn(f().vip)).reason, VD_NO_BACKEND);
  EXPECT_EQ(maps().flows().size(), 2u) << "nor is it forgotten";
}

TEST_P(Explain, AnUplinkTakesTheBackendsOfThisMachineAndNothingIsStoredOrCounted) {
  const ServiceIds ids = maps().add(
      {f().vip, 80, IPPROTO_TCP, {{f().backend, 8080}, {f().backend2, 8081}}, VD_PICK_SOURCE});
  maps().set_node(ids.backends[0], 1);
  const vd_explanation said = uplink_of(syn(f().vip));
  EXPECT_EQ(said.reason, VD_FORWARDED);
  EXPECT_EQ(said.found, VD_FOUND_PICK);
  EXPECT_EQ(said.pick, VD_PICK_SOURCE);
  EXPECT_EQ(said.backend_id, ids.backends[1]);
  EXPECT_EQ(text(said.dst), f().backend2);
  EXPECT_EQ(ntohs(said.sport), kNatPort);
  EXPECT_TRUE(maps().flows().empty());
  EXPECT_EQ(maps().counted(), 0u);
  EXPECT_EQ(maps().load(ids.backends[1]).flows, 0u);

  from_uplink(syn(f().vip));
  EXPECT_EQ(uplink_of(data(f().vip)).found, VD_FOUND_FLOW);
  maps().set_node(ids.backends[1], 1);
  EXPECT_EQ(uplink_of(syn(f().vip, 80, 40002)).reason, VD_NO_LOCAL_BACKEND);
}

TEST_P(Explain, TheTwoThatWereComparedAreNamed) {
  const ServiceIds ids = maps().add({f().vip,
                                     80,
                                     IPPROTO_TCP,
                                     {{f().backend, 8080}, {f().backend2, 8080}},
                                     VD_PICK_LEAST_LOADED});
  maps().set_load(ids.backends[0], [] {
    vd_load busy{};
    busy.open = 9;
    return busy;
  }());
  bool compared = false;
  for (int i = 0; i < 100 && !compared; ++i) {
    const vd_explanation said = connect_of(f().vip, 80, IPPROTO_TCP);
    EXPECT_EQ(said.pick, VD_PICK_LEAST_LOADED);
    const std::set<std::uint32_t> two{said.compared[0], said.compared[1]};
    compared = two == std::set<std::uint32_t>(ids.backends.begin(), ids.backends.end());
    if (compared) {
      EXPECT_EQ(said.backend_id, ids.backends[1]) << "the idle one";
    }
  }
  EXPECT_TRUE(compared);
}

TEST_P(Explain, RefusalsAndForeignTrafficSayWhy) {
  maps().add({f().vip, 80, IPPROTO_TCP, {}});
  EXPECT_EQ(request_of(syn(f().vip)).reason, VD_NO_BACKEND);
  EXPECT_EQ(connect_of(f().vip, 80, IPPROTO_TCP).reason, VD_NO_BACKEND);
  EXPECT_EQ(connect_of(f().vip, 81, IPPROTO_TCP).reason, VD_NOT_VIP);
  EXPECT_EQ(connect_of(f().vip, 80, IPPROTO_UDP).reason, VD_NOT_VIP);
  EXPECT_EQ(request_of(syn(f().vip, 81)).reason, VD_NOT_VIP);
  const vd_explanation host = host_of(syn(f().vip, 81));
  EXPECT_EQ(host.reason, VD_NO_SERVICE);
  EXPECT_EQ(host.backend_id, 0u);
}

}  // namespace
}  // namespace viaduct::bpftest
