#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace viaduct::gossip {

/// A member's meta as Serf writes tags: ff and a msgpack map of strings.
using Tags = std::map<std::string, std::string>;

/// The tag by which Viaduct's nodes know each other, with the version of our own messages.
inline constexpr const char* kViaductTag = "vd";

base::Bytes encode_tags(const Tags& tags);
/// @return absent: these are no tags.
std::optional<Tags> decode_tags(base::ByteView meta);

/// Whether a member understands our own messages.
bool is_viaduct(base::ByteView meta);

}  // namespace viaduct::gossip
