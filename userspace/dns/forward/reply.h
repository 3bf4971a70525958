#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace viaduct::dns::forward {

/// Most octets that one record set's worth of time is spent on: how long answers are kept at most,
/// seconds (RFC 8767, 4: a cap on the order of days to weeks; ours is a day).
inline constexpr std::uint32_t kMaxTtl = 86400;
/// The same for NXDOMAIN and NODATA (RFC 2308, 5 asks for one to three hours).
inline constexpr std::uint32_t kMaxNegativeTtl = 3600;
/// Compression pointers that one name may follow.
inline constexpr int kMaxPointers = 127;

/// What a message from an upstream is to the query that it may answer.
enum class ReplyVerdict : std::uint8_t {
  accepted,
  truncated,     ///< to be asked again over TCP
  case_changed,  ///< the right question in other letter case
  not_response,  ///< no whole header, QR not set, or another opcode
  wrong_id,
  wrong_question,
  malformed,  ///< breaks the format behind the question
};

/// A message from an upstream, looked through.
struct Reply {
  ReplyVerdict verdict = ReplyVerdict::not_response;
  std::uint16_t rcode = 0;  ///< with the upper bits of the OPT (RFC 6891, 6.1.3)
  bool has_question = false;
  bool has_opt = false;
  /// Octets up to the OPT, or to the end of the last record: what is worth keeping. Records behind
  /// an OPT are additional data, which may be left out.
  std::size_t octets = 0;
  std::uint16_t answers = 0, authority = 0, additional = 0;  ///< records in these octets
  std::vector<std::uint16_t> ttl_offsets;                    ///< where their TTLs lie
  /// Seconds that it may be kept; 0: not at all. The least TTL of all records; without an answer
  /// also the SOA's minimum, and 0 if there is no SOA (RFC 2308, 5).
  std::uint32_t ttl_s = 0;
};

/// Checks a message against the query that was sent. Bounded: time is linear in the number of
/// records and the labels of their names.
/// An error code without a question is accepted: servers that cannot read a query send that.
/// @param sent  as upstream_query() made it.
/// Sources: RFC 5452, 9.1; RFC 1035, 4.1.4; RFC 6891, 6.1; RFC 2181, 8 (TTL).
Reply inspect(base::ByteView message, base::ByteView sent);

}  // namespace viaduct::dns::forward
