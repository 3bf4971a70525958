// SPDX-License-Identifier: Apache-2.0
// Backends that fail to take connections are ejected, by the kernel alone.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sock_health.skel.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/bpf/events.h"
#include "tests/bpf/sock_lab.h"

namespace viaduct::bpftest {
namespace {

constexpr std::uint16_t kClosedPort = 9;  // nobody listens

class SockHealth : public SockLb {
 protected:
  void SetUp() override {
    SockLb::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    health_ = sock_health__open();
    ASSERT_NE(health_, nullptr);
    health_->rodata->vd_health_backoff_s = 1;
    health_->rodata->vd_health_backoff_max_s = 3;
    health_->rodata->vd_health_max_percent = 50;
    unpin_maps(health_->obj);
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, health_->obj) {
      const int shared = bpf_object__find_map_fd_by_name(skeleton_->obj, bpf_map__name(map));
      if (shared >= 0) {
        ASSERT_EQ(bpf_map__reuse_fd(map, shared), 0);
      }
    }
    ASSERT_EQ(sock_health__load(health_), 0);
    bpf_link* link = bpf_program__attach_cgroup(health_->progs.vd_sock_health, cgroup_fd());
    ASSERT_NE(link, nullptr);
    links_.emplace_back(link);
  }
  void TearDown() override {
    SockLb::TearDown();
    sock_health__destroy(health_);
  }

  // @return how many of `count` connects failed.
  int failures(int count, std::uint16_t port = 80) {
    int failed = 0;
    for (int i = 0; i < count; ++i) {
      Socket client(AF_INET, SOCK_STREAM);
      failed += client.connect({"11.0.0.1", port}) != 0;
    }
    return failed;
  }

  sock_health* health_ = nullptr;
};

std::vector<BackendSpec> one_closed(Server& good, int goods) {
  std::vector<BackendSpec> all{{"192.0.2.1", kClosedPort}};
  for (int i = 0; i < goods; ++i) all.push_back(good.spec());
  return all;
}

TEST_F(SockHealth, AClosedPortFailsThreeConnectsAndNoMore) {
  for (const vd_pick pick : {VD_PICK_RANDOM, VD_PICK_HASH, VD_PICK_LEAST_LOADED,
                             VD_PICK_ROUND_ROBIN, VD_PICK_PEAK_EWMA}) {
    Server good("192.0.2.2", SOCK_STREAM);
    const auto port = static_cast<std::uint16_t>(80 + pick);
    const ServiceIds ids = maps().add({"11.0.0.1", port, IPPROTO_TCP, one_closed(good, 9), pick});
    EXPECT_EQ(failures(300, port), 3) << pick;
    const vd_load load = maps().load(ids.backends[0]);
    EXPECT_EQ(load.failures, 3u);
    EXPECT_EQ(load.ejected_total, 1u);
    EXPECT_EQ(load.last_error, static_cast<std::uint32_t>(ECONNREFUSED));
  }
  EXPECT_EQ(maps().count(VD_HOOK_HEALTH, VD_EJECTED), 5u);
}

TEST_F(SockHealth, ATraceShowsTheFailuresAndTheEjection) {
  Server good("192.0.2.2", SOCK_STREAM);
  const ServiceIds ids =
      maps().add({"11.0.0.1", 80, IPPROTO_TCP, one_closed(good, 1), VD_PICK_ROUND_ROBIN});
  Events events(maps());
  events.trace();
  EXPECT_EQ(failures(20), 3);
  std::vector<vd_event> seen;
  for (const vd_event& event : events.take_all())
    if (event.hook == VD_HOOK_HEALTH) seen.push_back(event);
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].reason, VD_CONNECT_FAILED);
  EXPECT_EQ(seen[2].reason, VD_EJECTED);
  for (const vd_event& event : seen) {
    EXPECT_EQ(event.error, ECONNREFUSED);
    EXPECT_EQ(event.backend_id, ids.backends[0]);
    EXPECT_EQ(text(event.client), "192.0.2.1") << "lo's address towards the backend";
    EXPECT_NE(event.client_port, 0);
    EXPECT_EQ(text(event.vip), "11.0.0.1");
  }
}

TEST_F(SockHealth, TheLastOneIsNeverEjected) {
  const ServiceIds ids = maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"192.0.2.1", kClosedPort}}});
  EXPECT_EQ(failures(10), 10);
  EXPECT_EQ(maps().load(ids.backends[0]).ejected_total, 0u);
  EXPECT_EQ(maps().count(VD_HOOK_HEALTH, VD_EJECT_CAPPED), 8u);

  Server late("192.0.2.1", SOCK_STREAM);  // it comes to life: nothing holds connects back
  maps().replace_backend(ids.backends[0], late.spec());
  EXPECT_EQ(failures(1), 0);
}

