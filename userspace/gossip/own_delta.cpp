#include "gossip/own_delta.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gossip/delta.h"

namespace viaduct::gossip {
namespace {

/// Header of a delta, and what a row's lengths may take.
constexpr std::size_t kHeaderOctets = 50;
constexpr std::size_t kLengthOctets = 6;

}  // namespace

void OwnDelta::add(std::span<const RowChange> changes, std::uint64_t seq) {
  for (const RowChange& change : changes) pending_[change.key] = seq;
}

void OwnDelta::restart(const Rows& rows, std::uint64_t seq) {
  pending_.clear();
  for (const WireRow& row : rows.list()) pending_.emplace(row.key(), seq);
  base_ = 0;
  taken_ = {};
}

void OwnDelta::forget(std::uint64_t seq) {
  std::erase_if(pending_, [&](const auto& change) { return change.second <= seq; });
  base_ = std::max(base_, seq);
}

/// The earliest base whose list fits for sure.
std::uint64_t OwnDelta::fitting_base(const TableVersion& version, const Rows& rows,
                                     std::size_t budget) const {
  std::map<std::uint64_t, std::size_t> octets;  // by seq
  for (const auto& [key, seq] : pending_) {
    const WireRow* row = rows.list().find(key);
    octets[seq] += kLengthOctets + (row ? row->size() : key.size());
  }
  std::size_t sum = kHeaderOctets;
  for (auto step = octets.rbegin(); step != octets.rend(); ++step) {
    sum += step->second;
    if (sum > budget) return step->first;
  }
  return std::min(base_, version.seq);
}

std::optional<Delta> OwnDelta::take(OwnerId owner, const TableVersion& version, const Rows& rows,
                                    std::size_t budget) {
  if (version.seq == 0 || version == taken_) return std::nullopt;
  taken_ = version;
  Delta delta{owner, 0, version, false, {}};
  // What does not fit now never will: more is pending then.
  if (const std::uint64_t base = fitting_base(version, rows, budget); base > base_) forget(base);
  delta.base = base_;
  delta.partial = base_ >= version.seq;
  if (delta.partial) {
    delta.base = 0;
    return delta;
  }
  for (const auto& [key, seq] : pending_) {
    const WireRow* row = rows.list().find(key);
    RowChange& change = delta.changes.emplace_back(key);
    if (row) change.value.emplace(row->value());
  }
  return delta;
}

void OwnDelta::sent() { forget(taken_.seq); }

}  // namespace viaduct::gossip
