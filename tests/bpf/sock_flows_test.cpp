// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sock_flows.skel.h>
#include <sock_lb.skel.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <vector>

#include "tests/bpf/lab.h"
#include "tests/bpf/maps.h"

namespace viaduct::bpftest {
namespace {

// Everything that the iterator writes for one map.
std::vector<vd_sock_flow> read_flows(sock_flows* skeleton, int map_fd) {
  bpf_iter_link_info info{};
  info.map.map_fd = static_cast<__u32>(map_fd);
  LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof info);
  bpf_link* link = bpf_program__attach_iter(skeleton->progs.vd_sock_flows, &opts);
  EXPECT_NE(link, nullptr);
  if (link == nullptr) return {};
  const int iterator = bpf_iter_create(bpf_link__fd(link));
  EXPECT_GE(iterator, 0);
  std::vector<char> bytes;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(iterator, buffer, sizeof buffer)) > 0;)
    bytes.insert(bytes.end(), buffer, buffer + n);
  close(iterator);
  bpf_link__destroy(link);
  EXPECT_EQ(bytes.size() % sizeof(vd_sock_flow), 0u);
  std::vector<vd_sock_flow> flows(bytes.size() / sizeof(vd_sock_flow));
  if (!flows.empty()) std::memcpy(flows.data(), bytes.data(), flows.size() * sizeof(vd_sock_flow));
  return flows;
}

int connected_udp(const std::string& vip, std::uint16_t port) {
  const bool v6 = vip.find(':') != std::string::npos;
  sockaddr_in6 in6{};
  sockaddr_in in{};
  in6.sin6_family = AF_INET6;
  in.sin_family = AF_INET;
  in6.sin6_port = in.sin_port = htons(port);
  inet_pton(AF_INET6, vip.c_str(), &in6.sin6_addr);
  inet_pton(AF_INET, vip.c_str(), &in.sin_addr);
  const int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr* to =
      v6 ? reinterpret_cast<const sockaddr*>(&in6) : reinterpret_cast<const sockaddr*>(&in);
  EXPECT_EQ(connect(fd, to, v6 ? sizeof in6 : sizeof in), 0) << vip;
  return fd;
}

TEST(SockFlows, ListsEveryConnectedSocketWithItsVipAndItsOwner) {
  VD_REQUIRE_PRIVILEGE();
  sock_lb* lb = sock_lb__open();
  ASSERT_NE(lb, nullptr);
  unpin_maps(lb->obj);
  ASSERT_EQ(sock_lb__load(lb), 0);
  sock_flows* flows = sock_flows__open_and_load();
  ASSERT_NE(flows, nullptr);
  bpf_link* links[] = {bpf_program__attach_cgroup(lb->progs.vd_connect4, cgroup_fd()),
                       bpf_program__attach_cgroup(lb->progs.vd_connect6, cgroup_fd()),
                       bpf_program__attach_cgroup(lb->progs.vd_sock_release, cgroup_fd())};
  Maps maps(lb->obj);
  const ServiceIds v4 = maps.add({"11.0.0.1", 53, IPPROTO_UDP, {{"192.0.2.1", 5353}}});
  maps.add({"fd01:c::1", 53, IPPROTO_UDP, {{"2001:db8::1", 5353}}});
  const int map_fd = maps.fd("vd_sock_v1");
  EXPECT_TRUE(read_flows(flows, map_fd).empty());

  std::vector<int> sockets = {connected_udp("11.0.0.1", 53), connected_udp("fd01:c::1", 53),
                              connected_udp("::ffff:11.0.0.1", 53)};
  for (int i = 0; i < 200; ++i) sockets.push_back(connected_udp("11.0.0.1", 53));
  const std::vector<vd_sock_flow> seen = read_flows(flows, map_fd);
  EXPECT_EQ(seen.size(), sockets.size());
  std::map<std::uint64_t, vd_sock_flow> by_inode;
  for (const vd_sock_flow& flow : seen) by_inode[flow.inode] = flow;
  struct stat netns {};
  ASSERT_EQ(stat("/proc/self/ns/net", &netns), 0);
  const char* vips[] = {"11.0.0.1", "fd01:c::1", "11.0.0.1"};
  const char* locals[] = {"192.0.2.1", "2001:db8::1", "192.0.2.1"};
  for (std::size_t i = 0; i < 3; ++i) {
    struct stat file {};
    ASSERT_EQ(fstat(sockets[i], &file), 0);
    ASSERT_EQ(by_inode.count(file.st_ino), 1u) << i;
    const vd_sock_flow& flow = by_inode[file.st_ino];
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    ASSERT_EQ(getsockname(sockets[i], reinterpret_cast<sockaddr*>(&local), &size), 0);
    EXPECT_EQ(flow.local_port, reinterpret_cast<sockaddr_in*>(&local)->sin_port);
    EXPECT_EQ(text(flow.local), locals[i]);
    EXPECT_EQ(flow.netns, netns.st_ino);
    EXPECT_EQ(text(flow.sock.peer.vip), vips[i]);
    EXPECT_EQ(flow.sock.peer.backend_port, htons(5353));
    EXPECT_EQ(flow.sock.proto, static_cast<std::uint32_t>(IPPROTO_UDP));
  }
  EXPECT_EQ(maps.load(v4.backends[0]).open, 202u);
  for (const int fd : sockets) close(fd);
  EXPECT_EQ(maps.load(v4.backends[0]).open, 0u);
  EXPECT_TRUE(read_flows(flows, map_fd).empty());
  for (bpf_link* link : links) bpf_link__destroy(link);
  sock_flows__destroy(flows);
  sock_lb__destroy(lb);
}

}  // namespace
}  // namespace viaduct::bpftest
