#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dns/forward/cache.h"
#include "dns/forward/query.h"
#include "dns/forward/reply.h"
#include "dns/message.h"

namespace viaduct::dns::forward {

/// TTL of an answer that is served although its own ended (RFC 8767, 4).
inline constexpr std::uint32_t kStaleTtl = 30;

/// Makes an upstream's message into what is kept and served: without the OPT, the flags that are
/// ours cleared, no TTL over the one that the whole is kept for, unless that is 0.
/// @param reply  accepted, with a question.
CachedAnswer to_answer(base::ByteView message, const Reply& reply, std::size_t upstream);

/// How old an answer is when it is written.
struct Age {
  std::uint32_t seconds = 0;  ///< each TTL is less by this
  bool stale = false;         ///< each TTL is kStaleTtl; said in the OPT (RFC 8914, 4.4)
};

/// Writes an answer as a client asked for it: its id, its spelling of the question, an OPT of ours
/// if it sent one. Over the client's limit: TC and no records.
/// @param out  at least query.limit octets.
/// @return octets written.
std::size_t write_answer(const ClientQuery& query, const CachedAnswer& answer, const Age& age,
                         std::span<std::uint8_t> out);

/// Writes an answer with an error code and no records.
std::size_t write_error(const ClientQuery& query, Rcode rcode, std::span<std::uint8_t> out);

}  // namespace viaduct::dns::forward
