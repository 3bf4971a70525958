#include "tools/viaductctl/trace.h"

#include <arpa/inet.h>
#include <viaduct/abi/reason.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "tools/viaductctl/reason.h"
#include "tools/viaductctl/table.h"

namespace viaduct::ctl {
namespace {

/// Columns of a line; the last one has no width.
constexpr std::size_t kWidths[] = {12, 8, 14, 5, 21, 21};

/// @return "" for an endpoint of zeros only.
std::string endpoint(const vd_addr& address, __be16 port) {
  std::array<std::uint8_t, 16> octets{};
  std::copy(std::begin(address.bytes), std::end(address.bytes), octets.begin());
  if (port == 0 && std::ranges::all_of(octets, [](std::uint8_t octet) { return octet == 0; }))
    return "";
  return base::Endpoint{base::Address::v6(octets), ntohs(port)}.to_string();
}

/// "2026-01-31T23:59:59.123456Z".
std::string time_text(std::chrono::nanoseconds time) {
  constexpr std::int64_t kMicrosecond = 1'000;
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::time_t seconds = static_cast<std::time_t>(time.count() / kSecond);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof(text) - length, ".%06ldZ",
                static_cast<long>(time.count() % kSecond / kMicrosecond));
  return text;
}

std::string_view kind_of(std::uint32_t reason) {
  if (reason == VD_EJECTED) return "ejected";
  if (reason == VD_CONNECT_FAILED || reason == VD_EJECT_CAPPED) return "failed";
  switch (verdict_of(reason)) {
    case Verdict::refuse:
      return "refused";
    case Verdict::drop:
      return "dropped";
    case Verdict::pass:
      break;
  }
  return "new";
}

std::string row(const std::array<std::string, 7>& cells) {
  std::string line;
  for (std::size_t i = 0; i < std::size(kWidths); i++) {
    std::string cell = printable(cells[i].empty() ? "-" : cells[i]);
    cell.resize(std::max(kWidths[i], cell.size()), ' ');
    line += cell + "  ";
  }
  return line + printable(cells.back().empty() ? "-" : cells.back()) + "\n";
}

std::string client_text(const json::value& event) {
  const std::string client = text_of(event, "client");
  if (!client.empty() || number_of(event, "pid") == 0) return client;
  return text_of(event, "comm") + "(" + std::to_string(number_of(event, "pid")) + ")";
}

}  // namespace

std::optional<TraceFilter> parse_trace_filter(std::string_view text) {
  TraceFilter filter;
  if (const auto endpoint = base::Endpoint::parse(text)) {
    filter.vip = endpoint->address;
    filter.port = endpoint->port;
    return filter;
  }
  filter.vip = base::Address::parse(text);
  return filter.vip ? std::optional(filter) : std::nullopt;
}

std::optional<TraceFilter> trace_filter_of(const json::array& vips) {
  std::optional<TraceFilter> filter;
  for (const json::value& vip : vips) {
    const auto address = base::Address::parse(text_of(vip, "address"));
    const auto port = static_cast<std::uint16_t>(number_of(vip, "port"));
    if (!address || (filter && filter->vip != address)) return std::nullopt;
    if (!filter) {
      filter.emplace();
      filter->vip = address;
      filter->port = port;
    }
    if (filter->port != port) filter->port = 0;
  }
  return filter;
}

json::object event_json(const vd_event& event, std::chrono::nanoseconds time) {
  const std::string_view comm(event.comm, ::strnlen(event.comm, sizeof(event.comm)));
  return {{"time", time_text(time)},
          {"kind", kind_of(event.reason)},
          {"hook", hook_word(event.hook)},
          {"reason", reason_word(event.reason)},
          {"protocol", base::to_string(static_cast<base::Protocol>(event.proto))},
          {"client", endpoint(event.client, event.client_port)},
          {"pid", event.pid},
          {"comm", printable(comm)},
          {"vip", endpoint(event.vip, event.vip_port)},
          {"backend", endpoint(event.backend, event.backend_port)},
          {"backend_id", event.backend_id},
          {"error", event.error ? ::strerrordesc_np(event.error) : ""}};
}

std::string event_text(const json::object& event) {
  const json::value value(event);
  const std::string time = text_of(value, "time");
  std::string backend = text_of(value, "backend");
  if (const std::string kind = text_of(value, "kind"); kind != "new")
    backend = (backend.empty() ? "-" : backend) + "  " + kind;
  if (const std::string error = text_of(value, "error"); !error.empty()) backend += ": " + error;
  return row({time.size() > 23 ? time.substr(11, 12) : time, text_of(value, "hook"),
              text_of(value, "reason"), text_of(value, "protocol"), client_text(value),
              text_of(value, "vip"), backend});
}

std::string trace_heading() {
  return row({"TIME (UTC)", "HOOK", "REASON", "PROTO", "CLIENT", "VIP", "BACKEND"});
}

std::string summary_text(const TraceSummary& summary) {
  std::string text = counted(summary.shown, "event");
  if (summary.lost) text += ", " + std::to_string(summary.lost) + " lost: too many at a time";
  if (summary.sampled_out)
    text += ", " + std::to_string(summary.sampled_out) + " left out by --sample";
  return text;
}

}  // namespace viaduct::ctl
