#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// What /v1/dns says about a question, for people.
/// @param asked  what a server said when it was asked, a sentence; "": none was.
std::string dns_text(const json::value& explanation, const std::string& asked);

/// A server's reply to a query, in a sentence.
/// @param reply  at least the header is checked.
std::string dns_reply_text(const std::string& server, std::span<const std::uint8_t> reply,
                           double milliseconds);

/// The records of /v1/records whose name has a text in it.
json::array select_records(const json::value& records, const std::string& part);
std::string records_text(const json::array& records);

}  // namespace viaduct::ctl
