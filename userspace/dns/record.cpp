#include "dns/record.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace viaduct::dns {
namespace {

void append(std::vector<std::uint8_t>& data, std::span<const std::uint8_t> octets) {
  data.insert(data.end(), octets.begin(), octets.end());
}

void append32(std::vector<std::uint8_t>& data, std::uint32_t value) {
  std::array<std::uint8_t, 4> octets;
  write32(octets.data(), value);
  append(data, octets);
}

/// The name at the start of record data, in text.
std::string leading_name(std::span<const std::uint8_t> data) {
  std::string text;
  for (std::size_t at = 0; at < data.size() && data[at] != 0; at += data[at] + 1u) {
    const std::size_t length = std::min<std::size_t>(data[at], data.size() - at - 1);
    text.append(reinterpret_cast<const char*>(&data[at]) + 1, length);
    text += '.';
  }
  return text.empty() ? "." : text;
}

/// The types whose data begins with a name; null: another one.
const char* name_of(Type type) {
  switch (type) {
    case Type::ns:
      return "NS";
    case Type::cname:
      return "CNAME";
    case Type::ptr:
      return "PTR";
    case Type::soa:
      return "SOA";
    default:
      return nullptr;
  }
}

constexpr std::size_t kSrvHeadOctets = 6;  // priority, weight, port

std::string generic_data(const std::vector<std::uint8_t>& data) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text = "\\# " + std::to_string(data.size());
  if (!data.empty()) text += ' ';
  for (const std::uint8_t octet : data) {
    text += kHex[octet >> 4];
    text += kHex[octet & 15];
  }
  return text;
}

}  // namespace

Record address_record(Name owner, const base::Address& address, std::uint32_t ttl_s) {
  const auto octets = address.octets();
  return {std::move(owner),
          address.is_v4() ? Type::a : Type::aaaa,
          ttl_s,
          {octets.begin(), octets.end()}};
}

Record ns_record(Name owner, const Name& server, std::uint32_t ttl_s) {
  const auto octets = server.wire();
  return {std::move(owner), Type::ns, ttl_s, {octets.begin(), octets.end()}};
}

Record ptr_record(Name owner, const Name& target, std::uint32_t ttl_s) {
  const auto octets = target.wire();
  return {std::move(owner), Type::ptr, ttl_s, {octets.begin(), octets.end()}};
}

Record cname_record(Name owner, const Name& target, std::uint32_t ttl_s) {
  const auto octets = target.wire();
  return {std::move(owner), Type::cname, ttl_s, {octets.begin(), octets.end()}};
}

Record srv_record(Name owner, const Srv& srv, std::uint32_t ttl_s) {
  Record record{std::move(owner), Type::srv, ttl_s, std::vector<std::uint8_t>(kSrvHeadOctets)};
  write16(&record.data[0], srv.priority);
  write16(&record.data[2], srv.weight);
  write16(&record.data[4], srv.port);
  append(record.data, srv.target.wire());
  return record;
}

Record soa_record(Name owner, const Soa& soa) {
  Record record{std::move(owner), Type::soa, soa.ttl_s, {}};
  append(record.data, soa.primary.wire());
  append(record.data, soa.mailbox.wire());
  for (const std::uint32_t value :
       {soa.serial, soa.refresh_s, soa.retry_s, soa.expire_s, soa.minimum_s})
    append32(record.data, value);
  return record;
}

RecordText to_text(const Record& record) {
  RecordText text{record.owner.to_text(), {}, {}};
  const std::vector<std::uint8_t>& data = record.data;
  if (record.type == Type::a && data.size() == 4) {
    text.rtype = "A";
    text.host = base::Address::v4({data[0], data[1], data[2], data[3]}).to_string();
  } else if (record.type == Type::aaaa && data.size() == 16) {
    std::array<std::uint8_t, 16> octets;
    std::copy(data.begin(), data.end(), octets.begin());
    text.rtype = "AAAA";
    text.host = base::Address::v6(octets).to_string();
  } else if (record.type == Type::srv && data.size() > kSrvHeadOctets) {
    text.rtype = "SRV";
    text.host = leading_name(std::span(data).subspan(kSrvHeadOctets)) + ':' +
                std::to_string(read16(&data[4]));
  } else if (const char* name = name_of(record.type)) {
    text.rtype = name;
    text.host = leading_name(data);
  } else {
    text.rtype = "TYPE" + std::to_string(static_cast<unsigned>(record.type));
    text.host = generic_data(data);
  }
  return text;
}

}  // namespace viaduct::dns
