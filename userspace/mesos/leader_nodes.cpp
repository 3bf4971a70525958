#include "mesos/leader_nodes.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/quote.h"
#include "mesos/master_info.h"

namespace viaduct::mesos {
namespace {

constexpr std::string_view kJson = "json.info_";
constexpr std::string_view kProtobuf = "info_";

/// The number that ZooKeeper gave a node: ten digits or more.
std::optional<std::uint64_t> number_in(std::string_view name) {
  const std::string_view digits = name.substr(name.rfind('_') + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

base::Result<base::Endpoint> endpoint_in(const zookeeper::Node& node) {
  return node.name.starts_with(kJson) ? parse_master_info_json(node.data)
                                      : parse_master_info_protobuf(base::as_bytes(node.data));
}

}  // namespace

bool announces_master(std::string_view name) {
  return name.starts_with(kJson) || name.starts_with(kProtobuf);
}

LeaderNodes read_leader_nodes(std::span<const zookeeper::Node> nodes) {
  LeaderNodes out;
  const auto reject = [&out](const zookeeper::Node& node, std::string reason) {
    out.rejected.push_back({"node " + base::in_quotes(node.name), std::move(reason)});
  };
  std::vector<std::pair<std::uint64_t, const zookeeper::Node*>> ordered;
  for (const zookeeper::Node& node : nodes) {
    if (!announces_master(node.name)) continue;
    if (const auto number = number_in(node.name))
      ordered.emplace_back(*number, &node);
    else
      reject(node, "its name does not end in a number");
  }
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });

  bool leading = true;
  for (const auto& entry : ordered) {
    const zookeeper::Node& node = *entry.second;
    const bool leads = std::exchange(leading, false);
    if (!node.unreadable.empty()) {
      reject(node, node.unreadable);
      continue;
    }
    const auto endpoint = endpoint_in(node);
    if (!endpoint) {
      reject(node, endpoint.error().message());
      continue;
    }
    if (leads) out.masters.leader = *endpoint;
    auto& all = out.masters.all;
    // A master that started anew has two nodes until its former session ends.
    if (std::find(all.begin(), all.end(), *endpoint) == all.end()) all.push_back(*endpoint);
  }
  return out;
}

}  // namespace viaduct::mesos
