#include "api/routes.h"

#include <boost/json.hpp>
#include <boost/url.hpp>
#include <map>
#include <optional>
#include <variant>

#include "api/json.h"
#include "api/metrics.h"

namespace viaduct::api {
namespace {

http::Reply json_reply(const boost::json::value& value, unsigned status = 200) {
  return {status, "application/json", boost::json::serialize(value) + "\n", ""};
}

http::Reply error_reply(unsigned status, std::string_view sentence) {
  return json_reply(boost::json::object{{"error", sentence}}, status);
}

http::Reply vips(const Views& views) { return json_reply(vips_json(views)); }

http::Reply rows(const Views& views) { return json_reply(rows_json(views)); }

http::Reply status(const Views& views) { return json_reply(status_json(views)); }

http::Reply records(const Views& views) {
  return json_reply(records_json(views.records ? views.records() : std::vector<DnsRecord>{}));
}

/// A parameter of the query; absent: it is not there.
std::optional<std::string> parameter_of(std::string_view target, std::string_view name) {
  const auto url = boost::urls::parse_origin_form(target);
  if (!url) return std::nullopt;
  for (const auto& parameter : url->encoded_params())  // a '+' stands for itself
    if (parameter.key.decode() == name && parameter.has_value) return parameter.value.decode();
  return std::nullopt;
}

http::Reply dns(const Views& views, std::string_view target) {
  const auto name = parameter_of(target, "name");
  if (!name) return error_reply(400, "the parameter name is missing");
  if (!views.explain_name) return error_reply(409, "this node answers no DNS");
  const auto explanation = views.explain_name(*name, parameter_of(target, "type").value_or("A"));
  if (!explanation) return error_reply(400, explanation.error().context);
  return json_reply(explanation_json(*explanation));
}

http::Reply members(const Views& views) {
  return json_reply(members_json(views.cluster ? views.cluster() : ClusterStatus{}));
}

http::Reply version(const Views& views) {
  return json_reply(boost::json::object{{"Service", "viaduct"}, {"Version", views.version}});
}

http::Reply metrics(const Views& views) {
  metrics::Page page;
  publish(views, page);
  if (views.metrics) views.metrics(page);
  return {200, std::string(metrics::kContentType), page.text(), ""};
}

/// A path: with or without a look at its parameters.
using Route = std::variant<http::Reply (*)(const Views&),
                           http::Reply (*)(const Views&, std::string_view target)>;

const std::map<std::string_view, Route>& routes() {
  static const std::map<std::string_view, Route> table = {
      {"/v1/dns", dns},         {"/v1/members", members}, {"/v1/metrics", metrics},
      {"/v1/records", records}, {"/v1/rows", rows},       {"/v1/status", status},
      {"/v1/version", version}, {"/v1/vips", vips},
  };
  return table;
}

/// A command: which function, and the parameter that it takes, "" for none.
struct Command {
  std::function<Commands::Result()> Commands::*plain = nullptr;
  std::function<Commands::Result(const std::string&)> Commands::*with = nullptr;
  std::string_view parameter;
};

const std::map<std::string_view, Command>& all_commands() {
  static const std::map<std::string_view, Command> table = {
      {"/v1/keys/install", {nullptr, &Commands::install_key, "key"}},
      {"/v1/keys/remove", {nullptr, &Commands::remove_key, "id"}},
      {"/v1/keys/use", {nullptr, &Commands::use_key, "id"}},
      {"/v1/leave", {&Commands::leave, nullptr, ""}},
      {"/v1/members/remove", {nullptr, &Commands::remove_node, "name"}},
  };
  return table;
}

http::Reply wrong_method(std::string_view allowed, std::string_view sentence) {
  http::Reply reply = error_reply(405, sentence);
  reply.allow = allowed;
  return reply;
}

http::Reply done(const Commands::Result& result) {
  if (!result) return error_reply(409, result.error().context);
  return json_reply(boost::json::object{{"done", *result}});
}

http::Reply run(const Command& command, std::string_view target, const Commands& commands) {
  constexpr std::string_view kNoCluster = "this node is in no cluster: gossip does not run";
  if (command.plain) {
    const auto& function = commands.*command.plain;
    return function ? done(function()) : error_reply(409, kNoCluster);
  }
  const auto& function = commands.*command.with;
  if (!function) return error_reply(409, kNoCluster);
  if (const auto value = parameter_of(target, command.parameter)) return done(function(*value));
  return error_reply(400, "the parameter " + std::string(command.parameter) + " is missing");
}

}  // namespace

http::Reply answer(std::string_view method, std::string_view target, const Views& views,
                   const Commands* commands) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (const auto command = all_commands().find(path); command != all_commands().end()) {
    if (method != "POST") return wrong_method("POST", "this is a command: use POST");
    if (!commands) return error_reply(403, "commands are taken on the unix socket only");
    return run(command->second, target, *commands);
  }
  const auto route = routes().find(path);
  if (route == routes().end()) {
    std::string known;
    for (const auto& [name, function] : routes())
      known += (known.empty() ? "" : " ") + std::string(name);
    return error_reply(404, "no such path; there are " + known);
  }
  if (method != "GET") return wrong_method("GET, HEAD", "this path is read-only: use GET");
  if (const auto* plain = std::get_if<0>(&route->second)) return (*plain)(views);
  return std::get<1>(route->second)(views, target);
}

}  // namespace viaduct::api
