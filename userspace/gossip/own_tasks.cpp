#include "gossip/own_tasks.h"

#include <utility>

#include "gossip/task_codec.h"

namespace viaduct::gossip {

void OwnTasks::apply(const std::string& source, const service::SourceChange& change) {
  for (const service::TaskRow& row : change.tasks_removed) {
    const std::string key = task_key(row);
    auto& rows = tasks_[key].rows;
    if (const auto known = rows.find({source, row}); known != rows.end()) rows.erase(known);
    touched_.insert(key);
  }
  for (const service::TaskRow& row : change.tasks_added) {
    const std::string key = task_key(row);
    tasks_[key].rows.emplace(source, row);
    touched_.insert(key);
  }
}

std::optional<std::string> OwnTasks::wanted(const std::string& key, Own& own) {
  own.rejected.reset();
  withheld_.erase(key);
  if (own.rows.empty()) return std::nullopt;
  const service::TaskRow& row = own.rows.begin()->second;
  const auto wire = encode_row(row);
  if (!wire) {
    own.rejected = {node_ + ": " + row.id, wire.error().context};
    return std::nullopt;
  }
  const std::size_t rows = rows_ - (own.published ? 1 : 0);
  const std::size_t octets = octets_ - (own.published ? key.size() + own.published->size() : 0);
  if (rows < kMaxTaskRows && octets + wire->size() <= kMaxTaskOctetsPerOwner)
    return std::string(wire->value());
  withheld_.insert(key);
  own.rejected = {node_ + ": " + row.id,
                  "other nodes are not told of this task: this node has more than it may publish"};
  return std::nullopt;
}

void OwnTasks::publish(const std::set<std::string>& keys, std::vector<RowChange>& changes) {
  for (const std::string& key : keys) {
    const auto own = tasks_.find(key);
    if (own == tasks_.end()) continue;
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
    if (own->second.rows.empty()) tasks_.erase(own);
  }
}

void OwnTasks::take(std::vector<RowChange>& changes) {
  const std::set<std::string> withheld = withheld_;
  const auto before = std::pair(rows_, octets_);
  publish(std::exchange(touched_, {}), changes);
  if (rows_ < before.first || octets_ < before.second)
    publish(withheld, changes);  // there is room again
}

void OwnTasks::rejected(std::vector<service::RejectedRow>& all) const {
  for (const auto& [key, own] : tasks_)
    if (own.rejected) all.push_back(*own.rejected);
}

}  // namespace viaduct::gossip
