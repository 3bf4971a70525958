#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dns/question.h"
#include "dns/table.h"

namespace viaduct::dns {

enum class Transport : std::uint8_t { udp, tcp };

/// What became of a message; the label of the query counters.
enum class Outcome : std::uint8_t {
  dropped,         ///< not answered
  answered,        ///< NOERROR with records
  no_data,         ///< NOERROR without: the name exists, the type does not
  name_error,      ///< NXDOMAIN
  truncated,       ///< NOERROR without records and TC: to be asked again over TCP
  refused,         ///< not our zone or class, or a zone transfer
  server_failure,  ///< our zone, but its contents are not known yet
  format_error,
  not_implemented,
  bad_version,
  bad_key,
  forwarded,  ///< not our zone: the forwarder answers
};
inline constexpr std::size_t kOutcomes = 12;

/// What becomes of a question outside our zones; RA is set in all answers unless it is `off`.
enum class Forwarding : std::uint8_t {
  off,   ///< REFUSED
  on,    ///< nothing is written; the caller hands the message to the forwarder
  full,  ///< SERVFAIL: the forwarder takes no more at the moment
};

/// "answered", "no_data", ...: as in the enumeration.
const char* to_string(Outcome outcome);

/// Octets that a buffer for respond() has.
constexpr std::size_t answer_capacity(Transport transport) {
  return transport == Transport::udp ? kMaxUdpOctets : kMaxTcpOctets;
}

/// Octets that an answer to a question may have.
std::size_t limit_of(const Question& question, Transport transport);

struct Response {
  std::size_t octets = 0;  ///< 0: send nothing now
  Outcome outcome = Outcome::dropped;
};

/// A message that was read, and where its answer is looked for.
class Query {
 public:
  /// The first step: the message is parsed, its zone is found. The table's index is fetched.
  /// @param message, table  live until respond().
  void read(std::span<const std::uint8_t> message, const Table& table);
  /// The second step, when many queries have made the first: the name's slot is fetched.
  void fetch() const;
  /// The last step.
  Response respond(Transport transport, std::span<std::uint8_t> out,
                   Forwarding forwarding = Forwarding::off) const;

 private:
  Response look_up(Forwarding forwarding, class Message& answer) const;

  const Table* table_ = nullptr;
  Question question_;
  std::optional<FoldedName> name_;     ///< of a query for one of our zones
  std::optional<Table::Place> place_;  ///< absent: it is in none
  std::uint64_t hash_ = 0;
};

/// Answers one message: all steps of a Query. Allocates nothing and never fails: what cannot be
/// answered is dropped or gets an error code. Several addresses start at record (message id) mod n,
/// as dcos-net's round_robin does. SRV records come with an address of each family of their
/// targets, as far as these are served here and there is room.
/// @param out  at least answer_capacity(transport) octets, not overlapping `message`.
/// Sources: RFC 1035; RFC 2308 (negative answers); RFC 6891 (EDNS); RFC 8482 (ANY); RFC 8906; RFC
/// 8945, 5.2.1.
Response respond(std::span<const std::uint8_t> message, const Table& table, Transport transport,
                 std::span<std::uint8_t> out, Forwarding forwarding = Forwarding::off);

}  // namespace viaduct::dns
