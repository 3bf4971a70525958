#pragma once

#include <string>
#include <vector>

namespace viaduct::zookeeper {

/// A child of a path.
struct Node {
  std::string name;        ///< without the path
  std::string data;        ///< at most kMaxNodeBytes
  std::string unreadable;  ///< why `data` is not known; "": it is

  bool operator==(const Node&) const = default;
};

/// What a path has.
struct Contents {
  bool exists = false;      ///< whether there is such a path
  std::vector<Node> nodes;  ///< its children that were asked for, by name

  bool operator==(const Contents&) const = default;
};

}  // namespace viaduct::zookeeper
