#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace viaduct::mesos {

/// A part of a JSON text that is wanted.
struct JsonPart {
  /// From the text's root: "get_tasks.tasks[]" is each element of the list `tasks` of the object
  /// `get_tasks`. A path may lead on through another part: "frameworks[]" and
  /// "frameworks[].tasks[]"; that member is then no part of the first one.
  std::string path;
  std::vector<std::string> members{};  ///< of an object: only these are built; none: all
  bool only_seen = false;              ///< of an object or list: nothing is built
};

/// Takes the parts of a text one by one, in their order; one that holds others comes after them.
class JsonPartReader {
 public:
  virtual ~JsonPartReader() = default;

  /// @param part  its place in the list of wanted parts.
  /// @param value  lives for the call; null for a part that is only to be seen.
  /// @param index  of the element in its list, from 1; else 0.
  virtual void on_part(std::size_t part, const boost::json::value& value, std::size_t index) = 0;
  /// A part over the limit.
  virtual void on_too_large(std::size_t part, std::size_t index) = 0;
  /// What lies on the way to parts is neither null nor the object or list that it has to be.
  virtual void on_mismatch(const std::string& path) = 0;
};

/// Reads wanted parts of JSON texts: no other part takes memory, and each only until the next one.
class JsonLists {
 public:
  struct Node;

  explicit JsonLists(const std::vector<JsonPart>& parts);
  ~JsonLists();

  /// @param max_part_bytes  memory that one part may take once decoded, as far as it is counted.
  /// @errors bad_json, also when nested deeper than kMaxJsonDepth; parts up to there were read.
  base::Result<void> read(std::string_view text, std::size_t max_part_bytes,
                          JsonPartReader& reader) const;

 private:
  std::unique_ptr<Node> root_;
};

}  // namespace viaduct::mesos
