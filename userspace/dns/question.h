#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dns/message.h"
#include "dns/name.h"

namespace viaduct::dns {

/// What a received message is, before anything is looked up. The first that applies wins.
enum class Verdict : std::uint8_t {
  drop,  ///< no whole header, or itself a response: never answered, so that no loop arises
  not_implemented,  ///< an opcode other than QUERY
  format_error,     ///< breaks the format, or has not exactly one question
  bad_version,      ///< EDNS version over 0
  bad_key,          ///< signed by TSIG; no keys exist here (RFC 8945, 5.2.1)
  query,            ///< one question, to be answered
};

/// A TSIG record's parts that the error answer repeats; all point into the message.
struct Tsig {
  std::span<const std::uint8_t> key_name;
  std::span<const std::uint8_t> algorithm;
  std::span<const std::uint8_t> time_and_fudge;  ///< 8 octets
};

/// A parsed query. Spans point into the message that was parsed.
struct Question {
  Verdict verdict = Verdict::drop;
  std::uint16_t id = 0;
  std::uint8_t opcode = 0;
  bool recursion_desired = false;

  bool has_question =
      false;  ///< there is exactly one question and it parsed; the next five are valid then
  std::span<const std::uint8_t> name;  ///< as sent
  std::uint16_t type = 0;
  std::uint16_t klass = 0;
  std::uint8_t label_count = 0;
  std::array<std::uint8_t, kMaxLabels>
      label_starts;  ///< offset of each label's length octet in `name`

  bool has_opt = false;  ///< exactly one OPT record parsed so far
  std::uint16_t udp_size = 0;
  bool dnssec_ok = false;

  bool has_tsig = false;
  Tsig tsig;
};

/// Parses a message that a client sent. Allocates nothing; time is linear in the message's length.
/// Records other than OPT and TSIG are checked for their bounds and ignored.
/// Sources: RFC 1035, 4.1; RFC 6891, 6.1; RFC 8945, 4.2, 5.1; RFC 9619 (one question).
Question parse_question(std::span<const std::uint8_t> message);

}  // namespace viaduct::dns
