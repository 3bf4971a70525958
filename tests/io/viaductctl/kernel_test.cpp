// viaductctl against real pinned maps, with and without a daemon.

#include "tests/io/viaductctl/kernel.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "tests/unit/api/example_views.h"

namespace viaduct::ctltest {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(Kernel, ShowsWhatItGoesOnServingWhenTheDaemonIsDead) {
  const Outcome vips = run({"--socket", kNoDaemon, "--bpffs", bpffs_, "vips"});
  EXPECT_EQ(vips.exit, 2);
  EXPECT_THAT(vips.err, HasSubstr("viaductd does not answer"));
  EXPECT_THAT(vips.err, HasSubstr("the kernel goes on serving"));
  EXPECT_EQ(vips.out,
            "VIP          PROTO  READY  OPEN  CONNECTS  FLOWS  PICK\n"
            "11.0.0.1:80  tcp      1/1     0         0      0  automatic\n");
  const Outcome backends =
      run({"--socket", kNoDaemon, "--bpffs", bpffs_, "-o", "json", "backends"});
  EXPECT_EQ(backends.exit, 2);
  EXPECT_EQ(boost::json::parse(backends.out).at(0).at("backend").at(0).at("dial"),
            "192.0.2.5:31000");
  EXPECT_EQ(run({"--socket", kNoDaemon, "--bpffs", bpffs_, "vip", "11.0.0.1:80"}).exit, 2);
}

TEST_F(Kernel, PacketFlowsAreListedFilteredAndCut) {
  for (std::uint16_t port = 40000; port < 40005; port++) {
    write_flow(port, 0);
    write_flow(static_cast<std::uint16_t>(port + 1000), VD_FLOW_REPLY);
  }
  const auto flows = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"--socket", kNoDaemon, "--bpffs", bpffs_, "flows"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  };
  const Outcome all = flows({"-o", "json"});
  EXPECT_EQ(all.exit, 0) << all.err;
  EXPECT_EQ(boost::json::parse(all.out).as_array().size(), 5u);
  EXPECT_THAT(flows({"--limit", "2"}).out, HasSubstr("2 of 5 flows"));
  EXPECT_THAT(flows({"--limit", "0"}).out, Not(HasSubstr(" of ")));
  const Outcome one = flows({"--client", "192.0.2.7:40003"});
  EXPECT_THAT(one.out, HasSubstr("192.0.2.7:40003  11.0.0.1:80  192.0.2.5:31000"));
  EXPECT_THAT(one.out, Not(HasSubstr("40002")));
  EXPECT_EQ(flows({"--vip", "11.0.0.2"}).out, "no flow\n");
}

TEST_F(Kernel, NewFlowsAreListedToo) {
  write_flow(40000, 0);
  write_flow(40001, VD_FLOW_NEW);
  const Outcome flows = run({"--socket", kNoDaemon, "--bpffs", bpffs_, "flows"});
  EXPECT_THAT(flows.out, HasSubstr("192.0.2.7:40000"));
  EXPECT_THAT(flows.out, HasSubstr("192.0.2.7:40001"));
  EXPECT_THAT(flows.out, HasSubstr("new"));
}

TEST_F(Kernel, SocketFlowsAreListedWithTheirVipAndBackend) {
  const auto mount = dataplane::find_cgroup2();
  ASSERT_TRUE(mount);
  bring_up_loopback();
  const Cgroup cgroup(*mount);
  ASSERT_TRUE(programs_->attach_sockets(cgroup.path()));
  {
    auto maps = dataplane::Maps::open(bpffs_, dataplane::Access::write);
    ASSERT_TRUE(maps);
    ASSERT_TRUE(maps->write(
        dataplane::PutBackend{{7, 2, 4, *base::Endpoint::parse("127.0.0.1:31000"), 1}, true}));
  }
  const base::Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in local = ipv4("127.0.0.1", 31000);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&local), sizeof(local)), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  const base::Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in vip = ipv4("11.0.0.1", 80);
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&vip), sizeof(vip)), 0);

  const Outcome flows = run({"--socket", kNoDaemon, "--bpffs", bpffs_, "flows", "-o", "json"});
  ASSERT_EQ(flows.exit, 0) << flows.err;
  const auto list = boost::json::parse(flows.out);
  ASSERT_EQ(list.as_array().size(), 1u) << flows.out;
  EXPECT_EQ(list.at(0).at("kind"), "socket");
  EXPECT_EQ(list.at(0).at("protocol"), "tcp");
  EXPECT_EQ(list.at(0).at("vip"), "11.0.0.1:80");
  EXPECT_EQ(list.at(0).at("backend"), "127.0.0.1:31000");
  EXPECT_THAT(std::string(list.at(0).at("client").as_string()), testing::StartsWith("127.0.0.1:"));

  const Outcome vips = run({"--socket", kNoDaemon, "--bpffs", bpffs_, "vips", "-o", "json"});
  EXPECT_EQ(boost::json::parse(vips.out).at(0).at("backend").at(0).at("open"), 1);

  api::Example example;
  example.views.dataplane.bpffs = bpffs_;
  example.views.dataplane.cgroup = cgroup.path();
  const Daemon daemon(example.views);
  const Outcome doctor = run({"--socket", daemon.socket(), "doctor"});
  EXPECT_THAT(doctor.out, HasSubstr("ok     socket programs      9 attached to " + cgroup.path()));
}

TEST_F(Kernel, DoctorReadsTheFoldersThatTheDaemonNames) {
  api::Example example;
  example.views.dataplane.bpffs = bpffs_;
  example.views.dataplane.link = "vd-none";
  example.views.dns.listening = {*base::Endpoint::parse("127.0.0.1:9")};
  const Daemon daemon(example.views);
  const Outcome doctor = run({"--socket", daemon.socket(), "doctor", "-o", "json"});
  EXPECT_EQ(doctor.exit, 1) << doctor.err;
  const auto findings = boost::json::parse(doctor.out);
  const auto level_of = [&](std::string_view check) {
    for (const auto& finding : findings.as_array())
      if (finding.at("check").as_string() == check)
        return std::string(finding.at("level").as_string());
    return std::string("not checked");
  };
  EXPECT_EQ(level_of("daemon"), "ok");
  EXPECT_EQ(level_of("source files"), "fault");
  EXPECT_EQ(level_of("maps"), "ok");
  EXPECT_EQ(level_of("map services"), "ok");
  EXPECT_EQ(level_of("map flows"), "ok");
  EXPECT_EQ(level_of("map new_flows"), "ok");
  EXPECT_EQ(level_of("socket programs"), "fault") << "loaded, but attached to nothing";
  EXPECT_EQ(level_of("device vd-none"), "fault");
  EXPECT_EQ(level_of("DNS 127.0.0.1:9"), "fault");
}

TEST_F(Kernel, DoctorFindsMapsGone) {
  api::Example example;
  example.views.dataplane.bpffs = mount_.path();
  const Daemon daemon(example.views);
  const Outcome doctor = run({"--socket", daemon.socket(), "doctor"});
  EXPECT_EQ(doctor.exit, 1);
  EXPECT_THAT(doctor.out, HasSubstr("vd_service4_v1: No such file or directory"));
}

}  // namespace
}  // namespace viaduct::ctltest
