#include "gossip/row_codec.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/bytes.h"
#include "gossip/errors.h"
#include "gossip/node_fields.h"
#include "gossip/process_codec.h"
#include "gossip/row_field.h"
#include "gossip/table_limits.h"
#include "gossip/task_codec.h"
#include "service/name.h"

namespace viaduct::gossip {
namespace {

using base::Protocol;

// The first octet of a key.
constexpr std::uint8_t kKindMask = 0x0f;
constexpr std::uint8_t kKindBackend = 1;
constexpr std::uint8_t kKindFacts = 2;
constexpr std::uint8_t kKindName = 3;
constexpr std::uint8_t kNamed = 0x10;  ///< the VIP is a name
constexpr std::uint8_t kV6 = 0x20;     ///< the backend, and a VIP that is an address
constexpr std::uint8_t kUdp = 0x40;
constexpr std::uint8_t kLater = 0x80;  ///< of a later version

constexpr std::string_view kFactsKey{"\x02", 1};
constexpr std::uint16_t kUsualWeight = 1;

// Fields of a backend's value.
constexpr std::uint8_t kFieldPick = 1;
constexpr std::uint8_t kFieldAffinity = 2;
constexpr std::uint8_t kFieldDrain = 3;
constexpr std::uint8_t kFieldTask = 4;
constexpr std::uint8_t kFieldTunnel = 5;

base::Error bad(std::string what) { return {Errc::malformed, std::move(what)}; }

/// Text of a peer that people read.
std::string printable(std::string_view text, std::size_t max) {
  std::string shown(text.substr(0, max));
  for (char& c : shown)
    if (c < ' ' || c > '~') c = '?';
  return shown;
}

bool is_name(const std::string& name) {
  constexpr std::size_t kMaxFqdn = 253;  // RFC 1035, 2.3.4, without the root's dot
  return name.find('.') != std::string::npos && service::sanitise_name(name) == name &&
         service::VipName{name}.fqdn().size() <= kMaxFqdn;
}

std::string place(const service::BackendRow& row) {
  const auto* name = std::get_if<service::VipName>(&row.vip);
  const std::string host = name ? name->value : std::get<base::Address>(row.vip).to_string();
  return "VIP " + std::string(to_string(row.protocol)) + " " + printable(host, 253) + ":" +
         std::to_string(row.vip_port) + ", backend " + row.backend.to_string();
}

bool allowed(const std::vector<base::Subnet>& subnets, const base::Address& address) {
  return subnets.empty() || std::any_of(subnets.begin(), subnets.end(), [&](const auto& subnet) {
           return subnet.contains(address);
         });
}

/// @return "" when all is well.
std::string wrong_backend(const base::Address& address) {
  if (address.is_unspecified()) return "is unspecified";
  if (address.is_loopback()) return "is a loopback address, which no other node can reach";
  if (address.is_multicast()) return "is a multicast address";
  if (address.is_broadcast()) return "is the broadcast address";
  if (address.is_link_local()) return "is a link-local address, which no other node can reach";
  return "";
}

base::Result<void> check(const service::BackendRow& row, const RowRules& rules) {
  if (row.vip_port == 0 || row.backend.port == 0) return bad(place(row) + ": port 0");
  if (const auto* name = std::get_if<service::VipName>(&row.vip)) {
    if (!is_name(name->value)) return bad(place(row) + ": no name of a VIP");
  } else {
    const auto& address = std::get<base::Address>(row.vip);
    if (const auto checked = service::check_vip_address(address); !checked)
      return bad(place(row) + ": " + checked.error().context);
    if (address.is_v6() != row.backend.address.is_v6())
      return bad(place(row) + ": VIP and backend are of different families");
    if (!allowed(rules.vips, address)) return bad(place(row) + ": the VIP is in no allowed subnet");
  }
  if (const std::string wrong = wrong_backend(row.backend.address); !wrong.empty())
    return bad(place(row) + ": the backend " + wrong);
  if (!allowed(rules.backends, row.backend.address))
    return bad(place(row) + ": the backend is in no allowed subnet");
  if (row.weight > service::kMaxWeight)
    return bad(place(row) + ": weight " + std::to_string(row.weight) + " is over " +
               std::to_string(service::kMaxWeight));
  return {};
}

void put_address(base::Writer& writer, const base::Address& address) {
  writer.put(address.octets());
}

base::Address take_address(base::Reader& reader, bool v6) {
  std::array<std::uint8_t, 16> octets{};
  const base::ByteView taken = reader.take(v6 ? 16 : 4);
  std::copy(taken.begin(), taken.end(), octets.begin());
  if (v6) return base::Address::v6(octets);
  return base::Address::v4({octets[0], octets[1], octets[2], octets[3]});
}

/// Reads a VIP; its protocol and the backend's family are in `flags`.
void read_vip(base::Reader& reader, std::uint8_t flags, service::BackendRow& row) {
  row.protocol = (flags & kUdp) != 0 ? Protocol::udp : Protocol::tcp;
  if ((flags & kNamed) != 0)
    row.vip = service::VipName{std::string(base::as_text(reader.take(reader.u8())))};
  else
    row.vip = take_address(reader, (flags & kV6) != 0);
  row.vip_port = reader.u16();
}

void read_affinity(base::ByteView octets, service::Affinity& affinity) {
  base::Reader reader(octets);
  const std::uint8_t by = reader.u8();
  const std::uint64_t seconds = reader.varint();
  if (reader.failed() || by == 0 || by > static_cast<std::uint8_t>(service::AffinityBy::netns) ||
      seconds == 0 || seconds > static_cast<std::uint64_t>(service::kMaxAffinity.count()))
    return;
  affinity = {static_cast<service::AffinityBy>(by), std::chrono::seconds(seconds)};
}

/// What a field says beyond our understanding is as if it were not there.
bool read_field(const Field& field, service::BackendRow& row) {
  base::Reader reader(field.octets);
  switch (field.tag) {
    case kFieldPick:
      if (const std::uint8_t rule = reader.u8();
          rule <= static_cast<std::uint8_t>(service::PickRule::source_hash))
        row.policy.pick = static_cast<service::PickRule>(rule);
      return !reader.failed();
    case kFieldAffinity:
      read_affinity(field.octets, row.policy.affinity);
      return true;
    case kFieldDrain: {
      const std::uint64_t seconds = reader.varint();
      if (seconds > static_cast<std::uint64_t>(service::kMaxDrain.count())) return false;
      row.policy.drain = std::chrono::seconds(seconds);
      return !reader.failed();
    }
    case kFieldTask:
      row.task = printable(base::as_text(field.octets), kMaxTaskOctets);
      return true;
    case kFieldTunnel: {
      const auto address = read_address(field.octets);
      if (!address || !wrong_backend(*address).empty()) return false;
      row.tunnel = *address;
      return true;
    }
    default:
      return true;
  }
}

base::Result<DecodedRow> decode_backend(const WireRow& wire, const RowRules& rules) {
  service::BackendRow row;
  base::Reader key(base::as_bytes(wire.key()));
  const std::uint8_t flags = key.u8();
  read_vip(key, flags, row);
  row.backend.address = take_address(key, (flags & kV6) != 0);
  row.backend.port = key.u16();
  const auto* address = std::get_if<base::Address>(&row.vip);
  const bool v6 = (flags & kV6) != 0;
  // A mapped IPv4 address would be a second key of the same row.
  if (!key.done() || row.backend.address.is_v6() != v6 || (address && address->is_v6() != v6))
    return bad("a backend's row has a malformed key");
  base::Reader value(base::as_bytes(wire.value()));
  std::uint64_t weight = kUsualWeight;
  if (!wire.value().empty()) weight = value.varint();
  row.weight = static_cast<std::uint16_t>(std::min<std::uint64_t>(weight, UINT16_MAX));
  while (value.remaining() > 0)
    if (!read_field(take_field(value), row)) value.fail();
  if (value.failed()) return bad(place(row) + ": the value is malformed");
  if (const auto checked = check(row, rules); !checked) return checked.error();
  return DecodedRow(std::move(row));
}

base::Result<DecodedRow> decode_name(const WireRow& wire) {
  NameRow row{std::string(wire.key().substr(1)), 0};
  base::Reader value(base::as_bytes(wire.value()));
  row.tick = value.varint();
  if (!is_name(row.name)) return bad(printable(row.name, 253) + ": no name of a VIP");
  if (value.failed() || row.tick > kMaxTick) return bad(row.name + ": no tick");
  return DecodedRow(std::move(row));
}

void put_policy(base::Writer& writer, const service::Policy& policy) {
  if (policy.pick != service::PickRule::automatic)
    put_field(writer, kFieldPick, std::array{static_cast<std::uint8_t>(policy.pick)});
  if (policy.affinity.by != service::AffinityBy::none) {
    base::Writer field;
    field.u8(static_cast<std::uint8_t>(policy.affinity.by));
    field.varint(static_cast<std::uint64_t>(policy.affinity.limit.count()));
    put_field(writer, kFieldAffinity, field.bytes());
  }
  if (policy.drain) {
    base::Writer field;
    field.varint(static_cast<std::uint64_t>(policy.drain->count()));
    put_field(writer, kFieldDrain, field.bytes());
  }
}

}  // namespace

base::Result<WireRow> encode_row(const service::BackendRow& row) {
  if (const auto checked = check(row, {}); !checked) return checked.error();
  const auto* name = std::get_if<service::VipName>(&row.vip);
  base::Writer key;
  key.u8(static_cast<std::uint8_t>(kKindBackend | (name ? kNamed : 0) |
                                   (row.backend.address.is_v6() ? kV6 : 0) |
                                   (row.protocol == Protocol::udp ? kUdp : 0)));
  if (name) {
    key.u8(static_cast<std::uint8_t>(name->value.size()));
    key.put(base::as_bytes(name->value));
  } else {
    put_address(key, std::get<base::Address>(row.vip));
  }
  key.u16(row.vip_port);
  put_address(key, row.backend.address);
  key.u16(row.backend.port);
  base::Writer fields;
  put_policy(fields, row.policy);
  if (!row.task.empty())
    put_field(fields, kFieldTask, base::as_bytes(printable(row.task, kMaxTaskOctets)));
  if (row.tunnel) put_field(fields, kFieldTunnel, row.tunnel->octets());
  base::Writer value;
  if (row.weight != kUsualWeight || fields.size() > 0) value.varint(row.weight);
  value.put(fields.bytes());
  return WireRow(base::as_text(key.bytes()), base::as_text(value.bytes()));
}

WireRow encode_row(const NodeFacts& facts) {
  return {kFactsKey, base::as_text(write_facts(facts))};
}

WireRow encode_row(const NameRow& row) {
  base::Writer value;
  value.varint(row.tick);
  return {std::string(1, static_cast<char>(kKindName)) + row.name, base::as_text(value.bytes())};
}

bool is_allowed_backend(const base::Address& address, const RowRules& rules) {
  return allowed(rules.backends, address);
}

std::string_view facts_key() { return kFactsKey; }

base::Result<DecodedRow> decode_row(const WireRow& row, const RowRules& rules) {
  const auto first = static_cast<std::uint8_t>(row.key().front());
  if ((first & kLater) != 0) return DecodedRow(UnknownRow{});
  switch (first & kKindMask) {
    case kKindBackend:
      return decode_backend(row, rules);
    case kKindFacts: {
      if (row.key() != kFactsKey) return DecodedRow(UnknownRow{});
      auto facts = read_facts(base::as_bytes(row.value()));
      if (!facts) return bad("the node's facts are malformed");
      return DecodedRow(std::move(*facts));
    }
    case kKindName:
      return decode_name(row);
    case kKindTask: {
      if (first != kKindTask) return DecodedRow(UnknownRow{});
      auto task = decode_task(row, rules);
      if (!task) return task.error();
      return DecodedRow(std::move(*task));
    }
    case kKindProcess:
      if (first != kKindProcess) return DecodedRow(UnknownRow{});
      return decode_process(row, rules);
    default:
      return DecodedRow(UnknownRow{});
  }
}

std::string_view vip_prefix(std::string_view key) {
  base::Reader reader(base::as_bytes(key));
  const std::uint8_t flags = reader.u8();
  if ((flags & (kKindMask | kLater)) != kKindBackend) return "";
  reader.take((flags & kNamed) != 0 ? reader.u8() : (flags & kV6) != 0 ? 16 : 4);
  reader.u16();
  return reader.failed() ? "" : key.substr(0, key.size() - reader.remaining());
}

}  // namespace viaduct::gossip
