#include "dns/mesos_http.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "dns/go_json.h"
#include "tests/unit/dns/task_rows.h"

namespace viaduct::dns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// The API of a node that knows two tasks of marathon.
class MesosHttp : public testing::Test {
 protected:
  MesosHttp() : MesosHttp(tasks()) {}
  explicit MesosHttp(std::vector<service::TaskRow> rows)
      : snapshot_(running(std::move(rows))), table_(build_table(snapshot_, options_).table) {
    settings_.ttl_s = 5;
  }

  static std::vector<service::TaskRow> tasks() {
    service::TaskRow web = task("Web.App");
    web.ports = {31000};
    service::TaskRow other = task("web-app", "other");
    other.addresses = {{service::AddressSource::netinfo, address("198.51.100.6")}};
    return {web, other};
  }

  http::Reply ask(std::string_view target, std::string_view method = "GET",
                  std::optional<std::string_view> accept = {}) {
    MesosHttpView view;
    view.version = "1.2.3";
    view.table = table_.get();
    view.tasks = &snapshot_.tasks;
    view.frameworks = {"chronos"};
    view.options = &options_;
    view.domain = *Name::parse("mesos");
    view.settings = &settings_;
    return answer_mesos_http({method, target, accept}, view);
  }
  std::string body(std::string_view target) {
    const http::Reply reply = ask(target);
    EXPECT_EQ(reply.status, 200u) << target;
    EXPECT_EQ(reply.content_type, "application/json");
    return reply.body;
  }

  ZoneOptions options_;
  MesosHttpSettings settings_;
  service::Snapshot snapshot_;
  std::shared_ptr<const Table> table_;
};

TEST_F(MesosHttp, TheVersionIsOurs) {
  const std::string expected =
      "{\n"
      "  \"Service\": \"Mesos-DNS\",\n"
      "  \"URL\": \"https://github.com/mesosphere/mesos-dns\",\n"
      "  \"Version\": \"1.2.3\"\n"
      " }";
  EXPECT_EQ(body("/v1/version"), expected);
  EXPECT_EQ(body("/v1/version/"), expected);
  EXPECT_EQ(body("/v1/version?x=1"), expected);
}

TEST_F(MesosHttp, AHostHasItsAddresses) {
  EXPECT_EQ(body("/v1/hosts/web-app-iffe9-s12.marathon.mesos"),
            "[\n"
            "  {\n"
            "   \"host\": \"web-app-iffe9-s12.marathon.mesos.\",\n"
            "   \"ip\": \"198.51.100.5\"\n"
            "  },\n"
            "  {\n"
            "   \"host\": \"web-app-iffe9-s12.marathon.mesos.\",\n"
            "   \"ip\": \"2001:db8::5\"\n"
            "  }\n"
            " ]");
  const std::string both = body("/v1/hosts/web-app.marathon.mesos.");
  EXPECT_THAT(both, HasSubstr("198.51.100.5"));
  EXPECT_THAT(both, HasSubstr("198.51.100.6"));
  EXPECT_EQ(body("/v1/hosts/WEB-APP.*.Marathon.Mesos./"), both) << "case, stars and slashes";
  EXPECT_EQ(body("/v1/hosts/web%2Dapp.marathon.mesos"), both);
}

TEST_F(MesosHttp, AnUnknownHostIsAnEmptyOne) {
  const std::string none = "[\n  {\n   \"host\": \"\",\n   \"ip\": \"\"\n  }\n ]";
  for (const char* name : {"nope.mesos", "_web-app._tcp.marathon.mesos", "localhost", ".", "a..b",
                           "web-app.marathon.mesos.thisdcos.directory"})
    EXPECT_EQ(body(std::string("/v1/hosts/") + name), none) << name;
}

