#include <boost/json.hpp>

#include "api/json.h"

namespace viaduct::api {
namespace {

namespace json = boost::json;

json::array texts(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& text : list) array.emplace_back(text);
  return array;
}

json::object member_json(const ClusterMember& member) {
  json::object object{{"name", member.name},
                      {"endpoint", member.endpoint.to_string()},
                      {"state", member.state},
                      {"mask", member.mask},
                      {"incarnation", member.incarnation},
                      {"viaduct", member.viaduct},
                      {"since_s", member.since.count()},
                      {"heard_ms", nullptr},
                      {"accusers", member.accusers},
                      {"dies_in_ms", member.dies_in.count()},
                      {"version", member.version},
                      {"keys", texts(member.keys)},
                      {"epoch", member.epoch},
                      {"seq", member.seq},
                      {"lag", member.lag},
                      {"rows", member.rows},
                      {"rows_age_s", member.rows_age.count()},
                      {"restored", member.restored},
                      {"cloned", member.cloned}};
  if (member.heard) object["heard_ms"] = member.heard->count();
  return object;
}

}  // namespace

json::value members_json(const ClusterStatus& status) {
  json::array members;
  for (const ClusterMember& member : status.members) members.push_back(member_json(member));
  json::array dropped;
  for (const ClusterDrop& drop : status.dropped)
    dropped.push_back({{"reason", drop.reason}, {"help", drop.help}, {"messages", drop.messages}});
  json::array rejected;
  for (const service::RejectedRow& row : status.rejected)
    rejected.push_back({{"where", row.where}, {"reason", row.reason}});
  return {{"enabled", status.enabled},
          {"problem", status.problem},
          {"listen", status.enabled ? status.listen.to_string() : ""},
          {"encrypted", status.encrypted},
          {"keys", texts(status.keys)},
          {"label", status.label},
          {"health", status.health},
          {"left", status.left},
          {"publish_error", status.publish_error},
          {"dropped", std::move(dropped)},
          {"members", std::move(members)},
          {"rejected", std::move(rejected)}};
}

}  // namespace viaduct::api
