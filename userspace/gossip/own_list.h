#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gossip/process_codec.h"
#include "gossip/table_limits.h"
#include "gossip/task_codec.h"
#include "gossip/vip_message.h"
#include "service/row.h"

namespace viaduct::gossip {

/// What one node may publish of a kind.
struct PublishLimits {
  std::size_t rows;
  std::size_t octets;  ///< of keys and values
};

inline constexpr PublishLimits kTaskLimits = {2'048, kMaxOctetsPerOwner / 4 - 2 * kMaxValueOctets};
inline constexpr PublishLimits kProcessLimits = {1'024, kMaxOctetsPerOwner / 16};

/// The rows of one kind that this node publishes for DNS: running tasks, or processes of Mesos.
/// Costs what changes.
/// @tparam Row  has row_key() and encode_row().
template <class Row>
class OwnList {
 public:
  /// @param node  this node's name.
  OwnList(std::string node, PublishLimits limits) : node_(std::move(node)), limits_(limits) {}

  /// Takes what a source changed.
  void apply(const std::string& source, std::span<const Row> removed, std::span<const Row> added) {
    for (const Row& row : removed) {
      const std::string key = row_key(row);
      auto& rows = all_[key].rows;
      if (const auto known = rows.find({source, row}); known != rows.end()) rows.erase(known);
      touched_.insert(key);
    }
    for (const Row& row : added) {
      const std::string key = row_key(row);
      all_[key].rows.emplace(source, row);
      touched_.insert(key);
    }
  }

  /// Appends what has to be published since the last call.
  void take(std::vector<RowChange>& changes) {
    const std::set<std::string> withheld = withheld_;
    const auto before = std::pair(rows_, octets_);
    publish(std::exchange(touched_, {}), changes);
    if (rows_ < before.first || octets_ < before.second)
      publish(withheld, changes);  // there is room again
  }

  /// Appends what can't be a row, or what there is no room for, as of the last take().
  void rejected(std::vector<service::RejectedRow>& all) const {
    for (const auto& [key, own] : all_)
      if (own.rejected) all.push_back(*own.rejected);
  }

 private:
  struct Own {
    /// With their sources; the first counts, as in the merge.
    std::multiset<std::pair<std::string, Row>> rows;
    std::optional<std::string> published;  ///< the value
    std::optional<service::RejectedRow> rejected;
  };

  void publish(const std::set<std::string>& keys, std::vector<RowChange>& changes) {
    for (const std::string& key : keys) {
      const auto own = all_.find(key);
      if (own == all_.end()) continue;
      auto value = wanted(key, own->second);
      auto& published = own->second.published;
      if (published != value) {
        if (published) {
          rows_--;
          octets_ -= key.size() + published->size();
        }
        if (value) {
          rows_++;
          octets_ += key.size() + value->size();
        }
        changes.emplace_back(key, value);
        published = std::move(value);
      }
      if (own->second.rows.empty()) all_.erase(own);
    }
  }

  /// @return the value that a row should have; notes why there is none.
  std::optional<std::string> wanted(const std::string& key, Own& own) {
    own.rejected.reset();
    withheld_.erase(key);
    if (own.rows.empty()) return std::nullopt;
    const Row& row = own.rows.begin()->second;
    const auto wire = encode_row(row);
    if (!wire) {
      own.rejected = {node_ + ": " + row.id, wire.error().context};
      return std::nullopt;
    }
    const std::size_t rows = rows_ - (own.published ? 1 : 0);
    const std::size_t octets = octets_ - (own.published ? key.size() + own.published->size() : 0);
    if (rows < limits_.rows && octets + wire->size() <= limits_.octets)
      return std::string(wire->value());
    withheld_.insert(key);
    own.rejected = {node_ + ": " + row.id,
                    "other nodes are not told of it: this node has more than it may publish"};
    return std::nullopt;
  }

  std::string node_;
  PublishLimits limits_;
  std::map<std::string, Own> all_;
  std::set<std::string> touched_;
  std::set<std::string> withheld_;  ///< there was no room
  std::size_t rows_ = 0;            ///< published, and their octets
  std::size_t octets_ = 0;
};

}  // namespace viaduct::gossip