TEST_F(MesosHttp, AServiceHasOneAddressOfEachFamilyOfEachTarget) {
  const std::string expected =
      "[\n"
      "  {\n"
      "   \"service\": \"_WEB-APP._tcp.marathon.mesos\",\n"
      "   \"host\": \"web-app-iffe9-s12.marathon.slave.mesos.\",\n"
      "   \"ip\": \"192.0.2.21\",\n"
      "   \"port\": \"31000\"\n"
      "  }\n"
      " ]";
  EXPECT_EQ(body("/v1/services/_WEB-APP._tcp.marathon.mesos"), expected);
  EXPECT_EQ(body("/v1/services/web-app.marathon.mesos"),
            "[\n  {\n   \"service\": \"\",\n   \"host\": \"\",\n   \"ip\": \"\",\n"
            "   \"port\": \"\"\n  }\n ]");
}

TEST_F(MesosHttp, EnumerateListsWhatEachTaskIsTheFirstToHave) {
  const auto found = boost::json::parse(body("/v1/enumerate"));
  const auto& frameworks = found.at("frameworks").as_array();
  ASSERT_EQ(frameworks.size(), 2u);
  EXPECT_EQ(frameworks[0],
            (boost::json::value{{"tasks", boost::json::array{}}, {"name", "chronos"}}));
  const auto& tasks = frameworks[1].at("tasks").as_array();
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(frameworks[1].at("name"), "marathon");
  EXPECT_EQ(tasks[0].at("name"), "Web.App") << "as the framework wrote it";
  EXPECT_EQ(tasks[0].at("id"), "test");
  EXPECT_EQ(tasks[0].at("records").as_array().size(), 10u);
  EXPECT_EQ(tasks[1].at("records").as_array().size(), 3u)
      << "its own address under two names, and its own name below slave; the rest is known";
}

TEST_F(MesosHttp, AxfrListsAllRecordsByName) {
  const auto found = boost::json::parse(body("/v1/axfr")).as_object();
  std::vector<std::string> keys;
  for (const auto& member : found) keys.emplace_back(member.key());
  EXPECT_THAT(
      keys, ElementsAre("TTL", "Serial", "RefreshSeconds", "Mname", "Rname", "Domain", "Records"));
  EXPECT_EQ(found.at("TTL"), 5);
  EXPECT_EQ(found.at("Serial"), 42);
  EXPECT_EQ(found.at("Domain"), "mesos");
  const auto& records = found.at("Records").as_object();
  EXPECT_EQ(records.at("As").at("web-app.marathon.mesos."),
            (boost::json::array{"198.51.100.5", "198.51.100.6"}));
  EXPECT_EQ(records.at("AAAAs").at("web-app.marathon.mesos."), boost::json::array{"2001:db8::5"});
  EXPECT_EQ(records.at("SRVs").at("_web-app._tcp.marathon.mesos."),
            boost::json::array{"web-app-iffe9-s12.marathon.slave.mesos.:31000"});
  EXPECT_FALSE(records.at("As").as_object().contains("web-app.marathon.mesos.thisdcos.directory."));
}

TEST_F(MesosHttp, WithoutEnumerationThereIsNoSuchPath) {
  settings_.enumeration = false;
  EXPECT_EQ(ask("/v1/enumerate").status, 404u);
  EXPECT_EQ(ask("/v1/axfr").status, 404u);
  EXPECT_EQ(ask("/v1/version").status, 200u);
}

