#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gossip/message.h"
#include "gossip/meta.h"

namespace viaduct::gossip {

/// A node of Viaduct, whose address ends in `last`.
inline NodeInfo node_info(const std::string& name, std::uint8_t last) {
  NodeInfo info;
  info.name = name;
  info.endpoint = {base::Address::v4({192, 0, 2, last}), 7946};
  info.meta = encode_tags({{kViaductTag, "1"}});
  return info;
}

inline NodeInfoPtr node(const std::string& name, std::uint8_t last) {
  return std::make_shared<const NodeInfo>(node_info(name, last));
}

inline MessagePtr share(Message message) {
  return std::make_shared<const Message>(std::move(message));
}

}  // namespace viaduct::gossip
