#include "gossip/row_field.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "gossip/node_fields.h"
#include "gossip/row_codec.h"
#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

constexpr std::uint8_t kAddress = 1;
constexpr std::uint8_t kTunnel = 2;
constexpr std::uint8_t kVersion = 3;
constexpr std::uint8_t kKeyId = 4;
constexpr std::uint8_t kSubnet = 5;

constexpr std::size_t kMaxKeyIds = 16;

bool read_subnet(base::ByteView octets, std::vector<base::Subnet>& subnets) {
  if (octets.empty() || subnets.size() == kMaxSubnets) return false;
  const auto address = read_address(octets.subspan(1));
  if (!address) return false;
  const base::Subnet subnet{*address, octets[0]};
  if (!subnet.valid()) return false;
  subnets.push_back(subnet);
  return true;
}

bool read_fact(const Field& field, NodeFacts& facts) {
  const auto address = read_address(field.octets);
  switch (field.tag) {
    case kAddress:
      if (!address || facts.addresses.size() == kMaxAddresses) return false;
      facts.addresses.push_back(*address);
      return true;
    case kTunnel:
      if (!address) return false;
      (address->is_v6() ? facts.tunnel6 : facts.tunnel4) = *address;
      return true;
    case kVersion: {
      const std::string_view text = base::as_text(field.octets);
      if (text.size() > kMaxVersionOctets ||
          std::any_of(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }))
        return false;
      facts.version = text;
      return true;
    }
    case kKeyId:
      if (field.octets.size() != 8 || facts.key_ids.size() == kMaxKeyIds) return false;
      facts.key_ids.push_back(base::Reader(field.octets).u64());
      return true;
    case kSubnet:
      return read_subnet(field.octets, facts.subnets);
    default:
      return true;
  }
}

}  // namespace

void put_field(base::Writer& writer, std::uint8_t tag, base::ByteView octets) {
  writer.u8(tag);
  writer.counted(octets);
}

Field take_field(base::Reader& reader) {
  const std::uint8_t tag = reader.u8();
  return {tag, reader.counted(kMaxValueOctets)};
}

base::Bytes write_facts(const NodeFacts& facts) {
  base::Writer writer;
  const auto first = [](const auto& list, std::size_t max) {
    return std::span(list).first(std::min(list.size(), max));
  };
  for (const base::Address& address : first(facts.addresses, kMaxAddresses))
    put_field(writer, kAddress, address.octets());
  for (const auto& tunnel : {facts.tunnel4, facts.tunnel6})
    if (tunnel) put_field(writer, kTunnel, tunnel->octets());
  if (!facts.version.empty())
    put_field(writer, kVersion, base::as_bytes(facts.version.substr(0, kMaxVersionOctets)));
  for (const std::uint64_t id : first(facts.key_ids, kMaxKeyIds)) {
    base::Writer field;
    field.u64(id);
    put_field(writer, kKeyId, field.bytes());
  }
  for (const base::Subnet& subnet : first(facts.subnets, kMaxSubnets)) {
    base::Writer field;
    field.u8(subnet.prefix);
    field.put(subnet.address.octets());
    put_field(writer, kSubnet, field.bytes());
  }
  return std::move(writer).take();
}

std::optional<NodeFacts> read_facts(base::ByteView value) {
  NodeFacts facts;
  base::Reader reader(value);
  while (reader.remaining() > 0)
    if (!read_fact(take_field(reader), facts)) reader.fail();
  return reader.failed() ? std::nullopt : std::optional(facts);
}

}  // namespace viaduct::gossip
