#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gossip/row_codec.h"
#include "gossip/store.h"
#include "service/node_rows.h"

namespace viaduct::gossip {

/// An OwnerChange in the words of the model.
struct DecodedChange {
  std::string owner;
  bool dropped = false;
  service::NodeChange rows;
  std::optional<NodeFacts> facts;              ///< new ones; absent: as before
  bool facts_gone = false;                     ///< no new ones have come for those that went
  std::vector<service::RejectedRow> forgiven;  ///< rejected ones that are there no more
  std::vector<service::RejectedRow> rejected;
};

/// Decoding depends on the row and the rules alone, so what is decoded when a row goes is what was
/// decoded when it came. A row that is rejected touches no other.
DecodedChange decode_change(const OwnerChange& change, const RowRules& rules);

}  // namespace viaduct::gossip
