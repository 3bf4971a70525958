#include "mesos/master_info.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/quote.h"
#include "mesos/errors.h"
#include "mesos/json_item.h"
#include "mesos/limits.h"

namespace viaduct::mesos {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxMasterInfoDepth = 16;

/// What of a MasterInfo tells where the master is; absent: it says nothing.
struct MasterInfo {
  std::optional<std::int64_t> ip;  // network order, read as little endian
  std::optional<std::int64_t> port;
  std::optional<std::string> pid;  // "master@192.0.2.1:5050"
  std::optional<std::string> address_ip;
  std::optional<std::int64_t> address_port;
};

base::Error unexpected(std::string what) { return {Errc::unexpected_shape, std::move(what)}; }

base::Result<base::Address> address_in(const MasterInfo& info) {
  if (info.address_ip) {
    const auto address = base::Address::parse(*info.address_ip);
    if (address) return *address;
    return unexpected("the ip of its address is " + base::in_quotes(*info.address_ip));
  }
  if (!info.ip) return unexpected("it has no address");
  if (*info.ip < 0 || *info.ip > 0xffffffffLL)
    return unexpected("its ip is " + std::to_string(*info.ip));
  const auto value = static_cast<std::uint32_t>(*info.ip);
  const auto octet = [value](int shift) { return static_cast<std::uint8_t>(value >> shift); };
  return base::Address::v4({octet(0), octet(8), octet(16), octet(24)});
}

base::Result<base::Endpoint> endpoint_of(const MasterInfo& info) {
  base::Endpoint out;
  if (!info.address_ip && !info.ip && info.pid) {
    const std::size_t at = info.pid->find('@');
    const auto found = base::Endpoint::parse(
        at == std::string::npos ? std::string_view() : std::string_view(*info.pid).substr(at + 1));
    if (!found) return unexpected("its pid is " + base::in_quotes(*info.pid));
    out = *found;
  } else {
    const auto address = address_in(info);
    if (!address) return address.error();
    const auto port = info.address_port ? info.address_port : info.port;
    if (!port || *port < 1 || *port > 65535)
      return unexpected(port ? "its port is " + std::to_string(*port) : "it has no port");
    out = {*address, static_cast<std::uint16_t>(*port)};
  }
  if (out.address.is_unspecified() || out.address.is_multicast() || out.address.is_broadcast())
    return unexpected("nobody can connect to " + out.to_string());
  return out;
}

enum Wire : std::uint64_t { varint = 0, fixed64 = 1, counted = 2, fixed32 = 5 };

struct Field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;  // of a number
  base::ByteView text;      // of a counted one
  std::uint64_t wire = varint;
};

/// The next field; a reader that has failed gives number 0.
Field next_field(base::Reader& reader) {
  Field out;
  const std::uint64_t key = reader.varint();
  out.wire = key & 7U;
  switch (out.wire) {
    case varint:
      out.value = reader.varint();
      break;
    case fixed64:
      reader.take(8);
      break;
    case counted:
      out.text = reader.counted(reader.remaining());
      break;
    case fixed32:
      reader.take(4);
      break;
    default:  // groups, which no field here ever was
      reader.fail();
  }
  out.number = reader.failed() ? 0 : key >> 3U;
  if (out.number == 0) reader.fail();
  return out;
}

/// int32 and uint32 are read alike: a negative one comes out as too large.
std::int64_t number_of(const Field& field) {
  constexpr std::uint64_t kMax = 0xffffffffU;
  return field.value > kMax ? std::int64_t{kMax} + 1 : static_cast<std::int64_t>(field.value);
}

bool take_address(base::ByteView bytes, MasterInfo& info) {
  base::Reader reader(bytes);
  while (!reader.failed() && reader.remaining() > 0) {
    const Field field = next_field(reader);
    if (field.number == 2 && field.wire == counted)
      info.address_ip = std::string(base::as_text(field.text));
    if (field.number == 3 && field.wire == varint) info.address_port = number_of(field);
  }
  return !reader.failed();
}

}  // namespace

base::Result<base::Endpoint> parse_master_info_json(std::string_view text) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = kMaxMasterInfoDepth;
  const json::value value =
      json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return base::Error{Errc::bad_json, error.message()};
  if (!value.is_object()) return unexpected("it is not an object");
  Rejections rejections;
  const JsonItem item(value.get_object(), "", rejections);
  MasterInfo info;
  info.ip = item.integer("ip");
  info.port = item.integer("port");
  info.pid = item.text("pid");
  if (const auto address = item.object("address")) {
    info.address_ip = address->text("ip");
    info.address_port = address->integer("port");
  }
  if (const auto rejected = rejections.take(); !rejected.empty())
    return unexpected(rejected.front().reason);
  return endpoint_of(info);
}

base::Result<base::Endpoint> parse_master_info_protobuf(base::ByteView bytes) {
  MasterInfo info;
  base::Reader reader(bytes);
  bool whole = true;
  while (!reader.failed() && reader.remaining() > 0) {
    const Field field = next_field(reader);
    if (field.number == 2 && field.wire == varint) info.ip = number_of(field);
    if (field.number == 3 && field.wire == varint) info.port = number_of(field);
    if (field.number == 4 && field.wire == counted && field.text.size() <= kMaxTextBytes)
      info.pid = std::string(base::as_text(field.text));
    if (field.number == 7 && field.wire == counted) whole = whole && take_address(field.text, info);
  }
  if (reader.failed() || !whole) return base::Error{Errc::bad_protobuf, "a MasterInfo"};
  return endpoint_of(info);
}

}  // namespace viaduct::mesos
