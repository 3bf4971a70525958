#include "tools/viaductctl/rows.h"

#include <boost/json.hpp>

#include "base/address.h"
#include "tools/viaductctl/table.h"

namespace viaduct::ctl {
namespace {

using Align = Table::Align;

std::string vip_text(const json::value& row) {
  const std::string vip = text_of(row, "vip");
  const bool brackets = vip.find(':') != std::string::npos;
  return (brackets ? "[" + vip + "]" : vip) + ":" + std::to_string(number_of(row, "vip_port"));
}

std::string source_text(std::string_view name, const json::value& source) {
  const bool answered = flag_of(source, "complete");
  const std::string error = printable(text_of(source, "last_error"));
  std::string out = std::string(name) + ": " + counted(list_of(source, "rows").size(), "row") +
                    ", " + std::to_string(list_of(source, "rejected").size()) + " rejected, ";
  out += answered ? "read " + duration_text(number_of(source, "age_ms")) + " ago"
                  : "never read since the start";
  if (!error.empty()) out += "; failing: " + error;
  return out + "\n";
}

}  // namespace

std::string rows_text(const json::value& rows) {
  Table table(
      {{"SOURCE"}, {"VIP"}, {"PROTO"}, {"BACKEND"}, {"WEIGHT", Align::right}, {"PICK"}, {"TASK"}});
  std::string summary;
  for (const auto& [name, source] : object_of(rows, "sources").get_object()) {
    summary += source_text(name, source);
    for (const json::value& row : list_of(source, "rows"))
      table.add({std::string(name), vip_text(row), text_of(row, "protocol"),
                 text_of(row, "backend"), std::to_string(number_of(row, "weight")),
                 text_of(row, "pick"), text_of(row, "task")});
  }
  if (summary.empty()) return "no source is configured: set files.directory or mesos.agent\n";
  const std::size_t merged = list_of(rows, "merge_rejected").size();
  if (merged) summary += "merge: " + std::to_string(merged) + " rejected\n";
  return (table.empty() ? "" : table.text() + "\n") + summary;
}

json::array rejected_list(const json::value& rows) {
  json::array list;
  const auto add = [&](std::string_view source, const json::array& rejected) {
    for (const json::value& row : rejected)
      list.push_back({{"source", source},
                      {"where", text_of(row, "where")},
                      {"reason", text_of(row, "reason")}});
  };
  for (const auto& [name, source] : object_of(rows, "sources").get_object())
    add(name, list_of(source, "rejected"));
  add("merge", list_of(rows, "merge_rejected"));
  return list;
}

std::string rejected_text(const json::value& rows) {
  Table table({{"SOURCE"}, {"WHERE"}, {"REASON"}});
  for (const json::value& row : rejected_list(rows))
    table.add({text_of(row, "source"), text_of(row, "where"), text_of(row, "reason")});
  return table.empty() ? "nothing was rejected\n" : table.text();
}

}  // namespace viaduct::ctl
