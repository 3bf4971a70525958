#include "tools/viaductctl/table.h"

#include <algorithm>
#include <cassert>

namespace viaduct::ctl {
namespace {

/// Terminal columns of UTF-8 text, taking every character as one column wide.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t columns, Table::Align align) {
  const std::string blanks(columns - std::min(columns, width(text)), ' ');
  return align == Table::Align::right ? blanks + text : text + blanks;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

void Table::add(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text(std::string_view indent) const {
  std::vector<std::size_t> widths(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); i++) {
    for (const auto& row : rows_)
      if (!row[i].empty())
        widths[i] = std::max({widths[i], width(row[i]), width(columns_[i].title)});
  }
  const auto line = [&](const auto& cell) {
    std::string out(indent);
    bool first = true;
    for (std::size_t i = 0; i < columns_.size(); i++) {
      if (widths[i] == 0) continue;
      out += (first ? "" : "  ") + padded(cell(i), widths[i], columns_[i].align);
      first = false;
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  };
  std::string out = line([&](std::size_t i) { return columns_[i].title; });
  for (const auto& row : rows_)
    out += line([&](std::size_t i) { return row[i].empty() ? "-" : row[i]; });
  return out;
}

}  // namespace viaduct::ctl
