#include "daemon/memory.h"

#include <gtest/gtest.h>

namespace viaduct::daemon {
namespace {

service::SourceRows example_rows() {
  service::SourceRows rows;
  rows.rows.push_back({service::VipName{"web.marathon"},
                       80,
                       base::Protocol::tcp,
                       *base::Endpoint::parse("192.0.2.1:8080"),
                       3,
                       {service::PickRule::maglev},
                       "web \"1\"\n"});
  rows.rows.push_back({*base::Address::parse("2001:db8::5"),
                       53,
                       base::Protocol::udp,
                       *base::Endpoint::parse("[2001:db8::1]:5353"),
                       0,
                       {},
                       ""});
  rows.port_mappings.push_back(
      {base::Protocol::tcp, 31000, *base::Endpoint::parse("198.51.100.7:80")});
  service::TaskRow task;
  task.framework = "marathon";
  task.id = "web.\xc3\xa9\n";
  task.name = "web";
  task.discovery = "shop.web";
  task.agent_id = "a-S1";
  task.agent = {*base::Address::parse("192.0.2.1")};
  task.addresses = {{service::AddressSource::netinfo, *base::Address::parse("2001:db8::1")},
                    {service::AddressSource::docker, *base::Address::parse("198.51.100.1")}};
  task.ports = {31000, 31001};
  task.discovery_ports = {{80, "http", "tcp"}, {0, "", ""}};
  task.host_port = true;
  rows.tasks = {task};
  service::MesosRow leader;
  leader.role = service::MesosRole::master;
  leader.id = "192.0.2.11:5050";
  leader.addresses = {*base::Address::parse("192.0.2.11"), *base::Address::parse("2001:db8::11")};
  leader.port = 5050;
  leader.order = 1;
  leader.leader = true;
  rows.processes = {leader};
  return rows;
}

std::map<std::string, service::SourceParts> example() {
  service::SourceParts files;
  files.put("shop.toml", std::make_shared<const service::SourceRows>(example_rows()));
  files.put("empty.toml", std::make_shared<const service::SourceRows>());
  return {{"mesos-agent", example_rows()}, {"files", files}, {"peer", {}}};
}

TEST(Memory, ReadsWhatItWrote) {
  const auto read = read_memory(write_memory(example()));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, example());
}

TEST(Memory, DoesNotRememberWhatWasRejected) {
  service::SourceRows rows = example_rows();
  rows.rejected.push_back({"task a", "no address"});
  auto sources = example();
  sources["mesos-agent"] = rows;
  EXPECT_EQ(*read_memory(write_memory(sources)), example());
}

TEST(Memory, ReadsVersion1AsSourcesOfOnePart) {
  const auto read = read_memory(
      R"({"version":1,"sources":{"files":{"rows":[{"name":"web.marathon","port":80,"protocol":"tcp","backend":"192.0.2.1:8080","weight":3,"lb":"maglev","affinity":"none","task":"shop.toml:4"}],"port_mappings":[]}}})");
  ASSERT_TRUE(read) << read.error().message();
  service::SourceRows rows = example_rows();
  rows.rows.resize(1);
  rows.rows[0].task = "shop.toml:4";
  rows.port_mappings.clear();
  rows.tasks.clear();
  rows.processes.clear();
  EXPECT_EQ(*read, (std::map<std::string, service::SourceParts>{{"files", rows}}));
}

TEST(Memory, AnythingElseIsAnErrorAsAWhole) {
  const std::string good = write_memory(example());
  for (std::size_t cut = 0; cut < good.size(); cut++)
    EXPECT_FALSE(read_memory(good.substr(0, cut))) << cut;
  for (
      const char* text :
      {"null", "{}", "[]", R"({"version":3,"sources":{}})", R"({"version":2,"sources":[]})",
       R"({"version":2,"sources":{"a":{"rows":[]}}})",
       R"({"version":1,"sources":{"a":{"rows":[{"name":"x"}],"port_mappings":[]}}})",
       R"({"version":1,"sources":{"a":{"rows":[],"port_mappings":[],"tasks":[{"id":"x"}]}}})",
       R"({"version":1,"sources":{"a":{"rows":[],"port_mappings":[],"tasks":[{"framework":"f","id":"x","name":"","discovery":"","agent_id":"","agent":["127.0.0.1"],"addresses":[],"ports":[],"discovery_ports":[],"host_port":false}]}}})",
       R"({"version":1,"sources":{"a":{"rows":[{"address":"x","port":1,"protocol":"tcp","backend":"192.0.2.1:1","weight":1,"lb":"automatic","task":""}],"port_mappings":[]}}})"}) {
    const auto read = read_memory(text);
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().context, "");
  }
}

}  // namespace
}  // namespace viaduct::daemon
