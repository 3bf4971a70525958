#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dns/message.h"
#include "dns/name.h"

namespace viaduct::test {

using Octets = std::vector<std::uint8_t>;

/// Builds messages octet by octet, wrong ones too.
class MessageBuilder {
 public:
  explicit MessageBuilder(std::uint16_t id = 0x1234, std::uint16_t flags = 0x0100)
      : octets_(dns::kHeaderOctets) {
    dns::write16(&octets_[0], id);
    dns::write16(&octets_[2], flags);
  }

  MessageBuilder& question(std::string_view name, dns::Type type,
                           std::uint16_t klass = dns::kClassIn) {
    append(dns::Name::parse(name).value().wire());
    append16(static_cast<std::uint16_t>(type));
    append16(klass);
    return count(4);
  }
  MessageBuilder& raw_question(std::span<const std::uint8_t> name, std::uint16_t type = 1) {
    append(name);
    append16(type);
    append16(dns::kClassIn);
    return count(4);
  }

  struct Opt {
    std::uint16_t size = 1232;
    std::uint8_t version = 0;
    bool dnssec_ok = false;
    Octets options = {};
    std::string owner = ".";
  };
  MessageBuilder& opt(const Opt& opt) {
    append(dns::Name::parse(opt.owner).value().wire());
    append16(41);
    append16(opt.size);
    append(Octets{0, opt.version, static_cast<std::uint8_t>(opt.dnssec_ok ? 0x80 : 0), 0});
    append16(static_cast<std::uint16_t>(opt.options.size()));
    append(opt.options);
    return count(10);
  }
  MessageBuilder& opt() { return opt(Opt{}); }

  /// @param section  offset of its count in the header: 6 answer, 8 authority, 10 additional.
  MessageBuilder& record(std::size_t section, std::string_view owner, std::uint16_t type,
                         std::uint16_t klass, const Octets& data) {
    append(dns::Name::parse(owner).value().wire());
    append16(type);
    append16(klass);
    append(Octets{0, 0, 0, 0});
    append16(static_cast<std::uint16_t>(data.size()));
    append(data);
    return count(section);
  }

  MessageBuilder& tail(const Octets& octets) {
    append(octets);
    return *this;
  }
  MessageBuilder& set_count(std::size_t section, std::uint16_t value) {
    dns::write16(&octets_[section], value);
    return *this;
  }

  Octets take() const { return octets_; }
  operator Octets() const { return octets_; }

 private:
  void append(std::span<const std::uint8_t> octets) {
    octets_.insert(octets_.end(), octets.begin(), octets.end());
  }
  void append16(std::uint16_t value) {
    append(Octets{static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)});
  }
  MessageBuilder& count(std::size_t section) {
    dns::write16(&octets_[section], static_cast<std::uint16_t>(dns::read16(&octets_[section]) + 1));
    return *this;
  }

  Octets octets_;
};

}  // namespace viaduct::test
