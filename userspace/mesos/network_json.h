#pragma once

#include <boost/json/array.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "mesos/json_item.h"
#include "mesos/task.h"

namespace viaduct::mesos {

/// The CNI isolator of Mesos writes IPv6 addresses with their prefix length: "fd78:1::2/64".
std::optional<base::Address> parse_task_address(std::string_view text);

/// The addresses of a list of network_infos; null: none.
std::vector<TaskAddress> read_addresses(const boost::json::array* networks, const JsonItem& owner);

/// Adds the port mappings of a list; null: none.
void read_mappings(const boost::json::array* list, const JsonItem& owner,
                   const std::string& network, std::vector<MappedPort>& out);

/// Adds those of each network of a list of network_infos; null: none.
void read_network_mappings(const boost::json::array* networks, const JsonItem& owner,
                           std::vector<MappedPort>& out);

}  // namespace viaduct::mesos
