#include "tools/viaductctl/dns.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <iomanip>
#include <sstream>
#include <utility>

#include "tools/viaductctl/table.h"

namespace viaduct::ctl {
namespace {

std::string line_of(const std::string& heading, const std::string& text) {
  constexpr std::size_t kWidth = 13;
  return heading + std::string(kWidth - std::min(kWidth, heading.size()), ' ') + text + "\n";
}

double real_of(const json::value& object, std::string_view key) {
  const json::value* member = object.is_object() ? object.get_object().if_contains(key) : nullptr;
  return member && member->is_number() ? member->to_number<double>() : 0;
}

std::string decimal(double number) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << number;
  return text.str();
}

/// Lines under one heading; the heading stands before the first.
std::string block(const std::string& heading, const json::array& lines) {
  std::string text;
  for (const json::value& line : lines)
    text += line_of(text.empty() ? heading : "",
                    printable(line.is_string() ? std::string(line.get_string()) : ""));
  return text;
}

std::string ours_text(const json::value& explanation) {
  const std::string zone = text_of(explanation, "zone");
  if (!flag_of(explanation, "ready"))
    return line_of("zone", zone +
                               " is not complete: SERVFAIL until the names of the whole "
                               "cluster are known");
  std::string text =
      line_of("zone", zone + ", serial " + std::to_string(number_of(explanation, "serial")));
  if (text_of(explanation, "table_name") != text_of(explanation, "name"))
    text += line_of("known as", printable(text_of(explanation, "table_name")));
  if (!flag_of(explanation, "exists")) return text + line_of("answer", "NXDOMAIN: no such name");
  const json::array& records = list_of(explanation, "records");
  text += records.empty() ? line_of("answer", "NODATA: the name exists, this type does not")
                          : block("answer", records);
  text += block("made of", list_of(explanation, "sources"));
  const std::string kernel = text_of(explanation, "kernel");
  text += line_of("table", "slot " + std::to_string(number_of(explanation, "slot")));
  return text + line_of("answered by", kernel.empty() ? "the kernel, and user space"
                                                      : "user space: " + printable(kernel));
}

std::string forwarded_text(const json::value& explanation) {
  const std::string zone = text_of(explanation, "forward_zone");
  if (zone.empty())
    return line_of("zone",
                   "none of ours, and no upstream is named for it: REFUSED (dns.upstreams, "
                   "dns.forward_zones)");
  std::string text = line_of("zone", "none of ours: forwarded by the rule for " + printable(zone));
  std::string heading = "upstreams";
  for (const json::value& upstream : list_of(explanation, "upstreams")) {
    std::string line = text_of(upstream, "endpoint");
    const double round_trip = real_of(upstream, "round_trip_ms");
    if (round_trip > 0) line += ", " + decimal(round_trip) + " ms";
    if (real_of(upstream, "failures") >= 0.1)
      line += ", failures " + decimal(real_of(upstream, "failures"));
    if (const std::string note = text_of(upstream, "note"); !note.empty()) line += ", " + note;
    text += line_of(std::exchange(heading, ""), line);
  }
  const std::string origin = text_of(explanation, "origin");
  return text + line_of("answer from", flag_of(explanation, "pending") || origin.empty()
                                           ? "nobody so far"
                                           : printable(origin));
}

}  // namespace

std::string dns_text(const json::value& explanation, const std::string& asked) {
  std::string text = line_of(
      "question", printable(text_of(explanation, "name")) + " " + text_of(explanation, "type"));
  text +=
      text_of(explanation, "zone").empty() ? forwarded_text(explanation) : ours_text(explanation);
  if (!asked.empty()) text += line_of("asked", asked);
  return text;
}

std::string dns_reply_text(const std::string& server, std::span<const std::uint8_t> reply,
                           double milliseconds) {
  constexpr std::size_t kHeaderOctets = 12;
  constexpr std::array<const char*, 6> kCodes = {"NOERROR",  "FORMERR", "SERVFAIL",
                                                 "NXDOMAIN", "NOTIMP",  "REFUSED"};
  if (reply.size() < kHeaderOctets) return server + " answers with something else than DNS";
  const std::size_t code = reply[3] & 0x0f;
  std::string text = server + " says " +
                     (code < kCodes.size() ? kCodes[code] : "code " + std::to_string(code)) + ", " +
                     counted(static_cast<std::uint64_t>(reply[6] << 8 | reply[7]), "record");
  if (reply[2] & 0x02) text += ", truncated: to be asked over TCP";
  return text + ", in " + decimal(milliseconds) + " ms";
}

json::array select_records(const json::value& records, const std::string& part) {
  json::array found;
  if (!records.is_array()) return found;
  for (const json::value& record : records.get_array())
    if (text_of(record, "name").find(part) != std::string::npos) found.push_back(record);
  return found;
}

std::string records_text(const json::array& records) {
  Table table({{"NAME"}, {"TYPE"}, {"DATA"}});
  for (const json::value& record : records)
    table.add({text_of(record, "name"), text_of(record, "rtype"), text_of(record, "host")});
  return table.text();
}

}  // namespace viaduct::ctl
