#include "tools/viaductctl/doctor.h"

#include <algorithm>
#include <boost/json.hpp>

#include "tools/viaductctl/table.h"

namespace viaduct::ctl {
namespace {

std::string_view word(Level level) {
  switch (level) {
    case Level::ok:
      return "ok";
    case Level::warn:
      return "warn";
    case Level::fault:
      return "fault";
  }
  return "";
}

}  // namespace

bool matches_pattern(std::string_view name, std::string_view pattern) {
  if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
  return name == pattern;
}

std::string some_of(const std::vector<std::string>& texts) {
  constexpr std::size_t kShown = 3;
  std::string out;
  for (std::size_t i = 0; i < std::min(kShown, texts.size()); i++)
    out += (i ? ", " : "") + texts[i];
  if (texts.size() > kShown) out += " and " + std::to_string(texts.size() - kShown) + " more";
  return out;
}

std::vector<Finding> judge(const Facts& facts) {
  std::vector<Finding> all;
  for (const auto topic :
       {judge_daemon, judge_kernel, judge_network, judge_links, judge_dns, judge_cluster})
    for (Finding& finding : topic(facts)) all.push_back(std::move(finding));
  return all;
}

std::string findings_text(const std::vector<Finding>& findings) {
  std::size_t width = 0;
  std::size_t counts[3] = {};
  for (const Finding& finding : findings) width = std::max(width, finding.check.size());
  std::string out;
  const auto padded = [](std::string_view text, std::size_t columns) {
    std::string padded_text(text);
    padded_text.resize(std::max(columns, text.size()), ' ');
    return padded_text;
  };
  for (const Finding& finding : findings) {
    counts[static_cast<int>(finding.level)]++;
    out += padded(word(finding.level), 5) + "  " + padded(printable(finding.check), width) + "  " +
           printable(finding.what) + "\n";
    if (!finding.fix.empty())
      out += std::string(7, ' ') + padded("", width) + "  fix: " + printable(finding.fix) + "\n";
  }
  const auto plural = [](std::size_t n, const std::string& name) {
    return std::to_string(n) + " " + name + (n == 1 ? "" : "s");
  };
  return out + plural(counts[2], "fault") + ", " + plural(counts[1], "warning") + ", " +
         std::to_string(counts[0]) + " ok\n";
}

json::array findings_json(const std::vector<Finding>& findings) {
  json::array all;
  for (const Finding& finding : findings)
    all.push_back({{"level", word(finding.level)},
                   {"check", finding.check},
                   {"what", finding.what},
                   {"fix", finding.fix}});
  return all;
}

}  // namespace viaduct::ctl
