#pragma once

#include <viaduct/abi/dns.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "dns/record.h"

namespace viaduct::dns {

/// Most octets of one record set's answer body, so that question, body and OPT always fit one TCP
/// message.
inline constexpr std::size_t kMaxBodyOctets = 60000;
/// Of a record before its data: the owner as a pointer, type, class, TTL, the data's length.
inline constexpr std::size_t kRecordHeadOctets = 12;
/// Most types of one name.
inline constexpr std::size_t kMaxSets = 255;

/// One record set's answer.
struct Answer {
  /// The answer section as it goes on the wire: every owner is the pointer C0 0C, so the octets
  /// are the same for whatever case or alias the client used.
  std::span<const std::uint8_t> body;
  std::uint16_t records = 0;
  std::uint16_t unit_octets = 0;  ///< of one record, if all are equally long and there are several
};

/// What exists at one name, compiled: for each type a head (vd_dns_set), the body, zeros up to 8
/// octets.
struct RecordSets {
  std::uint8_t count = 0;
  std::vector<std::uint8_t> octets;
};

/// Compiles the records of one name. Records that occur twice count once; a set has the shortest
/// TTL of its records (RFC 2181, 5.2).
/// @param rejected  gets an error for what is left out: records of a set behind its first
///     kMaxBodyOctets, types behind the first kMaxSets.
RecordSets compile(std::vector<Record> records, std::vector<base::Error>& rejected);

/// The records of a type; for ANY those of one type, A before all others (RFC 8482, 4.1).
/// @param octets  of `count` sets.
/// @return absent: NODATA.
std::optional<Answer> find_set(const std::uint8_t* octets, std::uint8_t count, std::uint16_t type);

/// All records of compiled sets.
void append_records(const Name& owner, const std::uint8_t* octets, std::uint8_t count,
                    std::vector<Record>& records);

/// How many records compiled sets have.
std::size_t record_count(const std::uint8_t* octets, std::uint8_t count);

/// How many octets so many sets take.
std::size_t sets_octets(const std::uint8_t* octets, std::uint8_t count);

/// Appends a record in its wire form; its owner is the pointer to the question's name.
void append_record(std::vector<std::uint8_t>& body, const Record& record, std::uint32_t ttl_s);

/// What `octets` take filled up to whole words.
constexpr std::size_t padded(std::size_t octets) { return (octets + 7) / 8 * 8; }

}  // namespace viaduct::dns
