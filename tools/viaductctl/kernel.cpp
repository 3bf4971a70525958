#include "tools/viaductctl/kernel.h"

#include <boost/json.hpp>
#include <map>
#include <vector>

namespace viaduct::ctl {
namespace {

std::string_view pick_word(dataplane::Pick pick) {
  switch (pick) {
    case dataplane::Pick::hash:
      return "maglev";
    case dataplane::Pick::random:
      return "random";
    case dataplane::Pick::least_loaded:
      return "least-loaded";
    case dataplane::Pick::source:
      return "source-hash";
    case dataplane::Pick::round_robin:
      return "round-robin";
    case dataplane::Pick::peak_ewma:
      return "peak-ewma";
  }
  return "unknown";
}

/// The rule's name in the configuration; "automatic" is what gives sockets and packets different
/// ones.
std::string_view pick_text(const dataplane::ServiceEntry& entry) {
  return entry.sock_pick == entry.packet_pick ? pick_word(entry.sock_pick) : "automatic";
}

json::object backend_json(const dataplane::BackendEntry& entry, const dataplane::Load& load) {
  return {{"ip", entry.endpoint.address.to_string()},
          {"port", entry.endpoint.port},
          {"weight", entry.weight},
          {"task", ""},
          {"node", ""},
          {"dial", entry.endpoint.to_string()},
          {"in_kernel", true},
          {"id", entry.id},
          {"open", load.open},
          {"connects", load.connects},
          {"flows", load.flows},
          {"packets", load.packets},
          {"failures", load.failures},
          {"ejected_total", load.ejected_total},
          {"ejected_for_s", load.ejected_for.count()},
          {"last_error", load.last_error_text()},
          {"connect_us", load.connect_time.count()}};
}

}  // namespace

json::array kernel_vips(const dataplane::Image& image,
                        const std::function<dataplane::Load(std::uint32_t)>& loads) {
  std::map<std::uint32_t, json::array> backends;  // by service id
  for (const auto& [id, entry] : image.backends)
    backends[entry.service_id].push_back(backend_json(entry, loads(id)));
  json::array vips;
  for (const auto& [key, entry] : image.services) {
    const std::string address = key.address.to_string();
    vips.push_back({{"vip", address + ":" + std::to_string(key.port)},
                    {"protocol", base::to_string(key.protocol)},
                    {"backend", std::move(backends[entry.id])},
                    {"address", address},
                    {"port", key.port},
                    {"name", ""},
                    {"pick", pick_text(entry)},
                    {"affinity", entry.affinity.to_string()},
                    {"in_kernel", true}});
  }
  return vips;
}

}  // namespace viaduct::ctl
