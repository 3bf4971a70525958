#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "service/row.h"

namespace viaduct::service {

/// Most backend rows that one source of a node may have; those of the first parts, by name, are
/// kept, and the rest is rejected with a reason.
inline constexpr std::size_t kMaxRowsPerSource = 16384 * 8;

/// What a source's answer changed among its rows.
struct SourceChange {
  bool any = false;  ///< anything differs, be it what the source rejects, or that it answers at all
  std::vector<BackendRow> removed;
  std::vector<BackendRow> added;
  std::optional<std::vector<PortMapping>> port_mappings;  ///< all there are now; absent: as before
  std::vector<TaskRow> tasks_removed{};
  std::vector<TaskRow> tasks_added{};
  std::vector<MesosRow> processes_removed{};
  std::vector<MesosRow> processes_added{};

  explicit operator bool() const { return any; }
};

/// Rows that only one of two lists has; a row counts as often as it is there. Takes time in the
/// length of the lists, and little of it while their orders agree.
SourceChange compare_rows(std::span<const BackendRow> before, std::span<const BackendRow> after);

/// This node's rows, by source. A source replaces all of its own; one that fails keeps its last
/// ones.
class LocalTable {
 public:
  struct Source {
    SourceParts parts;
    bool needed = true;     ///< complete() waits for it
    bool restored = false;  ///< the rows are from before this process; the source has yet to answer
    std::optional<base::Time> last_success;  ///< absent: never answered since the start
    std::optional<base::Time> last_failure;
    std::string last_error;  ///< empty after a success
    std::uint64_t failures = 0;
  };

  /// Announces a source, so that the table is not complete before its first answer.
  void expect(const std::string& source);

  /// Announces a source that the table does not wait for: no VIP comes from it.
  void offer(const std::string& source) { sources_[source].needed = false; }

  /// Takes what a source reads now. Costs the number of parts and what is in those that are not the
  /// ones taken before.
  SourceChange replace(const std::string& source, SourceParts parts, base::Time now);

  /// Rows from before a restart stand in until the source answers.
  SourceChange restore(const std::string& source, SourceParts parts);

  /// Notes that a source could not be read; its rows stay.
  void fail(const std::string& source, std::string error, base::Time now);

  /// Whether every expected source has answered once, or is stood in for by restored rows. Before
  /// that nothing may be withdrawn.
  bool complete() const;

  /// Counts changes of rows.
  std::uint64_t revision() const { return revision_; }

  const std::map<std::string, Source>& sources() const { return sources_; }

 private:
  static SourceChange exchange(Source& source, SourceParts parts);

  std::map<std::string, Source> sources_;
  std::uint64_t revision_ = 0;
};

}  // namespace viaduct::service
