#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "base/address.h"
#include "base/result.h"
#include "dns/name.h"
#include "dns/respond.h"

namespace viaduct::dns {

/// Asks a server and waits for its reply.
/// @param query  whole, without the length that TCP puts before it.
/// @errors the system's code: ETIMEDOUT, ECONNREFUSED and the like.
base::Result<std::vector<std::uint8_t>> exchange(const base::Endpoint& server, Transport transport,
                                                 std::span<const std::uint8_t> query,
                                                 std::chrono::milliseconds patience);

/// Whether one of our servers answers for a name.
/// @return what is wrong, as the end of a sentence about the server; empty: it answers.
std::string probe(const base::Endpoint& server, Transport transport, const Name& name, Type type,
                  std::chrono::milliseconds patience);

}  // namespace viaduct::dns
