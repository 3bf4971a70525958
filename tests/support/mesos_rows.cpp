// mesos_rows NODE FILE...: prints as JSON what a node with address NODE publishes for each
// GET_STATE answer. For scripts/compare-mesos-samples, and for looking at an answer by hand.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "base/io/file.h"
#include "mesos/agent_state.h"
#include "mesos/rows.h"

namespace {

namespace json = boost::json;
using namespace viaduct;

constexpr std::size_t kMaxFileBytes = 1 << 30;

json::object to_json(const service::BackendRow& row) {
  const auto* address = std::get_if<base::Address>(&row.vip);
  return {{"vip", address ? address->to_string() : std::get<service::VipName>(row.vip).value},
          {"named", address == nullptr},
          {"vip_port", row.vip_port},
          {"protocol", std::string(base::to_string(row.protocol))},
          {"backend", row.backend.to_string()},
          {"weight", row.weight},
          {"pick", std::string(service::to_string(row.policy.pick))},
          {"task", row.task}};
}

json::object to_json(const service::SourceRows& rows) {
  json::array backends, rejected, mappings;
  for (const auto& row : rows.rows) backends.push_back(to_json(row));
  for (const auto& row : rows.rejected)
    rejected.push_back({{"where", row.where}, {"reason", row.reason}});
  for (const auto& mapping : rows.port_mappings)
    mappings.push_back({{"protocol", std::string(base::to_string(mapping.protocol))},
                        {"host_port", mapping.host_port},
                        {"container", mapping.container.to_string()}});
  return {{"rows", backends}, {"rejected", rejected}, {"port_mappings", mappings}};
}

}  // namespace

int main(int argc, char** argv) {
  const auto node = base::Address::parse(argc > 1 ? argv[1] : "");
  if (!node || argc < 3) {
    std::cerr << "usage: mesos_rows NODE-ADDRESS GET_STATE-FILE...\n";
    return 2;
  }
  for (int i = 2; i < argc; i++) {
    const auto text = base::read_file(argv[i], kMaxFileBytes);
    const auto state =
        text ? mesos::parse_agent_state(*text) : base::Result<mesos::AgentState>(text.error());
    if (!state) {
      std::cerr << argv[i] << ": " << state.error().message() << "\n";
      return 1;
    }
    std::cout << json::serialize(to_json(mesos::make_rows(*state, *node))) << "\n";
  }
}
