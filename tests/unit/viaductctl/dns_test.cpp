#include "tools/viaductctl/dns.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace viaduct::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(DnsText, OfOursSaysZoneAnswerSourcesAndWhoAnswers) {
  const json::value one = json::parse(R"({"name": "Web.marathon.l4lb.thisdcos.global.", "type": "A",
    "zone": "l4lb.thisdcos.directory.", "ready": true, "serial": 42,
    "table_name": "web.marathon.l4lb.thisdcos.directory.", "exists": true,
    "records": ["5 A 11.0.0.1"], "sources": ["tcp 11.0.0.1:80 backend 192.0.2.7:8080 node n1"],
    "slot": 7, "kernel": "the name is an alias"})");
  EXPECT_EQ(dns_text(one, "198.51.100.1:53 says NOERROR"),
            "question     Web.marathon.l4lb.thisdcos.global. A\n"
            "zone         l4lb.thisdcos.directory., serial 42\n"
            "known as     web.marathon.l4lb.thisdcos.directory.\n"
            "answer       5 A 11.0.0.1\n"
            "made of      tcp 11.0.0.1:80 backend 192.0.2.7:8080 node n1\n"
            "table        slot 7\n"
            "answered by  user space: the name is an alias\n"
            "asked        198.51.100.1:53 says NOERROR\n");
}

TEST(DnsText, TellsAbsentNamesAndTypesApart) {
  json::value one = json::parse(R"({"name": "a.spartan.", "type": "A", "zone": "spartan.",
    "table_name": "a.spartan.", "ready": true, "exists": false})");
  EXPECT_THAT(dns_text(one, ""), HasSubstr("NXDOMAIN"));
  one.as_object()["exists"] = true;
  EXPECT_THAT(dns_text(one, ""), HasSubstr("NODATA"));
  one.as_object()["ready"] = false;
  EXPECT_THAT(dns_text(one, ""), HasSubstr("SERVFAIL"));
}

TEST(DnsText, OfForwardedNamesSaysWhoIsAskedAndWhoAnswered) {
  json::value one = json::parse(R"({"name": "www.example.", "type": "A", "zone": "",
    "forward_zone": ".", "pending": false, "origin": "upstream 192.0.2.1:53",
    "upstreams": [{"endpoint": "192.0.2.1:53", "round_trip_ms": 1.26, "failures": 0, "note": ""},
                  {"endpoint": "192.0.2.2:53", "round_trip_ms": 0, "failures": 2.5, "note": ""}]})");
  const std::string text = dns_text(one, "");
  EXPECT_THAT(text, HasSubstr("upstreams    192.0.2.1:53, 1.3 ms\n"));
  EXPECT_THAT(text, HasSubstr("             192.0.2.2:53, failures 2.5\n"));
  EXPECT_THAT(text, HasSubstr("answer from  upstream 192.0.2.1:53\n"));
  one.as_object()["forward_zone"] = "";
  EXPECT_THAT(dns_text(one, ""), HasSubstr("REFUSED"));
}

TEST(DnsReplyText, ReadsTheHeader) {
  std::vector<std::uint8_t> reply(12);
  reply[2] = 0x82;
  reply[3] = 3;
  reply[7] = 2;
  EXPECT_EQ(dns_reply_text("s", reply, 0.26),
            "s says NXDOMAIN, 2 records, truncated: to be asked over TCP, in 0.3 ms");
  reply.pop_back();
  EXPECT_THAT(dns_reply_text("s", reply, 1), HasSubstr("something else"));
}

TEST(Records, AreChosenByAPartOfTheirNames) {
  const json::value all = json::parse(R"([{"name": "a.spartan.", "host": "1", "rtype": "A"},
    {"name": "b.zk.", "host": "2", "rtype": "A"}])");
  EXPECT_EQ(select_records(all, "").size(), 2u);
  const json::array found = select_records(all, "zk");
  EXPECT_THAT(records_text(found), HasSubstr("b.zk."));
  EXPECT_THAT(records_text(found), Not(HasSubstr("spartan")));
}

}  // namespace
}  // namespace viaduct::ctl
