#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <vector>

#include "service/row.h"

namespace viaduct::mesos {

struct Known;

/// What could not be used of what a master says now: of each record, of the last snapshot's records
/// without id, and of the last events without one. It keeps at most kMaxRejected of records and
/// counts the rest.
class RecordRejections {
 public:
  /// Replaces those of a record.
  void set(const Known& record, std::vector<service::RejectedRow> rows);
  void erase(const Known& record);
  /// Replaces those of records without id.
  void set_snapshot(std::vector<service::RejectedRow> rows);
  void add_event(std::vector<service::RejectedRow> rows);

  /// Sorted.
  std::vector<service::RejectedRow> all() const;

 private:
  struct Entry {
    std::vector<service::RejectedRow> kept;
    std::size_t more = 0;
  };
  std::map<const Known*, Entry> records_;
  std::size_t kept_ = 0;  // in records_
  std::size_t more_ = 0;  // in records_
  std::vector<service::RejectedRow> snapshot_;
  std::deque<service::RejectedRow> events_;
};

}  // namespace viaduct::mesos
