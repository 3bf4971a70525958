#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dns/message.h"
#include "dns/name.h"

namespace viaduct::dns {

/// A query of class IN (RFC 1035, 4.1), recursion not desired.
std::vector<std::uint8_t> make_query(std::uint16_t id, const Name& name, Type type);

/// The same query with an EDNS option that means nothing (padding, RFC 7830): the kernel leaves
/// queries with options to user space, and it is user space that is to be asked.
std::vector<std::uint8_t> past_the_kernel(std::span<const std::uint8_t> query);

/// What is wrong with a reply of ours to make_query(); empty: an authoritative NOERROR with an
/// answer. It reads as the end of a sentence about the server.
std::string judge_reply(std::span<const std::uint8_t> reply, std::span<const std::uint8_t> query);

}  // namespace viaduct::dns
