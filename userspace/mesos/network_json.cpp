#include "mesos/network_json.h"

#include <boost/algorithm/string/predicate.hpp>

#include "base/quote.h"
#include "mesos/limits.h"

namespace viaduct::mesos {

namespace json = boost::json;

std::optional<base::Address> parse_task_address(std::string_view text) {
  constexpr std::string_view kMapped = "::ffff:";
  text = text.substr(0, text.find('/'));
  // An IPv4 address in the clothes of IPv6 is one of IPv4, as in Mesos-DNS.
  const bool mapped =
      text.find('.') != std::string_view::npos && boost::algorithm::istarts_with(text, kMapped);
  return base::Address::parse(mapped ? text.substr(kMapped.size()) : text);
}

std::vector<TaskAddress> read_addresses(const json::array* networks, const JsonItem& owner) {
  std::vector<TaskAddress> addresses;
  for_each_item(networks, owner, "network", kMaxAddressesPerTask, [&](const JsonItem& network) {
    const std::string name = network.text("name").value_or("");
    const auto take = [&](const JsonItem& item) {
      const auto text = item.text("ip_address");
      if (!text) return;  // an address that Mesos still has to assign
      const auto address = parse_task_address(*text);
      if (!address) return item.reject(base::in_quotes(*text) + " is not an IP address");
      if (addresses.size() == kMaxAddressesPerTask) return item.reject("there are too many");
      addresses.push_back({*address, name});
    };
    if (!network.has("ip_addresses")) return take(network);  // Mesos before 1.0
    for_each_item(network.array("ip_addresses"), network, "address", kMaxAddressesPerTask, take);
  });
  return addresses;
}

void read_mappings(const json::array* list, const JsonItem& owner, const std::string& network,
                   std::vector<MappedPort>& out) {
  for_each_item(list, owner, "port mapping", kMaxMappingsPerTask, [&](const JsonItem& item) {
    if (out.size() == kMaxMappingsPerTask) return item.reject("there are too many");
    const auto container_port = item.integer("container_port");
    if (!container_port) return item.reject("has no usable container_port");
    const std::int64_t host_port = item.integer("host_port").value_or(0);
    out.push_back({host_port, *container_port, item.text("protocol").value_or(""), network});
  });
}

void read_network_mappings(const json::array* networks, const JsonItem& owner,
                           std::vector<MappedPort>& out) {
  for_each_item(networks, owner, "network", kMaxAddressesPerTask, [&](const JsonItem& item) {
    const std::string network = item.text("name").value_or("");
    read_mappings(item.array("port_mappings"), item, network, out);
  });
}

}  // namespace viaduct::mesos
