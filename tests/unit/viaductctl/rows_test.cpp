#include "tools/viaductctl/rows.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace viaduct::ctl {
namespace {

json::value rows() {
  return json::parse(R"({
    "sources": {
      "files": {"complete": false, "age_ms": null, "failures": 1, "last_error": "no such folder", "rows": [], "rejected": []},
      "mesos-agent": {"complete": true, "age_ms": 120, "failures": 0, "last_error": "",
        "rows": [{"vip": "web.marathon", "vip_port": 80, "protocol": "tcp", "backend": "192.0.2.5:31000", "weight": 1,
                  "task": "web.1", "pick": "automatic"},
                 {"vip": "2001:db8::5", "vip_port": 53, "protocol": "udp", "backend": "[2001:db8::9]:53", "weight": 0,
                  "task": "dns.1", "pick": "maglev"}],
        "rejected": [{"where": "task db.1, label VIP_0", "reason": "\"/db:0\" has no port"}]}},
    "merge_rejected": [{"where": "udp [2001:db8::5]:53", "reason": "two policies"}]})");
}

TEST(Rows, AreListedWithTheStateOfTheirSources) {
  EXPECT_EQ(rows_text(rows()),
            "SOURCE       VIP               PROTO  BACKEND           WEIGHT  PICK       TASK\n"
            "mesos-agent  web.marathon:80   tcp    192.0.2.5:31000        1  automatic  web.1\n"
            "mesos-agent  [2001:db8::5]:53  udp    [2001:db8::9]:53       0  maglev     dns.1\n"
            "\n"
            "files: 0 rows, 0 rejected, never read since the start; failing: no such folder\n"
            "mesos-agent: 2 rows, 1 rejected, read 120 ms ago\n"
            "merge: 1 rejected\n");
}

TEST(Rows, RejectedOnesSayWhereAndWhy) {
  EXPECT_EQ(rejected_text(rows()),
            "SOURCE       WHERE                   REASON\n"
            "mesos-agent  task db.1, label VIP_0  \"/db:0\" has no port\n"
            "merge        udp [2001:db8::5]:53    two policies\n");
  EXPECT_EQ(json::value(rejected_list(rows())), json::parse(R"([
    {"source": "mesos-agent", "where": "task db.1, label VIP_0", "reason": "\"/db:0\" has no port"},
    {"source": "merge", "where": "udp [2001:db8::5]:53", "reason": "two policies"}])"));
}

TEST(Rows, NothingRejectedAndNoSourceAreSaidInWords) {
  const json::value nothing = json::parse(R"({"sources": {}, "merge_rejected": []})");
  EXPECT_EQ(rejected_text(nothing), "nothing was rejected\n");
  EXPECT_EQ(rows_text(nothing), "no source is configured: set files.directory or mesos.agent\n");
}

}  // namespace
}  // namespace viaduct::ctl
