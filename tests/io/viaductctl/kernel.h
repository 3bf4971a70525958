// Real pinned maps for viaductctl to look at, in namespaces of the test's own.
#pragma once

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>
#include <viaduct/abi/flow.h>

#include <algorithm>
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
#include "tools/viaductctl/io/clock.h"

namespace viaduct::ctltest {

inline const std::string kNoDaemon = "/tmp/viaduct-test-ctl-none.sock";

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
    config.max_new_flows = 64;
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

  /// VD_FLOW_NEW: into the table of new flows.
  void write_flow(std::uint16_t client_port, std::uint32_t flags) {
    const auto address = [](std::string_view text) {
      vd_addr out{};
      std::ranges::copy(base::Address::parse(text)->mapped(), out.bytes);
      return out;
    };
    const char* table = flags & VD_FLOW_NEW ? "/vd_flow_new_v1" : "/vd_flow_v1";
    const base::Fd map(bpf_obj_get((bpffs_ + table).c_str()));
    ASSERT_TRUE(map);
    vd_flow_key key{};
    key.src = address("192.0.2.7");
    key.sport = htons(client_port);
    key.dst = address("11.0.0.1");
    key.dport = htons(80);
    key.proto = 6;
    vd_flow_new entry{};
    entry.flow.dst = address("192.0.2.5");
    entry.flow.dport = htons(31000);
    entry.flow.flags = flags;
    entry.flow.packets = 12;
    entry.flow.last_seen_s = ctl::coarse_seconds();
    ASSERT_EQ(bpf_map_update_elem(map.get(), &key, &entry, BPF_ANY), 0);
  }

  Folder mount_;
  std::string bpffs_;
  std::optional<dataplane::Programs> programs_;
};

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

inline sockaddr_in ipv4(const char* address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  ::inet_pton(AF_INET, address, &out.sin_addr);
  return out;
}

inline void bring_up_loopback() {
  const base::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  ASSERT_EQ(::ioctl(fd.get(), SIOCSIFFLAGS, &request), 0);
}

}  // namespace viaduct::ctltest
