#include "api/routes.h"

#include <boost/json.hpp>
#include <map>

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

http::Reply version(const Views& views) {
  return json_reply(boost::json::object{{"Service", "viaduct"}, {"Version", views.version}});
}

http::Reply metrics(const Views& views) {
  metrics::Page page;
  publish(views, page);
  if (views.metrics) views.metrics(page);
  return {200, std::string(metrics::kContentType), page.text(), ""};
}

using Route = http::Reply (*)(const Views&);

const std::map<std::string_view, Route>& routes() {
  static const std::map<std::string_view, Route> table = {
      {"/v1/metrics", metrics}, {"/v1/records", records}, {"/v1/rows", rows},
      {"/v1/status", status},   {"/v1/version", version}, {"/v1/vips", vips},
  };
  return table;
}

}  // namespace

http::Reply answer(std::string_view method, std::string_view target, const Views& views) {
  const auto route = routes().find(target.substr(0, target.find('?')));
  if (route == routes().end()) {
    std::string known;
    for (const auto& [path, function] : routes())
      known += (known.empty() ? "" : " ") + std::string(path);
    return error_reply(404, "no such path; there are " + known);
  }
  if (method != "GET") {
    http::Reply reply = error_reply(405, "this API is read-only: use GET");
    reply.allow = "GET, HEAD";
    return reply;
  }
  return route->second(views);
}

}  // namespace viaduct::api
