#include "mesos/record_rejections.h"

#include <algorithm>
#include <string>
#include <utility>

#include "mesos/limits.h"

namespace viaduct::mesos {

void RecordRejections::set(const Known& record, std::vector<service::RejectedRow> rows) {
  erase(record);
  if (rows.empty()) return;
  const std::size_t left = kMaxRejected - std::min(kMaxRejected, kept_);
  const std::size_t kept = std::min({rows.size(), kMaxRejectedPerRecord, left});
  Entry& entry = records_[&record];
  entry.more = rows.size() - kept;
  rows.resize(kept);
  rows.shrink_to_fit();
  entry.kept = std::move(rows);
  kept_ += kept;
  more_ += entry.more;
}

void RecordRejections::erase(const Known& record) {
  const auto found = records_.find(&record);
  if (found == records_.end()) return;
  kept_ -= found->second.kept.size();
  more_ -= found->second.more;
  records_.erase(found);
}

void RecordRejections::set_snapshot(std::vector<service::RejectedRow> rows) {
  snapshot_ = std::move(rows);
  events_.clear();
}

void RecordRejections::add_event(std::vector<service::RejectedRow> rows) {
  for (auto& row : rows) {
    if (events_.size() == kMaxRejectedEvents) events_.pop_front();
    events_.push_back(std::move(row));
  }
}

std::vector<service::RejectedRow> RecordRejections::all() const {
  std::vector<service::RejectedRow> rows = snapshot_;
  rows.insert(rows.end(), events_.begin(), events_.end());
  for (const auto& record : records_)
    rows.insert(rows.end(), record.second.kept.begin(), record.second.kept.end());
  std::sort(rows.begin(), rows.end());
  if (more_ > 0)
    rows.push_back({"the rest of the cluster", std::to_string(more_) + " more could not be used"});
  return rows;
}

}  // namespace viaduct::mesos
