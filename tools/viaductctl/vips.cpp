#include "tools/viaductctl/vips.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "base/address.h"
#include "service/vip.h"
#include "tools/viaductctl/table.h"

namespace viaduct::ctl {
namespace {

using Align = Table::Align;

/// "web.marathon.l4lb.thisdcos.directory:80" or "[2001:db8::1]:80".
std::string dialled(const json::value& vip) {
  const std::string name = text_of(vip, "name");
  const auto port = std::to_string(number_of(vip, "port"));
  if (!name.empty()) return service::VipName{name}.fqdn() + ":" + port;
  const std::string address = text_of(vip, "address");
  return (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" + port;
}

std::string endpoint(const json::value& backend) {
  const std::string ip = text_of(backend, "ip");
  return (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" +
         std::to_string(number_of(backend, "port"));
}

std::string number(const json::value& object, std::string_view key) {
  return std::to_string(number_of(object, key));
}

bool is_ready(const json::value& backend) {
  return number_of(backend, "weight") > 0 && flag_of(backend, "in_kernel");
}

std::size_t ready_count(const json::value& vip) {
  return static_cast<std::size_t>(std::ranges::count_if(list_of(vip, "backend"), is_ready));
}

std::uint64_t sum(const json::value& vip, std::string_view key) {
  std::uint64_t total = 0;
  for (const json::value& backend : list_of(vip, "backend")) total += number_of(backend, key);
  return total;
}

std::string vip_note(const json::value& vip) {
  if (!flag_of(vip, "in_kernel")) return "not in the kernel";
  return ready_count(vip) == 0 ? "refuses connections" : "";
}

std::string backend_note(const json::value& backend) {
  std::string note;
  if (number_of(backend, "weight") == 0) note = "drains";
  const auto add = [&](const std::string& more) { note += (note.empty() ? "" : ", ") + more; };
  if (number_of(backend, "ejected_for_s") > 0)
    add("ejected for " + number(backend, "ejected_for_s") +
        " s: " + text_of(backend, "last_error"));
  else if (number_of(backend, "failures") > 0)
    add(number(backend, "failures") + " connects failed, last: " + text_of(backend, "last_error"));
  const std::string dial = text_of(backend, "dial");
  if (!dial.empty() && dial != endpoint(backend)) add("dialled as " + dial);
  if (!flag_of(backend, "in_kernel")) add("not in the kernel");
  return note;
}

std::vector<Table::Column> backend_columns() {
  return {{"BACKEND"},
          {"WEIGHT", Align::right},
          {"OPEN", Align::right},
          {"CONNECTS", Align::right},
          {"FLOWS", Align::right},
          {"NODE"},
          {"TASK"},
          {"NOTE"}};
}

std::vector<std::string> backend_cells(const json::value& backend) {
  return {endpoint(backend),           number(backend, "weight"), number(backend, "open"),
          number(backend, "connects"), number(backend, "flows"),  text_of(backend, "node"),
          text_of(backend, "task"),    backend_note(backend)};
}

std::string pick_text(const json::value& vip) {
  const std::string pick = text_of(vip, "pick");
  return pick == "automatic" ? "automatic: least-loaded for sockets, maglev for packets" : pick;
}

/// "by client, for 600 s of silence"; empty: none.
std::string affinity_text(const json::value& vip) {
  const std::string affinity = text_of(vip, "affinity");
  const std::size_t colon = affinity.find(':');
  if (colon == std::string::npos) return "";
  return "by " + affinity.substr(0, colon) + ", for " + affinity.substr(colon + 1) +
         " s of silence";
}

/// "host[:port]" taken apart; an IPv6 address with a port needs brackets.
struct Wanted {
  std::string host;
  std::optional<std::uint16_t> port;
};

Wanted take_apart(std::string_view text) {
  const auto lower = [](std::string_view part) {
    std::string out(part);
    std::ranges::transform(out, out.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    return out;
  };
  if (const auto address = base::Address::parse(text)) return {address->to_string(), std::nullopt};
  if (const auto address = base::Endpoint::parse(text))
    return {address->address.to_string(), address->port};
  const std::size_t colon = text.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : base::parse_port(text.substr(colon + 1));
  std::string host = lower(port ? text.substr(0, colon) : text);
  if (host.ends_with('.')) host.pop_back();
  if (host.starts_with('/')) host.erase(0, 1);
  return {std::move(host), port};
}

}  // namespace

std::string vips_text(const json::array& vips) {
  if (vips.empty())
    return "no VIP: \"viaductctl rows\" shows what the sources read, \"viaductctl status\" how "
           "they fare\n";
  Table table({{"VIP"},
               {"PROTO"},
               {"ADDRESS"},
               {"READY", Align::right},
               {"OPEN", Align::right},
               {"CONNECTS", Align::right},
               {"FLOWS", Align::right},
               {"PICK"},
               {"NOTE"}});
  for (const json::value& vip : vips) {
    const std::string ready =
        std::to_string(ready_count(vip)) + "/" + std::to_string(list_of(vip, "backend").size());
    const std::string address = text_of(vip, "name").empty() ? "" : text_of(vip, "address");
    table.add({dialled(vip), text_of(vip, "protocol"), address, ready,
               std::to_string(sum(vip, "open")), std::to_string(sum(vip, "connects")),
               std::to_string(sum(vip, "flows")), text_of(vip, "pick"), vip_note(vip)});
  }
  return table.text();
}

std::string vip_text(const json::array& vips) {
  std::string out;
  for (const json::value& vip : vips) {
    const auto& backends = list_of(vip, "backend");
    const std::string note = vip_note(vip);
    out += (out.empty() ? "" : "\n") + dialled(vip) + "  " + text_of(vip, "protocol") + "\n";
    out += "  address   " + text_of(vip, "address") + "\n";
    out += "  pick      " + pick_text(vip) + "\n";
    if (const std::string affinity = affinity_text(vip); !affinity.empty())
      out += "  affinity  " + affinity + "\n";
    out += "  ready     " + std::to_string(ready_count(vip)) + " of " +
           counted(backends.size(), "backend") + (note.empty() ? "" : ": " + note) + "\n";
    if (backends.empty()) continue;
    Table table(backend_columns());
    for (const json::value& backend : backends) table.add(backend_cells(backend));
    out += "\n" + table.text("  ");
  }
  return out;
}

std::string backends_text(const json::array& vips) {
  auto columns = backend_columns();
  columns.insert(columns.begin() + 1, {{"VIP"}, {"PROTO"}});
  Table table(columns);
  for (const json::value& vip : vips) {
    for (const json::value& backend : list_of(vip, "backend")) {
      auto cells = backend_cells(backend);
      cells.insert(cells.begin() + 1, {dialled(vip), text_of(vip, "protocol")});
      table.add(std::move(cells));
    }
  }
  return table.empty() ? "no backend\n" : table.text();
}

json::array select_vips(const json::array& vips, std::string_view wanted) {
  const Wanted want = take_apart(wanted);
  const auto selected = [&](const auto& matches) {
    json::array found;
    for (const json::value& vip : vips)
      if ((!want.port || *want.port == number_of(vip, "port")) && matches(vip))
        found.push_back(vip);
    return found;
  };
  json::array found = selected([&](const json::value& vip) {
    const std::string name = text_of(vip, "name");
    return want.host == text_of(vip, "address") ||
           (!name.empty() && (want.host == name || want.host == service::VipName{name}.fqdn()));
  });
  if (!found.empty() || want.host.empty()) return found;
  return selected(
      [&](const json::value& vip) { return text_of(vip, "name").starts_with(want.host + "."); });
}

}  // namespace viaduct::ctl
