#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/subnet.h"
#include "gossip/vip_message.h"
#include "service/name_ticks.h"
#include "service/row.h"
#include "service/task_row.h"

namespace viaduct::gossip {

/// What a node says about itself.
struct NodeFacts {
  std::vector<base::Address> addresses;
  std::optional<base::Address> tunnel4;  ///< where tunnels to it end
  std::optional<base::Address> tunnel6;
  std::string version;                 ///< of its daemon
  std::vector<std::uint64_t> key_ids;  ///< of its keyring; the first is the one it seals with
  std::vector<base::Subnet> subnets;   ///< of its containers

  bool operator==(const NodeFacts&) const = default;
};

/// A named VIP that a node publishes backends of, or did so not long ago.
struct NameRow {
  std::string name;
  service::Tick tick = 0;

  bool operator==(const NameRow&) const = default;
};

/// A row of a kind that a later version brings.
struct UnknownRow {
  bool operator==(const UnknownRow&) const = default;
};

using DecodedRow = std::variant<UnknownRow, service::BackendRow, NodeFacts, NameRow,
                                service::TaskRow, service::MesosRow>;

/// What other nodes' rows may say; an empty list allows every address that can be one.
struct RowRules {
  std::vector<base::Subnet> vips;
  std::vector<base::Subnet> backends;
};

/// Whether others may publish something at an address.
bool is_allowed_backend(const base::Address& address, const RowRules& rules);

/// @errors Errc::malformed: no other node can use the row; the context says why.
base::Result<WireRow> encode_row(const service::BackendRow& row);
WireRow encode_row(const NodeFacts& facts);
WireRow encode_row(const NameRow& name);

/// The key of the one row with a node's facts.
std::string_view facts_key();

/// Fields behind the known ones are skipped.
/// @errors Errc::malformed: the context names the row and says what is wrong with it.
base::Result<DecodedRow> decode_row(const WireRow& row, const RowRules& rules);

/// The part of a backend's key that says which VIP it belongs to; "" for other rows.
std::string_view vip_prefix(std::string_view key);

}  // namespace viaduct::gossip
