#include "gossip/table_rows.h"

#include <type_traits>
#include <variant>

namespace viaduct::gossip {
namespace {

/// The parts of a change that rows which came, or went, are sorted into.
struct Sorted {
  std::vector<service::BackendRow>& backends;
  std::vector<service::NamedTick>& names;
  std::vector<service::TaskRow>& tasks;
  std::vector<service::MesosRow>& processes;
  std::vector<service::RejectedRow>& rejected;
};

std::optional<NodeFacts> sort_into(const Sorted& sorted, const std::string& owner,
                                   const std::vector<WireRow>& rows, const RowRules& rules) {
  std::optional<NodeFacts> facts;
  for (const WireRow& wire : rows) {
    auto row = decode_row(wire, rules);
    if (!row)
      sorted.rejected.push_back({"node " + owner, row.error().context});
    else if (auto* backend = std::get_if<service::BackendRow>(&*row))
      sorted.backends.push_back(std::move(*backend));
    else if (auto* name = std::get_if<NameRow>(&*row))
      sorted.names.push_back({std::move(name->name), name->tick});
    else if (auto* task = std::get_if<service::TaskRow>(&*row))
      sorted.tasks.push_back(std::move(*task));
    else if (auto* process = std::get_if<service::MesosRow>(&*row))
      sorted.processes.push_back(std::move(*process));
    else if (auto* found = std::get_if<NodeFacts>(&*row))
      facts = std::move(*found);
  }
  return facts;
}

}  // namespace

DecodedChange decode_change(const OwnerChange& change, const RowRules& rules) {
  DecodedChange decoded;
  decoded.owner = change.owner;
  decoded.dropped = change.dropped;
  const auto old =
      sort_into({decoded.rows.removed, decoded.rows.names_removed, decoded.rows.tasks_removed,
                 decoded.rows.processes_removed, decoded.forgiven},
                change.owner, change.removed, rules);
  decoded.facts = sort_into({decoded.rows.added, decoded.rows.names_added, decoded.rows.tasks_added,
                             decoded.rows.processes_added, decoded.rejected},
                            change.owner, change.added, rules);
  decoded.facts_gone = old && !decoded.facts;
  return decoded;
}

}  // namespace viaduct::gossip
