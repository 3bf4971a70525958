#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "dns/question.h"
#include "dns/respond.h"

namespace viaduct::dns::forward {

/// 64 bits that nobody can guess; ids, letter case and keys come from it.
using Random = std::function<std::uint64_t()>;

inline constexpr std::uint16_t kFlagResponse = 0x8000;
inline constexpr std::uint16_t kFlagTruncated = 0x0200;
inline constexpr std::uint16_t kFlagRecursionDesired = 0x0100;
inline constexpr std::uint16_t kFlagRecursionAvailable = 0x0080;
inline constexpr std::uint16_t kFlagAuthenticData = 0x0020;
inline constexpr std::uint16_t kFlagCheckingDisabled = 0x0010;
/// Flags of a query that travel on as they are: RD, the reserved one, AD, CD (RFC 5625, 4.1).
inline constexpr std::uint16_t kForwardedFlags = 0x0170;
inline constexpr std::size_t kOptOctets = 11;

/// A client's query that is to be forwarded.
struct ClientQuery {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;  ///< kForwardedFlags only
  base::ByteView question;  ///< name, type and class as sent; points into the client's message
  bool has_opt = false;
  bool dnssec_ok = false;
  std::size_t limit = kPlainUdpOctets;  ///< octets that its answer may have

  base::ByteView name() const { return question.first(question.size() - 4); }
  std::uint16_t type() const { return read16(&question[question.size() - 4]); }
};

/// @param question  of `message`, with the verdict `query`.
ClientQuery client_query(base::ByteView message, const Question& question, Transport transport);

/// Writes what two queries have in common that may share an answer: the folded name, type, class,
/// the forwarded flags and DO.
void write_key(const ClientQuery& query, std::string& key);

/// How a question is put to an upstream.
struct Manner {
  bool edns = true;
  bool mixed_case = true;  ///< each letter's case by chance (draft-vixie-dnsext-dns0x20-00)
};

/// A query for an upstream: an id of our own, the question, and an OPT of our own with the client's
/// DO. Options of the client are between it and us and stay behind; nothing about the client is
/// added.
base::Bytes upstream_query(const ClientQuery& query, const Manner& manner, const Random& random);

}  // namespace viaduct::dns::forward
