#pragma once

#include <ldns/ldns.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace viaduct::test {

struct LdnsFree {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
  void operator()(char* text) const { std::free(text); }
};
using LdnsPacket = std::unique_ptr<ldns_pkt, LdnsFree>;

/// Parses a message with ldns, an implementation that shares nothing with ours; null if ldns
/// refuses it.
inline LdnsPacket ldns_parse(std::span<const std::uint8_t> message) {
  ldns_pkt* packet = nullptr;
  if (ldns_wire2pkt(&packet, message.data(), message.size()) != LDNS_STATUS_OK) return nullptr;
  return LdnsPacket(packet);
}

inline std::string ldns_text(const ldns_rdf* data) {
  const std::unique_ptr<char, LdnsFree> text(ldns_rdf2str(data));
  return text ? text.get() : "";
}

/// "owner TTL class type data" of each record of a section, in its order.
inline std::vector<std::string> ldns_records(const ldns_rr_list* list) {
  std::vector<std::string> records;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    const std::unique_ptr<char, LdnsFree> text(ldns_rr2str(ldns_rr_list_rr(list, i)));
    std::string record = text ? text.get() : "";
    while (!record.empty() && (record.back() == '\n' || record.back() == ' ')) record.pop_back();
    for (char& c : record)
      if (c == '\t') c = ' ';
    records.push_back(record);
  }
  return records;
}

}  // namespace viaduct::test
