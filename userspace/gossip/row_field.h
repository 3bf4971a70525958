#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"

namespace viaduct::gossip {

struct NodeFacts;

/// One thing that a value says. A reader skips the tags that it does not know.
struct Field {
  std::uint8_t tag = 0;
  base::ByteView octets;
};

void put_field(base::Writer& writer, std::uint8_t tag, base::ByteView octets);
/// The reader fails when there is none.
Field take_field(base::Reader& reader);

base::Bytes write_facts(const NodeFacts& facts);
/// Absent: malformed.
std::optional<NodeFacts> read_facts(base::ByteView value);

}  // namespace viaduct::gossip
