// SPDX-License-Identifier: Apache-2.0
// Packets for tests: eth() / ipv4({.dst = kVip}) / tcp({.dport = 80}) makes bytes with right
// lengths and checksums, parse() reads them back. Shares no code with the programs under test.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace viaduct::testing {

using Bytes = std::vector<std::uint8_t>;
using Mac = std::array<std::uint8_t, 6>;

inline constexpr std::uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10;

struct Eth {
  Mac dst{0x02, 0, 0, 0, 0, 0x01};
  Mac src{0x02, 0, 0, 0, 0, 0x02};
  std::optional<std::uint16_t> type{};  // default: from the next layer
};

struct Ipv4 {
  std::string src = "192.0.2.100";
  std::string dst = "192.0.2.1";
  std::uint8_t ttl = 64;
  std::uint16_t fragment = 0x4000;  // flags and offset as on the wire
  Bytes options{};                  // a multiple of 4
  std::optional<std::uint8_t> proto{};
  std::optional<std::uint16_t> total_length{};
  std::optional<std::uint8_t> header_words{};
};

struct Ipv6 {
  std::string src = "2001:db8::100";
  std::string dst = "2001:db8::1";
  std::vector<std::pair<std::uint8_t, std::uint8_t>>
      extensions{};  // {header number, length in 8 bytes - 1}
  std::optional<std::uint8_t> proto{};
  std::optional<std::uint16_t> payload_length{};
};

struct Tcp {
  std::uint16_t sport = 40000;
  std::uint16_t dport = 80;
  std::uint32_t seq = 1000;
  std::uint32_t ack = 0;
  std::uint8_t flags = kSyn;
  std::string data{};
  std::optional<std::uint8_t> header_words{};
};

struct Udp {
  std::uint16_t sport = 40000;
  std::uint16_t dport = 53;
  std::string data = "payload";
  bool checksum = true;
};

struct Icmp {
  std::uint8_t type = 8;
  std::uint8_t code = 0;
  std::uint32_t rest = 0x00010001;
  Bytes data{};
};

// Any other protocol.
struct Raw {
  std::uint8_t proto = 132;
  Bytes data = Bytes(16, 0xaa);
};

namespace packet_detail {

inline void put16(Bytes& out, std::uint32_t v) {
  out.push_back(static_cast<std::uint8_t>(v >> 8));
  out.push_back(static_cast<std::uint8_t>(v));
}
inline void put32(Bytes& out, std::uint32_t v) {
  put16(out, v >> 16);
  put16(out, v);
}
inline void put(Bytes& out, const Bytes& v) { out.insert(out.end(), v.begin(), v.end()); }
inline void set16(Bytes& out, std::size_t at, std::uint16_t v) {
  out[at] = static_cast<std::uint8_t>(v >> 8);
  out[at + 1] = static_cast<std::uint8_t>(v);
}
inline std::uint16_t get16(const Bytes& in, std::size_t at) {
  return static_cast<std::uint16_t>(in[at] << 8 | in[at + 1]);
}
inline std::uint32_t get32(const Bytes& in, std::size_t at) {
  return static_cast<std::uint32_t>(get16(in, at)) << 16 | get16(in, at + 2);
}

inline Bytes address(const std::string& text) {
  Bytes out(text.find(':') == std::string::npos ? 4 : 16);
  if (inet_pton(out.size() == 4 ? AF_INET : AF_INET6, text.c_str(), out.data()) != 1) std::abort();
  return out;
}

// RFC 1071, byte by byte in network order.
inline std::uint16_t checksum(const Bytes& data) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < data.size(); ++i) sum += i % 2 == 0 ? data[i] << 8 : data[i];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

inline std::uint16_t l4_checksum(const Bytes& src, const Bytes& dst, std::uint8_t proto,
                                 const Bytes& l4) {
  Bytes all = src;
  put(all, dst);
  put32(all, static_cast<std::uint32_t>(l4.size()));
  put32(all, proto);
  put(all, l4);
  return checksum(all);
}

}  // namespace packet_detail

