#include <boost/json.hpp>

#include "api/json.h"

namespace viaduct::api {
namespace {

namespace json = boost::json;

json::array texts(const std::vector<std::string>& list) {
  return json::array(list.begin(), list.end());
}

}  // namespace

json::value explanation_json(const DnsExplanation& explanation) {
  json::object object;
  object["name"] = explanation.name;
  object["type"] = explanation.type;
  object["zone"] = explanation.zone;
  if (!explanation.zone.empty()) {
    object["ready"] = explanation.ready;
    object["serial"] = explanation.serial;
    object["table_name"] = explanation.table_name;
    object["exists"] = explanation.exists;
    object["records"] = texts(explanation.records);
    object["sources"] = texts(explanation.sources);
    if (explanation.slot) object["slot"] = *explanation.slot;
    object["kernel"] = explanation.kernel;
    return object;
  }
  object["forward_zone"] = explanation.forward_zone;
  json::array upstreams;
  for (const DnsUpstream& upstream : explanation.upstreams)
    upstreams.push_back({{"endpoint", upstream.endpoint.to_string()},
                         {"round_trip_ms", upstream.round_trip_ms},
                         {"failures", upstream.failures},
                         {"note", upstream.note}});
  object["upstreams"] = std::move(upstreams);
  object["pending"] = explanation.pending;
  object["origin"] = explanation.origin;
  return object;
}

}  // namespace viaduct::api
