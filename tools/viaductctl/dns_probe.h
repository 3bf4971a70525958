#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace viaduct::ctl {

/// A query for the SOA record of l4lb.thisdcos.directory (RFC 1035, 4.1), recursion not desired.
std::vector<std::uint8_t> soa_query(std::uint16_t id);

/// What is wrong with the reply to soa_query(); empty: an authoritative NOERROR with an answer.
std::string judge_soa_reply(std::span<const std::uint8_t> reply, std::uint16_t id);

}  // namespace viaduct::ctl