class Packet {
 public:
  using Layer = std::variant<Eth, Ipv4, Ipv6, Tcp, Udp, Icmp, Raw>;

  explicit Packet(Layer layer) : layers_{std::move(layer)} {}
  friend Packet operator/(Packet left, const Packet& right) {
    left.layers_.insert(left.layers_.end(), right.layers_.begin(), right.layers_.end());
    return left;
  }

  Bytes bytes() const {
    Bytes payload;
    for (std::size_t i = layers_.size(); i-- > 0;) {
      const Layer* below = i > 0 ? &layers_[i - 1] : nullptr;
      const Layer* above = i + 1 < layers_.size() ? &layers_[i + 1] : nullptr;
      payload = std::visit([&](const auto& layer) { return wrap(layer, payload, below, above); },
                           layers_[i]);
    }
    return payload;
  }
  operator Bytes() const { return bytes(); }  // NOLINT: a packet is its bytes

 private:
  static std::uint8_t proto_of(const Layer* l) {
    if (l == nullptr) return 59;
    if (std::holds_alternative<Tcp>(*l)) return IPPROTO_TCP;
    if (std::holds_alternative<Udp>(*l)) return IPPROTO_UDP;
    if (const Raw* raw = std::get_if<Raw>(l)) return raw->proto;
    return 0;
  }
  static std::pair<Bytes, Bytes> ends(const Layer* below) {
    if (const Ipv4* ip = below ? std::get_if<Ipv4>(below) : nullptr)
      return {packet_detail::address(ip->src), packet_detail::address(ip->dst)};
    if (const Ipv6* ip = below ? std::get_if<Ipv6>(below) : nullptr)
      return {packet_detail::address(ip->src), packet_detail::address(ip->dst)};
    return {};
  }

  static Bytes wrap(const Eth& eth, const Bytes& payload, const Layer*, const Layer* above) {
    Bytes out(eth.dst.begin(), eth.dst.end());
    out.insert(out.end(), eth.src.begin(), eth.src.end());
    const bool v6 = above != nullptr && std::holds_alternative<Ipv6>(*above);
    packet_detail::put16(out, eth.type.value_or(v6 ? 0x86dd : 0x0800));
    packet_detail::put(out, payload);
    return out;
  }

  static Bytes wrap(const Ipv4& ip, const Bytes& payload, const Layer*, const Layer* above) {
    using namespace packet_detail;
    const std::size_t header = 20 + ip.options.size();
    Bytes out{static_cast<std::uint8_t>(
                  0x40 | ip.header_words.value_or(static_cast<std::uint8_t>(header / 4))),
              0};
    put16(out, ip.total_length.value_or(static_cast<std::uint16_t>(header + payload.size())));
    put16(out, 0x1234);
    put16(out, ip.fragment);
    out.push_back(ip.ttl);
    const bool icmp = above != nullptr && std::holds_alternative<Icmp>(*above);
    out.push_back(ip.proto.value_or(icmp ? std::uint8_t{IPPROTO_ICMP} : proto_of(above)));
    put16(out, 0);
    put(out, address(ip.src));
    put(out, address(ip.dst));
    put(out, ip.options);
    set16(out, 10, checksum(out));
    put(out, payload);
    return out;
  }

