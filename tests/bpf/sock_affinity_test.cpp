// SPDX-License-Identifier: Apache-2.0
// Clients that stay with their backend.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <time.h>

#include <vector>

#include "tests/bpf/sock_lab.h"

namespace viaduct::bpftest {
namespace {

class SockAffinity : public SockLb {
 protected:
  ServiceIds add(std::uint16_t port, std::uint32_t limit_s = 60) {
    return maps().add({"11.0.0.1",
                       port,
                       IPPROTO_UDP,
                       {{"192.0.2.1", 9}, {"192.0.2.2", 9}, {"192.0.2.3", 9}},
                       VD_PICK_RANDOM,
                       64,
                       VD_AFFINITY_NETNS,
                       limit_s});
  }
  void connect(std::uint16_t port, int times) {
    for (int i = 0; i < times; ++i) {
      Socket client(AF_INET, SOCK_DGRAM);
      ASSERT_EQ(client.connect({"11.0.0.1", port}), 0);
    }
  }
  // Backends that got connects, and forgets them.
  std::vector<std::size_t> used(const ServiceIds& ids) {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < ids.backends.size(); ++i) {
      vd_load load = maps().load(ids.backends[i]);
      if (load.connects > 0) all.push_back(i);
      load.connects = 0;
      maps().set_load(ids.backends[i], load);
    }
    return all;
  }
  // Makes the only entry older.
  void age(std::uint32_t seconds) {
    vd_affinity_key key{};
    ASSERT_EQ(bpf_map_get_next_key(maps().fd("vd_affinity_v1"), nullptr, &key), 0);
    vd_affinity value{};
    ASSERT_EQ(bpf_map_lookup_elem(maps().fd("vd_affinity_v1"), &key, &value), 0);
    value.last_used_s -= seconds;
    ASSERT_EQ(bpf_map_update_elem(maps().fd("vd_affinity_v1"), &key, &value, BPF_ANY), 0);
  }
};

TEST_F(SockAffinity, ANamespaceStaysWithItsBackend) {
  const ServiceIds ids = add(53);
  connect(53, 50);
  EXPECT_EQ(used(ids).size(), 1u);
}

TEST_F(SockAffinity, UntilItWasSilentForLongerThanTheLimit) {
  const ServiceIds ids = add(53);
  connect(53, 1);
  const auto first = used(ids);
  age(59);
  connect(53, 1);
  EXPECT_EQ(used(ids), first);
  std::size_t moved = 0;
  for (int i = 0; i < 30; ++i) {
    age(62);
    connect(53, 1);
    moved += used(ids) != first;
  }
  EXPECT_GT(moved, 5u) << "each time it is picked anew, at random";
}

TEST_F(SockAffinity, OrItsBackendIsDrainedEjectedOrGone) {
  const ServiceIds ids = add(53);
  connect(53, 1);
  const std::size_t first = used(ids).at(0);
  maps().set_weight(ids.backends[first], 0);
  connect(53, 20);
  auto second = used(ids);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_NE(second[0], first);

  vd_load ejected = maps().load(ids.backends[second[0]]);
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  ejected.ejected_until_s = static_cast<std::uint32_t>(now.tv_sec) + 60;
  maps().set_load(ids.backends[second[0]], ejected);
  maps().set_weight(ids.backends[first], 1);
  connect(53, 20);
  const auto third = used(ids);
  ASSERT_EQ(third.size(), 1u);
  EXPECT_NE(third, second);

  maps().remove_backend(ids.backends[third[0]]);
  connect(53, 20);
  const auto fourth = used(ids);
  ASSERT_EQ(fourth.size(), 1u);
  EXPECT_NE(fourth, third);
}

}  // namespace
}  // namespace viaduct::bpftest
