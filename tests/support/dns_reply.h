#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dns/message.h"
#include "dns/name.h"
#include "tests/support/dns_message.h"

namespace viaduct::test {

/// The octets of a query's question: name, type, class.
inline std::span<const std::uint8_t> question_octets(std::span<const std::uint8_t> query) {
  std::size_t at = dns::kHeaderOctets;
  while (query[at] != 0) at += 1u + query[at];
  return query.subspan(dns::kHeaderOctets, at + 5 - dns::kHeaderOctets);
}

/// The address that honest upstreams of tests give a name: 100.64.0.0/10 and bits of its hash.
inline std::uint32_t true_address(std::span<const std::uint8_t> query) {
  const auto question = question_octets(query);
  const dns::FoldedName name(question.first(question.size() - 4));
  return 0x64400000 | (static_cast<std::uint32_t>(name.hash(0)) & 0x3fffff);
}

/// Builds what an upstream sends back for a query.
class ReplyBuilder {
 public:
  explicit ReplyBuilder(std::span<const std::uint8_t> query, std::uint16_t flags = 0x8180)
      : octets_(query.begin(), query.begin() + dns::kHeaderOctets) {
    dns::write16(&octets_[2], flags);
    dns::write16(&octets_[4], 1);
    for (std::size_t count = 6; count < 12; count += 2) dns::write16(&octets_[count], 0);
    const auto question = question_octets(query);
    octets_.insert(octets_.end(), question.begin(), question.end());
  }

  /// A record of the question's name, by pointer.
  /// @param section  offset of its count: 6 answer, 8 authority, 10 additional.
  ReplyBuilder& record(std::size_t section, std::uint16_t type, std::uint32_t ttl,
                       const Octets& data) {
    Octets fixed(12);
    dns::write16(&fixed[0], 0xc00c);
    dns::write16(&fixed[2], type);
    dns::write16(&fixed[4], dns::kClassIn);
    dns::write32(&fixed[6], ttl);
    dns::write16(&fixed[10], static_cast<std::uint16_t>(data.size()));
    octets_.insert(octets_.end(), fixed.begin(), fixed.end());
    octets_.insert(octets_.end(), data.begin(), data.end());
    return count(section);
  }
  ReplyBuilder& address(std::uint32_t value, std::uint32_t ttl = 300) {
    Octets data(4);
    dns::write32(data.data(), value);
    return record(6, 1, ttl, data);
  }
  /// @param minimum  of the negative TTL.
  ReplyBuilder& soa(std::uint32_t ttl, std::uint32_t minimum) {
    Octets data{0xc0, 0x0c, 0xc0, 0x0c, 0, 0, 0, 1, 0, 0, 0, 60,
                0,    0,    0,    60,   0, 1, 0, 0, 0, 0, 0, 0};
    dns::write32(&data[20], minimum);
    return record(8, 6, ttl, data);
  }
  ReplyBuilder& opt(std::uint8_t extended_rcode = 0) {
    const Octets record{0, 0, 41, 4, 0xd0, extended_rcode, 0, 0, 0, 0, 0};
    octets_.insert(octets_.end(), record.begin(), record.end());
    return count(10);
  }
  ReplyBuilder& id(std::uint16_t value) {
    dns::write16(&octets_[0], value);
    return *this;
  }
  ReplyBuilder& tail(const Octets& octets) {
    octets_.insert(octets_.end(), octets.begin(), octets.end());
    return *this;
  }

  operator Octets() const { return octets_; }
  Octets take() const { return octets_; }

 private:
  ReplyBuilder& count(std::size_t section) {
    dns::write16(&octets_[section], static_cast<std::uint16_t>(dns::read16(&octets_[section]) + 1));
    return *this;
  }

  Octets octets_;
};

/// The true answer.
inline Octets honest_reply(std::span<const std::uint8_t> query, std::uint32_t ttl = 300) {
  return ReplyBuilder(query).address(true_address(query), ttl);
}

/// The address of an answer that consists of one A record; 0 for any other answer.
inline std::uint32_t address_in(std::span<const std::uint8_t> answer) {
  if (answer.size() < dns::kHeaderOctets + 5 || dns::read16(&answer[6]) != 1) return 0;
  const std::size_t at = dns::kHeaderOctets + question_octets(answer).size();
  return answer.size() >= at + 16 ? dns::read32(&answer[at + 12]) : 0;
}

}  // namespace viaduct::test
