#include "gossip/process_codec.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/quote.h"
#include "gossip/errors.h"
#include "gossip/node_fields.h"
#include "gossip/row_field.h"

namespace viaduct::gossip {
namespace {

enum Tag : std::uint8_t {
  kName = 1,
  kAddress = 2,
  kPort = 3,
  kOrder = 4,
  kLeader = 5,
};

base::Error bad(const service::MesosRow& row, const std::string& what) {
  return {Errc::malformed,
          std::string(to_string(row.role)) + " " + base::in_quotes(row.id) + ": " + what};
}

bool read_number(base::ByteView octets, std::uint16_t& number) {
  base::Reader reader(octets);
  number = reader.u16();
  return reader.done();
}

bool read_field(const Field& field, service::MesosRow& row) {
  switch (field.tag) {
    case kName:
      if (field.octets.size() > service::kMaxMesosTextOctets) return false;
      row.name = base::as_text(field.octets);
      return true;
    case kAddress: {
      const auto address = read_address(field.octets);
      if (!address || row.addresses.size() == service::kMaxMesosAddresses) return false;
      row.addresses.push_back(*address);
      return true;
    }
    case kPort:
      return read_number(field.octets, row.port);
    case kOrder:
      return read_number(field.octets, row.order);
    case kLeader:
      row.leader = true;
      return true;
    default:
      return true;
  }
}

void put_number(base::Writer& writer, std::uint8_t tag, std::uint16_t number) {
  if (number == 0) return;
  base::Writer field;
  field.u16(number);
  put_field(writer, tag, field.bytes());
}

}  // namespace

std::string row_key(const service::MesosRow& row) {
  base::Writer key;
  key.u8(kKindProcess);
  key.u8(static_cast<std::uint8_t>(row.role));
  key.put(base::as_bytes(row.id));
  return std::string(base::as_text(key.bytes()));
}

base::Result<WireRow> encode_row(const service::MesosRow& row) {
  if (const auto checked = service::check_mesos_row(row); !checked)
    return bad(row, checked.error().context);
  base::Writer value;
  if (!row.name.empty()) put_field(value, kName, base::as_bytes(row.name));
  for (const base::Address& address : row.addresses) put_field(value, kAddress, address.octets());
  put_number(value, kPort, row.port);
  put_number(value, kOrder, row.order);
  if (row.leader) put_field(value, kLeader, {});
  return WireRow(row_key(row), base::as_text(value.bytes()));
}

base::Result<DecodedRow> decode_process(const WireRow& wire, const RowRules& rules) {
  service::MesosRow row;
  base::Reader key(base::as_bytes(wire.key()));
  key.u8();
  const std::uint8_t role = key.u8();
  if (key.failed() || role < static_cast<std::uint8_t>(service::MesosRole::framework) ||
      role > static_cast<std::uint8_t>(service::MesosRole::master))
    return DecodedRow(UnknownRow{});
  row.role = static_cast<service::MesosRole>(role);
  row.id = base::as_text(key.rest());
  base::Reader value(base::as_bytes(wire.value()));
  while (value.remaining() > 0)
    if (!read_field(take_field(value), row)) value.fail();
  if (key.failed() || value.failed()) return bad(row, "the row is malformed");
  if (const auto checked = service::check_mesos_row(row); !checked)
    return bad(row, checked.error().context);
  for (const base::Address& address : row.addresses)
    if (!is_allowed_backend(address, rules))
      return bad(row, "its address " + address.to_string() + " is in no allowed subnet");
  return DecodedRow(std::move(row));
}

}  // namespace viaduct::gossip
