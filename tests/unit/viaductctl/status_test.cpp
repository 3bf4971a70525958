#include "tools/viaductctl/status.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace viaduct::ctl {
namespace {

TEST(Status, ShowsEveryPartOnItsLine) {
  EXPECT_EQ(
      status_text(json::parse(R"({
    "version": "0.1.0", "node": "node1", "address": "192.0.2.1", "revision": 7, "complete": true, "uptime_ms": 7500000,
    "services": 2, "backends": 3, "merge_rejected": 0,
    "dataplane": {"enabled": true, "state": "active", "applied_revision": 7, "pending": 0, "last_error": "", "problems": [],
      "maps": [{"name": "services", "used": 2, "capacity": 131072}, {"name": "flows", "used": 10, "capacity": 64}]},
    "dns": {"enabled": true, "listening": ["198.51.100.1:53", "[fd01:d::1]:53"], "records": 2, "queries": 42},
    "sources": [{"name": "files", "complete": true, "age_ms": 90000, "rows": 1, "rejected": 0, "last_error": ""},
                {"name": "mesos-agent", "complete": true, "age_ms": 120, "rows": 2, "rejected": 1,
                 "last_error": "connection refused"}],
    "capabilities": [{"name": "tcx", "available": false, "detail": "clsact is used"}]})")),
      "node         node1 (192.0.2.1)\n"
      "version      0.1.0, up 2 h\n"
      "services     2 with 3 backends, revision 7\n"
      "data plane   active, up to date\n"
      "maps         services 2/131072, flows 10/64\n"
      "DNS          2 records, 42 queries, listens on 198.51.100.1:53, [fd01:d::1]:53\n"
      "sources      files: 1 row, 0 rejected, read 90 s ago\n"
      "             mesos-agent: 2 rows, 1 rejected, read 120 ms ago; failing: connection refused\n"
      "features     tcx is missing: clsact is used\n");
}

TEST(Status, SaysWhatIsBehindOrOff) {
  EXPECT_EQ(status_text(json::parse(R"({
    "version": "0.1.0", "node": "n", "address": "192.0.2.1", "revision": 7, "complete": false, "uptime_ms": 10,
    "services": 0, "backends": 0,
    "dataplane": {"enabled": true, "state": "degraded", "applied_revision": 6, "pending": 3, "last_error": "no memory",
      "problems": [{"where": "tcp 11.0.0.1:80", "reason": "no room"}]},
    "dns": {"enabled": false}})")),
            "node         n (192.0.2.1)\n"
            "version      0.1.0, up 10 ms\n"
            "services     0 with 0 backends, revision 7, incomplete: nothing is withdrawn yet\n"
            "data plane   degraded, shows revision 6, 3 operations pending\n"
            "             last error: no memory\n"
            "             tcp 11.0.0.1:80: no room\n"
            "DNS          off\n");
}

TEST(Status, SaysHowOldTheMastersWordIs) {
  const auto shown = [](const char* master) {
    const std::string text =
        status_text(json::parse(std::string(R"({"mesos_master": )") + master + "}"));
    return text.substr(text.find("Mesos master"));
  };
  EXPECT_EQ(
      shown(
          R"({"enabled": true, "known": true, "leader": "192.0.2.5:5050", "streaming": true, "age_ms": 4200,
      "tasks": 3, "held": 1, "agents": 2, "frameworks": 1, "last_error": "", "zookeeper": "connected"})"),
      "Mesos master 192.0.2.5:5050 tells its events, last heard 4 s ago\n"
      "             3 tasks (1 held until their agents are back), 2 agents, 1 framework\n"
      "             ZooKeeper: connected\n");
  EXPECT_EQ(
      shown(R"({"enabled": true, "known": false, "leader": "", "streaming": false, "age_ms": null,
      "tasks": 0, "held": 0, "agents": 0, "frameworks": 0, "last_error": "connection refused", "zookeeper": ""})"),
      "Mesos master nobody answers, never heard since the start: names in mesos are not answered\n"
      "             0 tasks, 0 agents, 0 frameworks\n"
      "             failing: connection refused\n");
}

TEST(Status, WhatTheDaemonDoesNotCountIsAdded) {
  json::value status = json::parse(
      R"({"dataplane": {"enabled": true, "maps": [{"name": "services", "used": 2, "capacity": 100}]}})");
  add_usage(status, {{"services", 3, 100}, {"flows", 95, 100}});
  EXPECT_EQ(status.at("dataplane").at("maps").as_array().size(), 2u);
  EXPECT_NE(status_text(status).find("services 2/100, flows 95/100 (95 % full)"),
            std::string::npos);
  json::value broken = json::parse("[]");
  add_usage(broken, {{"flows", 1, 2}});
}

}  // namespace
}  // namespace viaduct::ctl
