// SPDX-License-Identifier: Apache-2.0
// A container, a VIP and its backends, in either family, and what they say to each other.
#pragma once

#include <bpf/bpf.h>

#include <string>

#include "tests/bpf/tc_lab.h"

namespace viaduct::bpftest {

using namespace viaduct::testing;  // NOLINT: the packet builders' operators

struct Family {
  const char* name;
  const char* client;
  const char* vip;
  const char* other_vip;
  const char* backend;
  const char* backend2;
  bool settled = false;  // whether a test's connections are answered before it goes on
};

inline const Family kFamilies[] = {
    {"v4", "192.0.2.100", "11.0.0.1", "11.0.0.2", "203.0.113.5", "203.0.113.6"},
    {"v6", "2001:db8::100", "fd01:c::1", "fd01:c::2", "2001:db8:1::5", "2001:db8:1::6"},
};

// A frame between two addresses of one family.
inline Packet ip(const std::string& src, const std::string& dst) {
  if (src.find(':') == std::string::npos) return eth() / ipv4({.src = src, .dst = dst});
  return eth() / ipv6({.src = src, .dst = dst});
}

// The answer to a packet as its receiver would send it.
inline Packet answer(const Parsed& to, std::uint8_t flags, const std::string& data) {
  if (to.proto == IPPROTO_UDP)
    return ip(to.dst, to.src) / udp({.sport = to.dport, .dport = to.sport, .data = data});
  return ip(to.dst, to.src) / tcp({.sport = to.dport,
                                   .dport = to.sport,
                                   .seq = 77,
                                   .ack = to.seq + 1,
                                   .flags = flags,
                                   .data = data});
}

class TcFamilies : public TcLab, public ::testing::WithParamInterface<Family> {
 protected:
  const Family& f() { return GetParam(); }
  Packet syn(const std::string& vip, std::uint16_t port = 80, std::uint16_t sport = 40000) {
    return ip(f().client, vip) / tcp({.sport = sport, .dport = port});
  }
  Packet data(const std::string& vip, std::uint16_t port = 80, std::uint8_t flags = kAck) {
    return ip(f().client, vip) /
           tcp({.dport = port, .seq = 1001, .ack = 78, .flags = flags, .data = "hello"});
  }
  Packet datagram(const std::string& vip, std::uint16_t sport = 40000) {
    return ip(f().client, vip) / udp({.sport = sport, .dport = 53});
  }
  std::string tuple(const std::string& a, int aport, const std::string& b, int bport) {
    return a + " " + std::to_string(aport) + " > " + b + " " + std::to_string(bport);
  }
  void age_flows(std::uint32_t seconds) { maps().age_flows(seconds); }
};

}  // namespace viaduct::bpftest
