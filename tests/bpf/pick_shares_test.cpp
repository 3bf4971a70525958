// SPDX-License-Identifier: Apache-2.0
// How the programs share out new traffic by weight, from tables as lb/ builds them. What is random
// is the kernel's own; a right program fails once in a million runs.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "lb/maglev.h"
#include "lb/round_robin.h"
#include "tests/bpf/sock_lab.h"
#include "tests/bpf/tc_families.h"
#include "tests/support/chi_square.h"

namespace viaduct::bpftest {
namespace {

constexpr int kPicks = 3000;
const std::vector<std::uint16_t> kWeights = {1, 2, 7, 10};

/// A service whose backends have kWeights, with the table that the daemon would write for them.
/// @param address  of the i-th backend; its port is 9 + i.
template <class Address>
ServiceSpec weighted_service(const std::string& vip, std::uint16_t port, vd_pick pick,
                             Address address) {
  ServiceSpec spec{vip, port, IPPROTO_UDP, {}, pick};
  std::vector<lb::WeightedBackend> weighted;
  for (std::size_t i = 0; i < kWeights.size(); ++i) {
    spec.backends.push_back({address(i), static_cast<std::uint16_t>(9 + i), kWeights[i]});
    weighted.push_back(
        {static_cast<std::uint32_t>(i + 1), "backend " + std::to_string(i), kWeights[i]});
  }
  const lb::Table table = pick == VD_PICK_ROUND_ROBIN
                              ? lb::round_robin(weighted)
                              : lb::maglev(weighted, lb::maglev_size(weighted.size()));
  for (const std::uint32_t id : table) spec.table.push_back(id - 1);
  return spec;
}

class SockShares : public SockLb {
 protected:
  ServiceIds add(std::uint16_t port, vd_pick pick) {
    return maps().add(
        weighted_service("11.0.0.1", port, pick, [](std::size_t) { return "192.0.2.1"; }));
  }
  std::vector<std::uint64_t> connects(const ServiceIds& ids) {
    std::vector<std::uint64_t> seen;
    for (const std::uint32_t id : ids.backends) seen.push_back(maps().load(id).connects);
    return seen;
  }
};

TEST_F(SockShares, EveryRuleFollowsTheWeightsWhileNobodyIsBusier) {
  std::uint16_t port = 1000;
  for (const vd_pick pick : {VD_PICK_RANDOM, VD_PICK_HASH, VD_PICK_ROUND_ROBIN,
                             VD_PICK_LEAST_LOADED, VD_PICK_PEAK_EWMA}) {
    const ServiceIds ids = add(++port, pick);
    for (int i = 0; i < kPicks; ++i) {
      Socket client(AF_INET, SOCK_DGRAM);  // closed at once: open connections do not count
      ASSERT_EQ(client.connect({"11.0.0.1", port}), 0);
    }
    EXPECT_TRUE(test::follows_weights(connects(ids), kWeights)) << "pick rule " << pick;
  }
}

TEST_F(SockShares, LoadRulesFollowTheWeightsAsConnectionsStayOpen) {
  std::uint16_t port = 2000;
  for (const vd_pick pick : {VD_PICK_LEAST_LOADED, VD_PICK_PEAK_EWMA}) {
    const ServiceIds ids = add(++port, pick);
    std::vector<Socket> clients;
    for (int i = 0; i < 800; ++i) {
      clients.emplace_back(AF_INET, SOCK_DGRAM);
      ASSERT_EQ(clients.back().connect({"11.0.0.1", port}), 0);
    }
    EXPECT_TRUE(test::follows_weights(connects(ids), kWeights)) << "pick rule " << pick;
  }
}

class TcShares : public TcFamilies {
 protected:
  ServiceSpec spec(std::uint16_t port, vd_pick pick) {
    const std::string network = f().name == std::string("v6") ? "2001:db8:1::" : "203.0.113.";
    return weighted_service(f().vip, port, pick,
                            [&](std::size_t i) { return network + std::to_string(i + 1); });
  }
  /// One of many clients.
  std::string client(int number) {
    const int high = number / 250, low = number % 250 + 1;
    if (f().name == std::string("v6"))
      return "2001:db8:2::" + std::to_string(high) + ":" + std::to_string(low);
    return "198.18." + std::to_string(high) + "." + std::to_string(low);
  }
  /// Sends a client's packet. @return the address of its backend.
  std::string backend_of(const std::string& client, std::uint16_t sport, std::uint16_t dport) {
    const Bytes sent = ip(client, f().vip) / udp({.sport = sport, .dport = dport});
    const Result out = request(sent);
    EXPECT_EQ(out.verdict, kPass);
    return out.packet().dst;
  }
  std::vector<std::uint64_t> flows(const ServiceIds& ids) {
    std::vector<std::uint64_t> seen;
    for (const std::uint32_t id : ids.backends) seen.push_back(maps().load(id).flows);
    return seen;
  }
};

INSTANTIATE_TEST_SUITE_P(Families, TcShares, ::testing::ValuesIn(kFamilies),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(TcShares, NewFlowsFollowTheWeights) {
  std::uint16_t port = 3000;
  for (const vd_pick pick : {VD_PICK_RANDOM, VD_PICK_HASH, VD_PICK_ROUND_ROBIN,
                             VD_PICK_LEAST_LOADED, VD_PICK_PEAK_EWMA}) {
    const ServiceIds ids = maps().add(spec(++port, pick));
    for (int i = 0; i < kPicks; ++i)
      backend_of(client(i % 20), static_cast<std::uint16_t>(32768 + i / 20), port);
    EXPECT_TRUE(test::follows_weights(flows(ids), kWeights)) << "pick rule " << pick;
  }
}

TEST_P(TcShares, ClientsOfASourceHashFollowTheWeightsAndEachHasOneBackend) {
  const ServiceSpec service = spec(4000, VD_PICK_SOURCE);
  maps().add(service);
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < service.backends.size(); ++i) index[service.backends[i].address] = i;
  std::vector<std::uint64_t> clients(kWeights.size());
  for (int i = 0; i < kPicks; ++i) {
    std::set<std::string> backends;
    for (std::uint16_t sport : {40000, 40001, 50000})
      backends.insert(backend_of(client(i), sport, 4000));
    ASSERT_EQ(backends.size(), 1u) << client(i);
    clients[index.at(*backends.begin())]++;
  }
  EXPECT_TRUE(test::follows_weights(clients, kWeights));
}

}  // namespace
}  // namespace viaduct::bpftest
