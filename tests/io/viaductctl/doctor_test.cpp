// viaductctl doctor, and things that are really broken in a namespace of the test's own.

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <linux/if_link.h>

#include <boost/json.hpp>

#include "tests/io/viaductctl/kernel.h"
#include "tests/unit/api/example_views.h"

namespace viaduct::ctltest {
namespace {

using testing::HasSubstr;

void shell(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

/// viaduct0, an uplink up0 and a container link veth7, all with our programs, and everything in
/// order.
class DoctorCommand : public Kernel {
 protected:
  void SetUp() override {
    Kernel::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    for (const char* name : {"viaduct0", "up0", "veth7"})
      shell(std::string("ip link add ") + name + " type veth peer name p-" + name +
            " && ip link set p-" + name + " up && ip link set " + name + " up");
    shell(
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 "
        "net.ipv4.conf.viaduct0.rp_filter=0 net.ipv4.conf.veth7.rp_filter=0");
    ASSERT_TRUE(programs_->attach_host_device(::if_nametoindex("viaduct0")));
    ASSERT_TRUE(programs_->attach_uplink({::if_nametoindex("up0"), "up0", "veth"}));
    ASSERT_TRUE(programs_->attach_container(::if_nametoindex("veth7")));
    shell("ip route add 11.0.0.1 dev viaduct0 proto 118");
    example_.views.dataplane.bpffs = bpffs_;
    example_.views.dataplane.container_links = {"veth*"};
  }

  /// What doctor says of a check: "warn: ...", or "" if it says nothing.
  std::string doctor(std::string_view check) {
    const Daemon daemon(example_.views);
    const Outcome outcome = run({"--socket", daemon.socket(), "doctor", "-o", "json"});
    const auto findings = boost::json::parse(outcome.out);
    for (const auto& finding : findings.as_array())
      if (finding.at("check").as_string() == check)
        return std::string(finding.at("level").as_string()) + ": " +
               std::string(finding.at("what").as_string());
    return "";
  }

  api::Example example_;
};

TEST_F(DoctorCommand, ANodeInOrderIsFine) {
  EXPECT_THAT(doctor("device viaduct0"), HasSubstr("ok: "));
  EXPECT_THAT(doctor("VIP routes"), HasSubstr("ok: "));
  EXPECT_THAT(doctor("container links"), HasSubstr("ok: "));
  EXPECT_THAT(doctor("ip_forward"), HasSubstr("ok: "));
  EXPECT_EQ(doctor("MTU"), "ok: up0 takes 1500 bytes, no container link takes more");
  EXPECT_EQ(doctor("rp_filter"), "");
  EXPECT_EQ(doctor("checksum offload"), "");
}

TEST_F(DoctorCommand, NamesStrictReversePathFilters) {
  shell("sysctl -qw net.ipv4.conf.veth7.rp_filter=1");
  EXPECT_THAT(doctor("rp_filter"), HasSubstr("warn: strict on veth7"));
  shell("sysctl -qw net.ipv4.conf.veth7.rp_filter=0 net.ipv4.conf.viaduct0.rp_filter=1");
  EXPECT_THAT(doctor("rp_filter"), HasSubstr("fault: strict on viaduct0"));
}

TEST_F(DoctorCommand, NamesAnMtuThatTheUplinkDoesNotTake) {
  shell("ip link set veth7 mtu 9000");
  EXPECT_THAT(doctor("MTU"), HasSubstr("warn: up0 takes 1500 bytes, but larger are veth7 9000"));
}

TEST_F(DoctorCommand, NamesAMissingRoute) {
  shell("ip route del 11.0.0.1 dev viaduct0");
  EXPECT_EQ(doctor("VIP routes"), "fault: missing for 11.0.0.1");
}

TEST_F(DoctorCommand, NamesForwardingThatIsOff) {
  shell("sysctl -qw net.ipv4.ip_forward=0");
  EXPECT_THAT(doctor("ip_forward"), HasSubstr("fault: IPv4 forwarding is off"));
}

TEST_F(DoctorCommand, NamesNativeXdpOnAContainerLink) {
  const bpf_insn pass[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS},
                           {.code = BPF_JMP | BPF_EXIT}};
  const base::Fd program(
      bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", pass, std::size(pass), nullptr));
  ASSERT_TRUE(program);
  ASSERT_EQ(bpf_xdp_attach(static_cast<int>(::if_nametoindex("veth7")), program.get(),
                           XDP_FLAGS_DRV_MODE, nullptr),
            0);
  EXPECT_THAT(doctor("checksum offload"), HasSubstr("warn: native XDP on veth7"));
}

TEST_F(DoctorCommand, NamesAFullMap) {
  for (std::uint16_t port = 40000; port < 40200; port++) write_flow(port, 0);
  EXPECT_THAT(doctor("map flows"), HasSubstr("warn: "));
  const Daemon daemon(example_.views);
  EXPECT_THAT(run({"--socket", daemon.socket(), "status"}).out, HasSubstr(", flows 5"))
      << "of 64: the kernel keeps some free";
}

}  // namespace
}  // namespace viaduct::ctltest