TEST_F(MesosHttp, TheConfigurationIsUnderTheirKeysWithoutTheSecret) {
  Config config;
  config.port = 53;
  config.forward.upstreams = {*base::Endpoint::parse("192.0.2.53:53"),
                              *base::Endpoint::parse("192.0.2.54:5353")};
  config.http.listen = base::Endpoint::parse("192.0.2.1:8123");
  config.zones.mesos_domain = *Name::parse("cluster.example");
  config.zones.mesos_ttl_s = 7;
  config.zones.mesos_labels = zones::LabelRule::rfc952;
  settings_ = mesos_http_settings(config);
  settings_.principal = "viaduct";
  const auto found = boost::json::parse(body("/v1/config")).as_object();
  EXPECT_EQ(found.size(), 38u);
  EXPECT_EQ(found.begin()->key(), "RefreshSeconds");
  EXPECT_EQ(found.at("Resolvers"), (boost::json::array{"192.0.2.53", "192.0.2.54:5353"}));
  EXPECT_EQ(found.at("HTTPListener"), "192.0.2.1");
  EXPECT_EQ(found.at("HttpPort"), 8123);
  EXPECT_EQ(found.at("IPSources"), (boost::json::array{"netinfo", "mesos", "host"}));
  EXPECT_EQ(found.at("ExternalOn"), true);
  EXPECT_EQ(found.at("Domain"), "cluster.example");
  EXPECT_EQ(found.at("SOAMname"), "ns1.cluster.example.");
  EXPECT_EQ(found.at("SOARname"), "root.ns1.cluster.example.");
  EXPECT_EQ(found.at("TTL"), 7);
  EXPECT_EQ(found.at("EnforceRFC952"), true);
  EXPECT_EQ(found.at("MesosCredentials"),
            (boost::json::value{{"Principal", "viaduct"}, {"Secret", ""}}));
}

TEST_F(MesosHttp, OtherPathsMethodsAndFormatsAreRefusedAsTheyDo) {
  for (const char* target : {"/", "/v1", "/v1/", "/v1/nope", "/v1/hosts", "/v1/hosts/",
                             "/v1/services/", "/V1/version", "/v1/enumerate/x", "/v1/records",
                             "/v1/hosts/a/b", "v1/version", "", "/v1//version", "/v1/hosts/%zz"}) {
    const http::Reply reply = ask(target);
    EXPECT_EQ(reply.status, 404u) << target;
    EXPECT_EQ(reply.body, "404: Page Not Found");
    EXPECT_EQ(reply.content_type, "text/plain; charset=utf-8");
  }
  EXPECT_EQ(ask("/v1/hosts/leader.mesos/ports").status, 501u);
  EXPECT_EQ(ask("/v1/hosts/leader.mesos/ports").body, "To be implemented...");
  for (const char* method : {"POST", "PUT", "DELETE", "HEAD", "OPTIONS"}) {
    EXPECT_EQ(ask("/v1/version", method).status, 405u) << method;
    EXPECT_EQ(ask("/v1/version", method).body, "405: Method Not Allowed");
    EXPECT_EQ(ask("/v1/nope", method).status, 404u) << method;
  }
  for (const char* accept : {"text/html", "application/xml", "application/*"}) {
    EXPECT_EQ(ask("/v1/version", "GET", accept).status, 406u) << accept;
    EXPECT_EQ(ask("/v1/version", "GET", accept).body, "406: Not Acceptable");
  }
  for (const char* accept : {"application/json", "*/*", "text/html,application/json;q=0.9"})
    EXPECT_EQ(ask("/v1/version", "GET", accept).status, 200u) << accept;
}

TEST_F(MesosHttp, BeforeTheFirstTableThereIsNothing) {
  table_.reset();
  snapshot_.tasks = {};
  EXPECT_THAT(body("/v1/hosts/leader.mesos"), HasSubstr("\"host\": \"\""));
  EXPECT_THAT(body("/v1/axfr"), HasSubstr("\"As\": {}"));
}

TEST(GoJson, IsWhatGoWrites) {
  namespace json = boost::json;
  EXPECT_EQ(go_json(json::value{{"a", json::array{}},
                                {"b", json::object{}},
                                {"c", nullptr},
                                {"d", json::array{1, true}}}),
            "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": null,\n  \"d\": [\n   1,\n   true\n"
            "  ]\n }");
  EXPECT_EQ(go_json("a\"b\\c\n\t\x01<&>"), R"("a\"b\\c\n\t\u0001\u003c\u0026\u003e")");
  EXPECT_EQ(go_json("\xc3\xa4 \xff \xed\xa0\x80 \xe2\x80\xa8 \xe2\x82"),
            "\"\xc3\xa4 \\ufffd \\ufffd\\ufffd\\ufffd \\u2028 \\ufffd\\ufffd\"");
}

}  // namespace
}  // namespace viaduct::dns