  static Bytes wrap(const Ipv6& ip, const Bytes& payload, const Layer*, const Layer* above) {
    using namespace packet_detail;
    const bool icmp = above != nullptr && std::holds_alternative<Icmp>(*above);
    std::uint8_t next = ip.proto.value_or(icmp ? std::uint8_t{IPPROTO_ICMPV6} : proto_of(above));
    Bytes body = payload;
    for (std::size_t i = ip.extensions.size(); i-- > 0;) {
      Bytes extension(8 * (ip.extensions[i].second + 1U), 0);
      extension[0] = next;
      extension[1] = ip.extensions[i].second;
      put(extension, body);
      body = extension;
      next = ip.extensions[i].first;
    }
    Bytes out{0x60, 0, 0, 0};
    put16(out, ip.payload_length.value_or(static_cast<std::uint16_t>(body.size())));
    out.push_back(next);
    out.push_back(64);
    put(out, address(ip.src));
    put(out, address(ip.dst));
    put(out, body);
    return out;
  }

  static Bytes wrap(const Tcp& tcp, const Bytes& payload, const Layer* below, const Layer*) {
    using namespace packet_detail;
    Bytes out;
    put16(out, tcp.sport);
    put16(out, tcp.dport);
    put32(out, tcp.seq);
    put32(out, tcp.ack);
    out.push_back(static_cast<std::uint8_t>(tcp.header_words.value_or(5) << 4));
    out.push_back(tcp.flags);
    put16(out, 65535);
    put32(out, 0);
    out.insert(out.end(), tcp.data.begin(), tcp.data.end());
    put(out, payload);
    const auto [src, dst] = ends(below);
    set16(out, 16, l4_checksum(src, dst, IPPROTO_TCP, out));
    return out;
  }

  static Bytes wrap(const Udp& udp, const Bytes& payload, const Layer* below, const Layer*) {
    using namespace packet_detail;
    Bytes out;
    put16(out, udp.sport);
    put16(out, udp.dport);
    put16(out, static_cast<std::uint32_t>(8 + udp.data.size() + payload.size()));
    put16(out, 0);
    out.insert(out.end(), udp.data.begin(), udp.data.end());
    put(out, payload);
    const auto [src, dst] = ends(below);
    if (udp.checksum) {
      const std::uint16_t sum = l4_checksum(src, dst, IPPROTO_UDP, out);
      set16(out, 6, sum == 0 ? 0xffff : sum);
    }
    return out;
  }

  static Bytes wrap(const Icmp& icmp, const Bytes& payload, const Layer* below, const Layer*) {
    using namespace packet_detail;
    Bytes out{icmp.type, icmp.code, 0, 0};
    put32(out, icmp.rest);
    put(out, icmp.data);
    put(out, payload);
    const auto [src, dst] = ends(below);
    set16(out, 2, src.size() == 16 ? l4_checksum(src, dst, IPPROTO_ICMPV6, out) : checksum(out));
    return out;
  }

  static Bytes wrap(const Raw& raw, const Bytes& payload, const Layer*, const Layer*) {
    Bytes out = raw.data;
    packet_detail::put(out, payload);
    return out;
  }

  std::vector<Layer> layers_;
};

inline Packet eth(Eth layer = {}) { return Packet(std::move(layer)); }
inline Packet ipv4(Ipv4 layer = {}) { return Packet(std::move(layer)); }
inline Packet ipv6(Ipv6 layer = {}) { return Packet(std::move(layer)); }
inline Packet tcp(Tcp layer = {}) { return Packet(std::move(layer)); }
inline Packet udp(Udp layer = {}) { return Packet(std::move(layer)); }
inline Packet icmp(Icmp layer = {}) { return Packet(std::move(layer)); }
inline Packet raw(Raw layer = {}) { return Packet(std::move(layer)); }

/// What a packet says. `checksums_ok` covers the IPv4 header and the transport checksum.
struct Parsed {
  Mac eth_dst{}, eth_src{};
  std::string src, dst;
  std::uint8_t proto = 0;
  std::uint16_t sport = 0, dport = 0;
  std::uint32_t seq = 0, ack = 0;
  std::uint8_t flags = 0;           // TCP
  std::uint8_t type = 0, code = 0;  // ICMP
  bool checksums_ok = false;
  bool has_udp_checksum = false;
  Bytes payload;  // behind the transport header, without Ethernet padding

