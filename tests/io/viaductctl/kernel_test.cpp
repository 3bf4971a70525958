// viaductctl against real pinned maps, with and without a daemon.

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>
#include <viaduct/abi/flow.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/io/fd.h"
#include "dataplane/io/bpffs.h"
#include "dataplane/io/maps.h"
#include "dataplane/io/programs.h"
#include "tests/io/viaductctl/program.h"
#include "tests/unit/api/example_views.h"

namespace viaduct::ctltest {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kNoDaemon = "/tmp/viaduct-test-ctl-none.sock";

/// Maps pinned in a BPF file system that only this process and its children see.
class Kernel : public testing::Test {
 protected:
  void SetUp() override {
    // The network namespace keeps connections to VIPs away from the machine's own routes.
    const bool privileged = ::unshare(CLONE_NEWNS | CLONE_NEWNET) == 0 &&
                            ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                            ::mount("bpf", mount_.path().c_str(), "bpf", 0, nullptr) == 0;
    if (!privileged) {
      const char* required = std::getenv("VIADUCT_REQUIRE_PRIVILEGED");
      if (required && std::string_view(required) == "1")
        FAIL() << "needs the right to mount and to load BPF programs";
      GTEST_SKIP() << "needs the right to mount and to load BPF programs";
    }
    dataplane::Config config;
    config.bpffs = bpffs_ = mount_.path() + "/viaduct";
    config.max_services = 64;
    config.max_backends = 64;
    config.max_slot_lines = 64;
    config.max_flows = 64;
    ASSERT_TRUE(dataplane::claim_bpffs(bpffs_));
    auto programs = dataplane::Programs::load(config, 1);
    ASSERT_TRUE(programs) << programs.error().message();
    programs_.emplace(std::move(*programs));
    write_service();
  }

  void TearDown() override {
    programs_.reset();
    ::umount2(mount_.path().c_str(), MNT_DETACH);
  }

  void write_service() {
    auto maps = dataplane::Maps::open(bpffs_, dataplane::Access::write);
    ASSERT_TRUE(maps) << maps.error().message();
    const service::VipKey key{*base::Address::parse("11.0.0.1"), 80, base::Protocol::tcp};
    ASSERT_TRUE(maps->write(
        dataplane::PutBackend{{7, 1, 4, *base::Endpoint::parse("192.0.2.5:31000"), 1}, true}));
    ASSERT_TRUE(maps->write(dataplane::PutSlots{0, {7, 7, 7}}));
    ASSERT_TRUE(maps->write(dataplane::PutService{
        {key, 4, 0, 3, dataplane::Pick::least_loaded, dataplane::Pick::hash}}));
  }

  void write_flow(std::uint16_t client_port, std::uint32_t flags) {
    const auto address = [](std::string_view text) {
      vd_addr out{};
      std::ranges::copy(base::Address::parse(text)->mapped(), out.bytes);
      return out;
    };
    const base::Fd map(bpf_obj_get((bpffs_ + "/vd_flow_v1").c_str()));
    ASSERT_TRUE(map);
    vd_flow_key key{};
    key.src = address("192.0.2.7");
    key.sport = htons(client_port);
    key.dst = address("11.0.0.1");
    key.dport = htons(80);
    key.proto = 6;
    vd_flow flow{};
    flow.dst = address("192.0.2.5");
    flow.dport = htons(31000);
    flow.flags = flags;
    flow.packets = 12;
    ASSERT_EQ(bpf_map_update_elem(map.get(), &key, &flow, BPF_ANY), 0);
  }

  Folder mount_;
  std::string bpffs_;
  std::optional<dataplane::Programs> programs_;
};

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

/// This process in a child cgroup of its own, and back where it was at the end.
class Cgroup {
 public:
  explicit Cgroup(const std::string& root) : root_(root) {
    std::ifstream own("/proc/self/cgroup");
    for (std::string line; std::getline(own, line);)
      if (line.starts_with("0::")) home_ = root_ + line.substr(3);
    path_ = root_ + "/viaduct-test-ctl-" + std::to_string(::getpid());
    std::filesystem::create_directory(path_);
    join(path_);
  }
  ~Cgroup() {
    join(home_);
    std::filesystem::remove(path_);
  }
  Cgroup(const Cgroup&) = delete;
  const std::string& path() const { return path_; }

 private:
  static void join(const std::string& folder) {
    std::ofstream(folder + "/cgroup.procs") << ::getpid() << std::flush;
  }

  std::string root_;
  std::string home_;
  std::string path_;
};

sockaddr_in ipv4(const char* address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  ::inet_pton(AF_INET, address, &out.sin_addr);
  return out;
}

void bring_up_loopback() {
  const base::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  ASSERT_EQ(::ioctl(fd.get(), SIOCSIFFLAGS, &request), 0);
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
