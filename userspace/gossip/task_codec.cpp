#include "gossip/task_codec.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/quote.h"
#include "base/siphash.h"
#include "gossip/errors.h"
#include "gossip/node_fields.h"
#include "gossip/row_field.h"
#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

/// Published, for all nodes need the same: the octets of "viaduct task key".
constexpr base::HashKey kFrameworkKey = {0x2074637564616976, 0x79656b206b736174};

enum Tag : std::uint8_t {
  kFramework = 1,
  kName = 2,
  kDiscovery = 3,
  kAgentId = 4,
  kAgentAddress = 5,
  kAddress = 6,
  kPorts = 7,
  kDiscoveryPort = 8,
  kHostPort = 9,
};

std::string place(const service::TaskRow& row) {
  return "task " + base::in_quotes(row.id) + " of framework " + base::in_quotes(row.framework);
}

base::Error bad(const service::TaskRow& row, const std::string& what) {
  return {Errc::malformed, place(row) + ": " + what};
}

bool read_address_to(base::ByteView octets, std::vector<base::Address>& addresses) {
  const auto address = read_address(octets);
  if (!address || addresses.size() == service::kMaxAgentAddresses) return false;
  addresses.push_back(*address);
  return true;
}

/// An address by a source that a later version brings is none.
bool read_own_address(base::ByteView octets, std::vector<service::TaskAddress>& addresses) {
  if (octets.empty()) return false;
  const auto address = read_address(octets.subspan(1));
  if (!address || addresses.size() == service::kMaxTaskAddresses) return false;
  if (octets[0] <= static_cast<std::uint8_t>(service::AddressSource::docker))
    addresses.push_back({static_cast<service::AddressSource>(octets[0]), *address});
  return true;
}

bool read_ports(base::ByteView octets, std::vector<std::uint16_t>& ports) {
  base::Reader reader(octets);
  while (reader.remaining() > 0 && ports.size() < service::kMaxTaskPorts)
    ports.push_back(reader.u16());
  return reader.done();
}

bool read_discovery_port(base::ByteView octets, std::vector<service::TaskPort>& ports) {
  base::Reader reader(octets);
  service::TaskPort port;
  port.number = reader.u16();
  port.protocol = base::as_text(reader.counted(service::kMaxPortProtocolOctets));
  port.name = base::as_text(reader.counted(service::kMaxPortNameOctets));
  if (reader.failed() || ports.size() == service::kMaxTaskPorts) return false;
  ports.push_back(std::move(port));
  return true;
}

bool read_text(base::ByteView octets, std::string& text) {
  if (octets.size() > service::kMaxTaskTextOctets) return false;
  text = base::as_text(octets);
  return true;
}

bool read_field(const Field& field, service::TaskRow& row) {
  switch (field.tag) {
    case kFramework:
      return read_text(field.octets, row.framework);
    case kName:
      return read_text(field.octets, row.name);
    case kDiscovery:
      return read_text(field.octets, row.discovery);
    case kAgentId:
      return read_text(field.octets, row.agent_id);
    case kAgentAddress:
      return read_address_to(field.octets, row.agent);
    case kAddress:
      return read_own_address(field.octets, row.addresses);
    case kPorts:
      return read_ports(field.octets, row.ports);
    case kDiscoveryPort:
      return read_discovery_port(field.octets, row.discovery_ports);
    case kHostPort:
      row.host_port = true;
      return true;
    default:
      return true;
  }
}

void put_text(base::Writer& writer, std::uint8_t tag, const std::string& text) {
  if (!text.empty()) put_field(writer, tag, base::as_bytes(text));
}

void put_addresses(base::Writer& writer, const service::TaskRow& row) {
  for (const base::Address& address : row.agent) put_field(writer, kAgentAddress, address.octets());
  for (const service::TaskAddress& own : row.addresses) {
    base::Writer field;
    field.u8(static_cast<std::uint8_t>(own.source));
    field.put(own.address.octets());
    put_field(writer, kAddress, field.bytes());
  }
}

void put_ports(base::Writer& writer, const service::TaskRow& row) {
  if (!row.ports.empty()) {
    base::Writer field;
    for (const std::uint16_t port : row.ports) field.u16(port);
    put_field(writer, kPorts, field.bytes());
  }
  for (const service::TaskPort& port : row.discovery_ports) {
    base::Writer field;
    field.u16(port.number);
    field.counted(base::as_bytes(port.protocol));
    field.counted(base::as_bytes(port.name));
    put_field(writer, kDiscoveryPort, field.bytes());
  }
  if (row.host_port) put_field(writer, kHostPort, {});
}

/// An address of the task that peers' backends may not have; absent: all are allowed.
std::optional<base::Address> forbidden(const service::TaskRow& row, const RowRules& rules) {
  for (const base::Address& address : row.agent)
    if (!is_allowed_backend(address, rules)) return address;
  for (const service::TaskAddress& own : row.addresses)
    if (!is_allowed_backend(own.address, rules)) return own.address;
  return std::nullopt;
}

}  // namespace

std::string row_key(const service::TaskRow& row) {
  base::Writer key;
  key.u8(kKindTask);
  key.u64(base::siphash(kFrameworkKey, base::as_bytes(row.framework)));
  key.put(base::as_bytes(row.id));
  return std::string(base::as_text(key.bytes()));
}

base::Result<WireRow> encode_row(const service::TaskRow& row) {
  if (const auto checked = service::check_task(row); !checked)
    return bad(row, checked.error().context);
  base::Writer value;
  put_text(value, kFramework, row.framework);
  put_text(value, kName, row.name);
  put_text(value, kDiscovery, row.discovery);
  put_text(value, kAgentId, row.agent_id);
  put_addresses(value, row);
  put_ports(value, row);
  if (value.size() > kMaxValueOctets)
    return base::Error{Errc::too_large, place(row) + ": what is known of it takes " +
                                            std::to_string(value.size()) + " octets; at most " +
                                            std::to_string(kMaxValueOctets) + " are told"};
  return WireRow(row_key(row), base::as_text(value.bytes()));
}

base::Result<service::TaskRow> decode_task(const WireRow& wire, const RowRules& rules) {
  service::TaskRow row;
  base::Reader key(base::as_bytes(wire.key()));
  key.u8();
  key.u64();
  row.id = base::as_text(key.rest());
  base::Reader value(base::as_bytes(wire.value()));
  while (value.remaining() > 0)
    if (!read_field(take_field(value), row)) value.fail();
  if (key.failed() || value.failed()) return bad(row, "the row is malformed");
  // Another hash would be a second key of the same task.
  if (wire.key() != row_key(row)) return bad(row, "the key is of another framework");
  if (const auto checked = service::check_task(row); !checked)
    return bad(row, checked.error().context);
  if (const auto address = forbidden(row, rules))
    return bad(row, "its address " + address->to_string() + " is in no allowed subnet");
  return row;
}

}  // namespace viaduct::gossip
