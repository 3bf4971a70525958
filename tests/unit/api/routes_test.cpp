#include "api/routes.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "tests/unit/api/example_views.h"

namespace viaduct::api {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

json::value get(const Views& views, std::string_view path) {
  const http::Reply reply = answer("GET", path, views);
  EXPECT_EQ(reply.status, 200u) << path;
  EXPECT_EQ(reply.content_type, "application/json");
  return json::parse(reply.body);
}

TEST(Routes, VipsHaveTheShapeOfDcosNetAndWhatTheKernelCounts) {
  const Example example;
  EXPECT_EQ(get(example.views, "/v1/vips"), json::parse(R"([
    {"vip": "web.marathon.l4lb.thisdcos.directory:80", "protocol": "tcp",
     "backend": [
       {"ip": "192.0.2.5", "port": 31000, "weight": 1, "task": "web.1", "node": "node1", "dial": "192.0.2.5:31000",
        "in_kernel": true, "id": 7, "open": 3, "connects": 120, "flows": 2, "packets": 9,
                  "failures": 0, "ejected_total": 0, "ejected_for_s": 0, "last_error": "", "connect_us": 0},
       {"ip": "192.0.2.6", "port": 31000, "weight": 0, "task": "web.2", "node": "node2", "dial": "198.51.100.6:8080",
        "in_kernel": false, "id": 0, "open": 0, "connects": 0, "flows": 0, "packets": 0,
                  "failures": 0, "ejected_total": 0, "ejected_for_s": 0, "last_error": "", "connect_us": 0}],
     "address": "11.0.0.1", "port": 80, "name": "web.marathon", "pick": "automatic", "affinity": "none", "in_kernel": true},
    {"vip": "2001:db8::5:53", "protocol": "udp", "backend": [], "address": "2001:db8::5", "port": 53, "name": "",
     "pick": "maglev", "affinity": "none", "in_kernel": false}])"));
}

TEST(Routes, TheFirstKeysOfAVipAreThoseOfDcosNetInItsOrder) {
  const Example example;
  EXPECT_THAT(
      answer("GET", "/v1/vips", example.views).body,
      HasSubstr(
          R"([{"vip":"web.marathon.l4lb.thisdcos.directory:80","protocol":"tcp","backend":[{"ip":"192.0.2.5","port":31000,)"));
}

TEST(Routes, RowsShowWhatEachSourceReadAndWhatItRefused) {
  const Example example;
  EXPECT_EQ(get(example.views, "/v1/rows"), json::parse(R"({
    "sources": {
      "files": {"complete": false, "age_ms": null, "failures": 1, "last_error": "no such folder", "rows": [], "rejected": []},
      "mesos-agent": {"complete": true, "age_ms": 120, "failures": 0, "last_error": "",
        "rows": [{"vip": "web.marathon", "vip_port": 80, "protocol": "tcp", "backend": "192.0.2.5:31000", "weight": 1,
                  "task": "web.1", "pick": "automatic", "affinity": "none"}],
        "rejected": [{"where": "task db.1, label VIP_0", "reason": "\"/db:0\" has no port"}]}},
    "merge_rejected": [{"where": "udp [2001:db8::5]:53", "reason": "two policies"}]})"));
}

TEST(Routes, StatusSumsUpEveryPart) {
  const Example example;
  const json::value status = get(example.views, "/v1/status");
  EXPECT_EQ(status.at("version"), "0.1.0");
  EXPECT_EQ(status.at("address"), "192.0.2.1");
  EXPECT_EQ(status.at("revision"), 7);
  EXPECT_EQ(status.at("complete"), false);
  EXPECT_EQ(status.at("uptime_ms"), 90000);
  EXPECT_EQ(status.at("services"), 2);
  EXPECT_EQ(status.at("backends"), 2);
  EXPECT_EQ(status.at("dataplane").at("state"), "active");
  EXPECT_EQ(status.at("mesos_master").at("leader"), "192.0.2.5:5050");
  EXPECT_EQ(status.at("mesos_master").at("age_ms"), 4200);
  EXPECT_EQ(status.at("mesos_master").at("held"), 1);
  EXPECT_EQ(status.at("dataplane").at("maps").at(0),
            json::parse(R"({"name": "services", "used": 2, "capacity": 131072})"));
  EXPECT_EQ(status.at("dns").at("listening"), json::parse(R"(["198.51.100.1:53"])"));
  EXPECT_EQ(
      status.at("sources").at(1),
      json::parse(
          R"({"name": "mesos-agent", "complete": true, "age_ms": 120, "failures": 0, "last_error": "",
                            "rows": 1, "rejected": 1})"));
  EXPECT_EQ(status.at("capabilities").at(0),
            json::parse(R"({"name": "tcx", "available": false, "detail": "clsact is used"})"));
}

TEST(Routes, RecordsAndVersionHaveTheShapesOfDcosNet) {
  const Example example;
  EXPECT_EQ(
      get(example.views, "/v1/records"),
      json::parse(
          R"([{"name": "web.marathon.l4lb.thisdcos.directory.", "host": "11.0.0.1", "rtype": "A"}])"));
  EXPECT_EQ(get(example.views, "/v1/version"),
            json::parse(R"({"Service": "viaduct", "Version": "0.1.0"})"));
}

TEST(Routes, MetricsArePrometheusTextOfTheViewsAndTheModules) {
  Example example;
  example.views.metrics = [](metrics::Page& page) {
    page.add({metrics::Kind::counter, "viaduct_dns_queries_total", "Questions."}, 42);
  };
  const http::Reply reply = answer("GET", "/v1/metrics", example.views);
  EXPECT_EQ(reply.content_type, metrics::kContentType);
  EXPECT_THAT(reply.body, HasSubstr("\nviaduct_dns_queries_total 42\n"));
  EXPECT_THAT(reply.body, HasSubstr("\nviaduct_service_services 2\n"));
}

TEST(Routes, BeforeTheFirstSnapshotEveryPathAnswers) {
  const Views nothing;
  EXPECT_EQ(get(nothing, "/v1/vips"), json::array());
  EXPECT_EQ(get(nothing, "/v1/rows"), json::parse(R"({"sources": {}, "merge_rejected": []})"));
  EXPECT_EQ(get(nothing, "/v1/status").at("services"), 0);
  EXPECT_EQ(get(nothing, "/v1/records"), json::array());
  EXPECT_EQ(answer("GET", "/v1/metrics", nothing).status, 200u);
}

TEST(Routes, AQueryIsIgnored) {
  const Example example;
  EXPECT_EQ(get(example.views, "/v1/version?x=1").at("Service"), "viaduct");
}

TEST(Routes, AnUnknownPathIs404AndListsTheKnownOnes) {
  for (const char* path : {"/", "", "/v1", "/v1/vips/", "/v1/Vips", "/lashup/kv", "?"}) {
    const http::Reply reply = answer("GET", path, Views{});
    EXPECT_EQ(reply.status, 404u) << path;
    EXPECT_THAT(json::parse(reply.body).at("error").as_string().c_str(), HasSubstr("/v1/status"));
  }
}

TEST(Routes, AnotherMethodIs405WithTheAllowedOnes) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) {
    const http::Reply reply = answer(method, "/v1/vips", Views{});
    EXPECT_EQ(reply.status, 405u) << method;
    EXPECT_EQ(reply.allow, "GET, HEAD");
    EXPECT_TRUE(json::parse(reply.body).as_object().contains("error"));
  }
}

TEST(Routes, TaskNamesThatAreNotUtf8DoNotBreakTheDocument) {
  Example example;
  auto snapshot = std::make_shared<service::Snapshot>(*example.views.snapshot);
  auto web = std::make_shared<service::Service>(*snapshot->services[0]);
  web->backends[0].task = "a\"\\\n\x01\xff";
  snapshot->services = {web};
  example.views.snapshot = snapshot;
  const http::Reply reply = answer("GET", "/v1/vips", example.views);
  boost::system::error_code error;
  json::parse_options tolerant;
  tolerant.allow_invalid_utf8 = true;
  json::parse(reply.body, error, {}, tolerant);
  EXPECT_FALSE(error) << reply.body;
}

}  // namespace
}  // namespace viaduct::api
