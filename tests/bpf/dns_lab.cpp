// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/dns_lab.h"

namespace viaduct::bpftest {
namespace {

dns::Name name(const std::string& text) { return dns::Name::parse(text).value(); }

dns::Record address(const std::string& owner, const std::string& text) {
  return dns::address_record(name(owner), base::Address::parse(text).value(), 5);
}

}  // namespace

dns::Zone example_zone() {
  dns::Zone zone;
  zone.apex = name("example");
  zone.aliases = {name("example.alias")};
  zone.soa.primary = name("ns.example");
  zone.soa.mailbox = name("admin.example");
  zone.soa.serial = 7;
  zone.records = {address("one.example", "192.0.2.1"), address("six.example", "2001:db8::6"),
                  address("both.example", "192.0.2.2"), address("both.example", "2001:db8::2"),
                  address("x.below.example", "192.0.2.3")};
  for (int i = 1; i <= 5; ++i)
    zone.records.push_back(address("five.example", "192.0.2." + std::to_string(i)));
  for (int i = 1; i <= 40; ++i)
    zone.records.push_back(address("many.example", "192.0.2." + std::to_string(i)));
  const auto add = [&](const std::string& owner, std::uint16_t type, test::Octets data) {
    zone.records.push_back({name(owner), static_cast<dns::Type>(type), 5, std::move(data)});
  };
  // Texts of an odd length that rotate, and texts that do not, as they differ in length.
  for (const char* text : {"a", "b", "c"})
    add("odd.example", 16, {2, static_cast<std::uint8_t>(*text), 'x'});
  add("mixed.example", 16, {1, 'x'});
  add("mixed.example", 16, {3, 'x', 'y', 'z'});
  for (std::uint16_t type = 100; type < 106; ++type) add("types.example", type, {1, 2, 3});
  zone.records.push_back(
      dns::srv_record(name("_s._tcp.example"), {0, 1, 80, name("one.example")}, 5));
  return zone;
}

}  // namespace viaduct::bpftest
