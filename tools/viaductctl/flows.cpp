#include "tools/viaductctl/flows.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/address.h"
#include "tools/viaductctl/table.h"

namespace viaduct::ctl {
namespace {

using Align = Table::Align;

std::string endpoint(const vd_addr& address, __be16 port) {
  std::array<std::uint8_t, 16> octets{};
  std::copy(std::begin(address.bytes), std::end(address.bytes), octets.begin());
  return base::Endpoint{base::Address::v6(octets), ntohs(port)}.to_string();
}

json::array flag_names(std::uint32_t flags) {
  json::array names;
  if (flags & VD_FLOW_HOST) names.emplace_back("host");
  if (flags & VD_FLOW_HAIRPIN) names.emplace_back("hairpin");
  if (flags & VD_FLOW_CLOSING) names.emplace_back("closing");
  if (flags & VD_FLOW_NEW) names.emplace_back(flags & VD_FLOW_ANSWERED ? "answered" : "new");
  return names;
}

/// @param wanted  "ADDRESS", "ADDRESS:PORT" or empty.
bool is_endpoint(const std::string& shown, const std::string& wanted) {
  if (wanted.empty() || shown == wanted) return true;
  const auto address = base::Address::parse(wanted);
  const auto endpoint = base::Endpoint::parse(shown);
  return address && endpoint && endpoint->address == *address;
}

}  // namespace

std::optional<json::object> packet_flow(const vd_flow_key& key, const vd_flow& flow,
                                        std::uint32_t now_s) {
  if (flow.flags & VD_FLOW_REPLY) return std::nullopt;
  const auto since = [&](std::uint32_t then_s) { return now_s > then_s ? now_s - then_s : 0; };
  return json::object{{"kind", "packet"},
                      {"client", endpoint(key.src, key.sport)},
                      {"vip", endpoint(key.dst, key.dport)},
                      {"protocol", base::to_string(static_cast<base::Protocol>(key.proto))},
                      {"backend", endpoint(flow.dst, flow.dport)},
                      {"age_s", since(flow.created_s)},
                      {"idle_s", since(flow.last_seen_s)},
                      {"packets", flow.packets},
                      {"flags", flag_names(flow.flags)}};
}

json::object socket_flow(const vd_sock_flow& flow, std::uint32_t now_s) {
  constexpr std::uint64_t kNanoseconds = 1'000'000'000;
  const auto& peer = flow.sock.peer;
  const std::uint64_t since_s = flow.sock.connected_ns / kNanoseconds;
  return {{"kind", "socket"},
          {"client", endpoint(flow.local, flow.local_port)},
          {"vip", endpoint(peer.vip, peer.vip_port)},
          {"protocol", base::to_string(static_cast<base::Protocol>(flow.sock.proto))},
          {"backend", endpoint(peer.backend, peer.backend_port)},
          {"age_s", now_s > since_s ? now_s - since_s : 0},
          {"netns", flow.netns},
          {"cookie", flow.cookie},
          {"inode", flow.inode}};
}

bool FlowFilter::accepts(const json::value& flow) const {
  return is_endpoint(text_of(flow, "vip"), vip) && is_endpoint(text_of(flow, "backend"), backend) &&
         is_endpoint(text_of(flow, "client"), client);
}

void FlowList::add(json::object flow) {
  const json::value value(std::move(flow));
  if (!filter.accepts(value)) return;
  total++;
  if (limit == 0 || flows.size() < limit) flows.push_back(value);
}

std::string flows_text(const FlowList& list) {
  if (list.total == 0) return "no flow\n";
  Table table({{"KIND"},
               {"PROTO"},
               {"CLIENT"},
               {"VIP"},
               {"BACKEND"},
               {"AGE", Align::right},
               {"IDLE", Align::right},
               {"PACKETS", Align::right},
               {"FLAGS"}});
  const auto seconds = [](const json::value& flow, std::string_view key) {
    return flow.as_object().contains(key) ? duration_text(number_of(flow, key) * 1000)
                                          : std::string();
  };
  for (const json::value& flow : list.flows) {
    std::string flags;
    for (const json::value& flag : list_of(flow, "flags"))
      if (flag.is_string()) flags += (flags.empty() ? "" : ",") + std::string(flag.get_string());
    const bool counted = flow.as_object().contains("packets");
    table.add({text_of(flow, "kind"), text_of(flow, "protocol"), text_of(flow, "client"),
               text_of(flow, "vip"), text_of(flow, "backend"), seconds(flow, "age_s"),
               seconds(flow, "idle_s"), counted ? std::to_string(number_of(flow, "packets")) : "",
               flags});
  }
  std::string out = table.text();
  if (list.flows.size() < list.total)
    out += std::to_string(list.flows.size()) + " of " + std::to_string(list.total) +
           " flows; --limit 0 shows all, --vip, --backend and --client choose\n";
  return out;
}

}  // namespace viaduct::ctl