TEST_F(SockHealth, NoMoreThanTheSettledShareIsEjected) {
  Server good("192.0.2.1", SOCK_STREAM);
  const std::uint16_t closed = kClosedPort;
  const ServiceIds ids = maps().add(
      {"11.0.0.1",
       80,
       IPPROTO_TCP,
       {{"192.0.2.1", closed}, {"192.0.2.2", closed}, {"192.0.2.3", closed}, good.spec()}});
  failures(200);
  std::uint32_t ejected = 0;
  for (const std::uint32_t id : ids.backends) ejected += maps().load(id).ejected_total > 0;
  EXPECT_EQ(ejected, 2u) << "50 % of four";
  EXPECT_EQ(maps().load(ids.backends[3]).ejected_total, 0u);
}

TEST_F(SockHealth, AnEjectedBackendComesBackForOneTryAndThenStaysAwayLonger) {
  Server good("192.0.2.2", SOCK_STREAM);
  const ServiceIds ids = maps().add({"11.0.0.1", 80, IPPROTO_TCP, one_closed(good, 1)});
  EXPECT_EQ(failures(100), 3);
  const auto ejected_for = [&] {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<int>(maps().load(ids.backends[0]).ejected_until_s -
                            static_cast<std::uint32_t>(now.tv_sec));
  };
  EXPECT_LE(ejected_for(), 1);
  vd_load over = maps().load(ids.backends[0]);
  over.ejected_until_s -= 2;  // as if the time were over
  maps().set_load(ids.backends[0], over);
  EXPECT_EQ(failures(100), 1);
  EXPECT_EQ(maps().load(ids.backends[0]).ejections, 2u);
  EXPECT_GE(ejected_for(), 1);
}

TEST_F(SockHealth, ASuccessClearsWhatFailed) {
  Server good("192.0.2.2", SOCK_STREAM);
  const ServiceIds ids = maps().add({"11.0.0.1", 80, IPPROTO_TCP, {good.spec()}});
  vd_load before{};
  before.failing = 2;
  before.ejections = 4;
  maps().set_load(ids.backends[0], before);
  EXPECT_EQ(failures(1), 0);
  const vd_load after = maps().load(ids.backends[0]);
  EXPECT_EQ(after.failing, 0u);
  EXPECT_EQ(after.ejections, 0u);
  EXPECT_EQ(maps().count(VD_HOOK_HEALTH, VD_CONNECTED), 1u);
}

TEST_F(SockHealth, ConnectTimesAreSmoothedAndPeaksCountAtOnce) {
  Server good("192.0.2.2", SOCK_STREAM);
  const ServiceIds ids = maps().add({"11.0.0.1", 80, IPPROTO_TCP, {good.spec()}});
  EXPECT_EQ(failures(5), 0);
  const std::uint32_t quick = maps().load(ids.backends[0]).ewma_us;
  EXPECT_GT(quick, 0u);
  EXPECT_LT(quick, 1000000u);
  vd_load slow = maps().load(ids.backends[0]);
  slow.ewma_us = 8000000;
  maps().set_load(ids.backends[0], slow);
  EXPECT_EQ(failures(1), 0);
  EXPECT_NEAR(maps().load(ids.backends[0]).ewma_us, 6000000, 100000);
}

TEST_F(SockHealth, ASilentBackendCountsEverySynThatIsRepeated) {
  Server good("192.0.2.2", SOCK_STREAM);
  // A backlog of 0 that is full: the kernel drops further SYNs.
  Socket stuck(AF_INET, SOCK_STREAM);
  ASSERT_EQ(stuck.bind({"192.0.2.1", 0}), 0);
  ASSERT_EQ(listen(stuck.fd(), 0), 0);
  const std::uint16_t port = stuck.local().port();
  Socket fills(AF_INET, SOCK_STREAM);
  ASSERT_EQ(fills.connect({"192.0.2.1", port}), 0);
  const ServiceIds ids = maps().add({"11.0.0.1", 80, IPPROTO_TCP, {{"192.0.2.1", port}}});
  Socket client(AF_INET, SOCK_STREAM);
  const timeval limit{1, 500000};
  setsockopt(client.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  EXPECT_EQ(client.connect({"11.0.0.1", 80}), EINPROGRESS);
  EXPECT_EQ(maps().load(ids.backends[0]).failures, 1u);
  EXPECT_EQ(maps().load(ids.backends[0]).last_error, static_cast<std::uint32_t>(ETIMEDOUT));
}

TEST_F(SockHealth, ConnectionsThatHaveNoVipAreLeftAlone) {
  Socket client(AF_INET, SOCK_STREAM);
  EXPECT_EQ(client.connect({"192.0.2.1", kClosedPort}), ECONNREFUSED);
  EXPECT_EQ(maps().count(VD_HOOK_HEALTH, VD_CONNECT_FAILED), 0u);
}

}  // namespace
}  // namespace viaduct::bpftest
