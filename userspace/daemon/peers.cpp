#include "daemon/peers.h"

#include <boost/json.hpp>

#include "base/errors.h"

namespace viaduct::daemon {
namespace {

namespace json = boost::json;

constexpr int kVersion = 1;

base::Error bad(std::string what) { return {base::Errc::bad_format, std::move(what)}; }

}  // namespace

std::string write_peers(const std::vector<Peer>& peers) {
  json::array list;
  for (const Peer& peer : peers)
    list.push_back(json::object{{"name", peer.name}, {"endpoint", peer.endpoint.to_string()}});
  return json::serialize(json::object{{"version", kVersion}, {"peers", std::move(list)}}) + "\n";
}

base::Result<std::vector<Peer>> read_peers(std::string_view text) {
  boost::system::error_code code;
  const json::value document = json::parse(text, code);
  if (code) return bad("no JSON: " + code.message());
  const auto* object = document.if_object();
  const auto* version = object ? object->if_contains("version") : nullptr;
  const auto* list = object ? object->if_contains("peers") : nullptr;
  if (!version || *version != kVersion || !list || !list->is_array())
    return bad("not a list of peers of version 1");
  if (list->get_array().size() > kMaxPeers)
    return base::Error{base::Errc::too_large, "more than 16384 peers"};
  std::vector<Peer> peers;
  for (const json::value& entry : list->get_array()) {
    const auto* peer = entry.if_object();
    const auto* name = peer ? peer->if_contains("name") : nullptr;
    const auto* endpoint = peer ? peer->if_contains("endpoint") : nullptr;
    if (!name || !name->is_string() || !endpoint || !endpoint->is_string())
      return bad("peer " + std::to_string(peers.size() + 1) + " lacks its name or endpoint");
    const auto parsed = base::Endpoint::parse(endpoint->get_string());
    if (!parsed)
      return bad("peer " + std::to_string(peers.size() + 1) + " has no endpoint that can be read");
    peers.push_back({std::string(name->get_string()), *parsed});
  }
  return peers;
}

}  // namespace viaduct::daemon