  /// "192.0.2.1 80 > 192.0.2.2 40000"
  std::string tuple() const {
    return src + " " + std::to_string(sport) + " > " + dst + " " + std::to_string(dport);
  }
};

namespace packet_detail {

inline std::string text(const Bytes& in, std::size_t at, int family) {
  char out[INET6_ADDRSTRLEN] = "";
  return inet_ntop(family, in.data() + at, out, sizeof out);
}

inline void parse_l4(Parsed& p, const Bytes& l4, const Bytes& src, const Bytes& dst, bool ip_ok,
                     bool quoted) {
  std::uint16_t sum = 0;
  if (p.proto == IPPROTO_TCP || p.proto == IPPROTO_UDP) {
    p.sport = get16(l4, 0);
    p.dport = get16(l4, 2);
    sum = quoted ? std::uint16_t{0} : l4_checksum(src, dst, p.proto, l4);
  }
  if (p.proto == IPPROTO_TCP && l4.size() >= 20) {
    p.seq = get32(l4, 4);
    p.ack = get32(l4, 8);
    p.flags = l4[13];
    p.payload.assign(l4.begin() + (l4[12] >> 4) * 4, l4.end());
  } else if (p.proto == IPPROTO_UDP) {
    p.has_udp_checksum = get16(l4, 6) != 0;
    if (!p.has_udp_checksum) sum = 0;
    p.payload.assign(l4.begin() + 8, l4.end());
  } else if (p.proto == IPPROTO_ICMP || p.proto == IPPROTO_ICMPV6) {
    p.type = l4[0];
    p.code = l4[1];
    sum = p.proto == IPPROTO_ICMP ? checksum(l4) : l4_checksum(src, dst, p.proto, l4);
    p.payload.assign(l4.begin() + 8, l4.end());
  }
  p.checksums_ok = ip_ok && sum == 0;
}

}  // namespace packet_detail

/// @param ip  from the IP header on. @param quoted  cut off as in an ICMP error: no transport
/// checksum is checked.
inline Parsed parse_ip(const Bytes& ip, bool quoted = false) {
  using namespace packet_detail;
  Parsed p;
  if (ip[0] >> 4 == 4) {
    const std::size_t header = (ip[0] & 15U) * 4U;
    const std::size_t end = quoted ? ip.size() : get16(ip, 2);
    p.src = text(ip, 12, AF_INET);
    p.dst = text(ip, 16, AF_INET);
    p.proto = ip[9];
    const bool ok = checksum(Bytes(ip.begin(), ip.begin() + static_cast<long>(header))) == 0;
    parse_l4(p, Bytes(ip.begin() + static_cast<long>(header), ip.begin() + static_cast<long>(end)),
             address(p.src), address(p.dst), ok, quoted);
    return p;
  }
  p.src = text(ip, 8, AF_INET6);
  p.dst = text(ip, 24, AF_INET6);
  p.proto = ip[6];
  std::size_t at = 40;
  while (p.proto == IPPROTO_HOPOPTS || p.proto == IPPROTO_DSTOPTS || p.proto == IPPROTO_ROUTING) {
    p.proto = ip[at];
    at += (ip[at + 1] + 1U) * 8U;
  }
  const std::size_t end = quoted ? ip.size() : 40U + get16(ip, 4);
  parse_l4(p, Bytes(ip.begin() + static_cast<long>(at), ip.begin() + static_cast<long>(end)),
           address(p.src), address(p.dst), true, quoted);
  return p;
}

/// @param frame  from the Ethernet header on.
inline Parsed parse(const Bytes& frame) {
  Parsed p = parse_ip(Bytes(frame.begin() + 14, frame.end()));
  std::copy_n(frame.begin(), 6, p.eth_dst.begin());
  std::copy_n(frame.begin() + 6, 6, p.eth_src.begin());
  return p;
}

}  // namespace viaduct::testing
